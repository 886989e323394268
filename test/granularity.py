#!/usr/bin/env python3
"""One market, delivered in six ways, through the whole program: equal hashes of books, orders, fills and ledger.

A result that depends on how the input is cut into pieces is a defect; execute_laws_test holds the same law for the
engine alone (single events, a ring fed by another thread, pieces cut inside messages).
"""
import gzip, json, pathlib, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/fathom"
STAGES = ("events", "books", "buckets", "features", "orders", "fills", "ledger")
failed = []


def call(*args):
    p = subprocess.run([str(PROGRAM), *map(str, args)], capture_output=True, text=True, cwd=ROOT, timeout=300)
    if p.returncode != 0:
        sys.exit(f"fathom {' '.join(map(str, args))[:160]}: exit {p.returncode}: {p.stderr[-300:]}")
    return p.stdout


def hold(what, truth, figure=""):
    print(f"{'ok    ' if truth else 'FAILED'} {what} {figure if not truth else ''}".rstrip())
    if not truth:
        failed.append(what)


def ways(work):
    """name, options of `fathom backtest`"""
    market = work / "market.gz"
    call("generate", market, "--seed", 11, "--hours", "0.3", "--fault", "gap", "--fault", "dup")
    lines = gzip.open(market).read().splitlines(keepends=True)
    parts = []
    for k in range(3):
        parts.append(work / f"part-{k}.gz")
        with gzip.open(parts[k], "wb") as f:
            f.writelines(lines[len(lines) * k // 3: len(lines) * (k + 1) // 3])
    whole = work / "whole"
    call("import", market, "--to", whole)
    facts = json.loads(call("tape", "info", whole, "--json"))
    first, last = facts["first_local_ns"], facts["last_local_ns"]
    edges = [first, *(first + (last - first) * k // 7 + 12345 for k in (1, 2, 3, 5, 6)), last + 1]
    cuts = []
    for k in range(6):
        cuts.append(work / f"cut-{k}")
        call("tape", "cut", whole, "--from", edges[k], "--to", edges[k + 1], "--out", cuts[k], *(["--raw"] if k % 2 else []))
    merged, raw = work / "merged", work / "raw"
    call("tape", "merge", *cuts, "--out", merged)
    call("tape", "cut", whole, "--raw", "--out", raw)
    yield "raw recording", ["--set", f"data.input={market}"]
    yield "recording in three files", ["--set", "data.input=" + ",".join(map(str, parts))]
    yield "tape", ["--set", f"data.tape={whole}"]
    yield "tape of raw blocks", ["--set", f"data.tape={raw}"]
    yield "six pieces read as one", ["--set", "data.tapes=" + ",".join(map(str, cuts))]
    yield "six pieces joined", ["--set", f"data.tape={merged}"]


with tempfile.TemporaryDirectory(prefix="granularity-") as tmp:
    work = pathlib.Path(tmp)
    runs = {"quoter, strict": ["strategy.kind=quoter"], "grid, strict, volume clock": ["strategy.kind=grid", "bucket.spec=volume=3"],
            "grid, anchor": ["strategy.kind=grid", "sim.rules=anchor"], "momentum, strict": ["strategy.kind=momentum", "strategy.momentum_bps=0.5"]}
    first = {}
    for way, options in ways(work):
        for run, sets in runs.items():
            out = work / "out"
            call("backtest", *options, *[x for s in sets for x in ("--set", s)], "--to", out, "--quiet", "--force")
            stages = json.loads((out / "manifest.json").read_text())["stages"]
            fills = json.loads((out / "result.json").read_text())["fills"]
            have = [stages[s] for s in STAGES] + [fills, (out / "fills.csv").read_bytes()]
            want = first.setdefault(run, have)
            hold(f"{run}: {way}", have == want and fills > 0, [s for s, a, b in zip(STAGES, have, want) if a != b] or fills)
sys.exit(1 if failed else 0)
