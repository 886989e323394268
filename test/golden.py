#!/usr/bin/env python3
"""Every stage hash and the main figures of fixed runs equal test/golden/results.csv.

The rows change only by `test/golden.py --update`. Models are the committed ones of test/golden, never
trained here. Each run is done by the release program; where build-clang/fathom exists its hashes must be
equal too. Runs whose input is not beside the checkout are skipped with a printed reason.
"""
import csv, json, pathlib, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
TABLE = ROOT / "test" / "golden" / "results.csv"
STAGES = ["events", "books", "buckets", "features", "predictions", "orders", "fills", "ledger"]
COLUMNS = ["run", "tape"] + STAGES + ["events_count", "buckets_count", "fills_count", "net"]
BARS = SHARED / "bars" / "binance-usdm-1m"


def call(program, *args):
    p = subprocess.run([str(program), *map(str, args)], capture_output=True, text=True, cwd=ROOT)
    if p.returncode != 0:
        sys.exit(f"{program.name} {' '.join(map(str, args))[:120]}: exit {p.returncode}: {p.stderr.strip()[-300:]}")
    return p.stdout


def runs(work):
    """name, files that must exist, options of `fathom backtest`"""
    market = work / "market.gz"
    tape = ROOT / "examples/data/btcusdt-20240808.tape"
    generated = ["--set", f"data.input={market}", "--set", "fees.taker=0.0001"]
    yield "shipped-quoter", [tape], ["examples/real-demo.yaml"]
    yield "shipped-grid-volume", [tape], ["examples/real-demo.yaml", "--set", "strategy.kind=grid", "--set",
        "bucket.spec=volume=5", "--set", "sim.queue=power", "--set", "sim.entry_ms=10"]
    yield "generated-logistic", [], generated + ["--set", "features.set=book+ofi", "--set", "strategy.kind=model",
        "--set", f"model.path={ROOT}/test/golden/logistic", "--set", "intent.edge_min_bps=-10", "--set", "intent.confidence_min=0.5",
        "--set", "intent.missing_max=0.5"]
    yield "generated-forest", [], generated + ["--set", "features.set=book+ofi", "--set", "strategy.kind=model",
        "--set", f"model.path={ROOT}/test/golden/forest", "--set", "intent.edge_min_bps=-10", "--set", "intent.confidence_min=0.5",
        "--set", "intent.missing_max=0.5"]
    yield "generated-momentum", [], generated + ["--set", "strategy.kind=momentum", "--set", "strategy.momentum_bps=0.5"]
    near = sorted(BARS.glob("NEARUSDT-1m-2023-08*")) or [BARS / "NEARUSDT-1m-2023-08.csv.gz"]
    yield "near-bars-momentum", near, ["--set", f"data.input={near[0]}", "--set", "bucket.spec=time=60", "--set",
        "features.set=bars", "--set", "strategy.kind=momentum", "--set", "strategy.quantity=100", "--set",
        "strategy.position_max=100", "--set", "risk.order_max=1000", "--set", "risk.position_max=1000"]
    eth = SHARED / "raw/binance-usdm/ethusdt_20240808.gz"
    yield "eth-quoter", [eth], ["examples/btcusdt-tick.yaml", "--set", f"data.input={eth}"]


def measure(program, work, name, options):
    out = work / f"{name}-{program.parent.name}"
    call(program, "backtest", *options, "--to", out, "--quiet", "--force")
    m = json.loads((out / "manifest.json").read_text())
    r = json.loads((out / "result.json").read_text())
    return [name, m["tape_hash"]] + [m["stages"][s] for s in STAGES] + [r["events"], r["buckets"], r["fills"], r["net"]]


def main():
    update = sys.argv[1:] == ["--update"]
    programs = [p for p in (ROOT / "build/fathom", ROOT / "build-clang/fathom") if p.exists()]
    if not programs:
        sys.exit("build/fathom is missing: make build")
    want = {}
    if TABLE.exists():
        with open(TABLE, newline="") as f:
            want = {row[0]: row for row in csv.reader(f)}
    rows, bad, skipped = [], 0, 0
    with tempfile.TemporaryDirectory(prefix="golden-") as tmp:
        work = pathlib.Path(tmp)
        call(programs[0], "generate", work / "market.gz", "--seed", 5, "--hours", "0.5", "--signal", "0.3@1", "--quiet")
        for name, files, options in runs(work):
            absent = [str(f) for f in files if not f.exists()]
            if absent:
                print(f"skipped {name}: {absent[0]} is not there")
                skipped += 1
                rows.append(want.get(name, [name]))
                continue
            got = [list(map(str, measure(p, work, name, options))) for p in programs]
            rows.append(got[0])
            for program, row in zip(programs, got):
                if row == (got[0] if update else want.get(name)):
                    print(f"equal   {name} ({program.parent.name})")
                    continue
                bad += 1
                for column, a, b in zip(COLUMNS, want.get(name, []) + [""] * len(COLUMNS), row):
                    if a != b:
                        print(f"DIFFERS {name} ({program.parent.name}) {column}: {b}, golden {a or 'none'}")
    if update:
        with open(TABLE, "w", newline="") as f:
            csv.writer(f, lineterminator="\n").writerows([COLUMNS] + rows)
        print(f"wrote {TABLE.relative_to(ROOT)}")
    print(f"{len(rows) - skipped} runs x {len(programs)} compilers, {bad} differences, {skipped} skipped")
    sys.exit(1 if bad else 0)


main()
