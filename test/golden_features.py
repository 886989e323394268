#!/usr/bin/env python3
"""Every column of the feature matrix of fixed inputs equals test/golden/features.csv, one hash a column.

The table changes only by `test/golden_features.py --update`; a new feature adds a row, an old row stays. Each matrix is
made by the release program; where build-clang/fathom exists its columns must be equal too. Inputs that are not
beside the checkout are skipped with a printed reason, their columns of the table are kept.
"""
import ast, csv, hashlib, json, pathlib, struct, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
TABLE = ROOT / "test" / "golden" / "features.csv"
RAW = SHARED / "raw"
MISSING = "all-missing"


def call(program, *args):
    p = subprocess.run([str(program), *map(str, args)], capture_output=True, text=True, cwd=ROOT)
    if p.returncode != 0:
        sys.exit(f"{program.name} {' '.join(map(str, args))[:120]}: exit {p.returncode}: {p.stderr.strip()[-300:]}")
    return p.stdout


def inputs(program, work):
    """name, raw files (none: `tape` is there), tape, bucket[, options]"""
    yield "shipped", [], ROOT / "examples/data/btcusdt-20240808.tape", "time=1"
    yield "shipped-volume", [], ROOT / "examples/data/btcusdt-20240808.tape", "volume=5"
    market = work / "market.gz"
    call(program, "generate", market, "--seed", 6, "--hours", "1", "--signal", "0.2@1", "--quiet")
    yield "generated", [market], None, "time=1"
    yield "eth", [RAW / "binance-usdm/ethusdt_20240808.gz"], None, "time=1"
    yield "coinm", sorted((RAW / "binance-coinm").glob("*.gz")) or [RAW / "binance-coinm"], None, "time=1"
    yield "spot", sorted((RAW / "binance-spot").glob("*.gz")) or [RAW / "binance-spot"], None, "time=1"
    cross = ["--peer", work / "coinm.tape", "--peer", work / "spot.tape", "--reference", work / "spot.tape"]  # made just before
    yield "cross", [RAW / "binance-usdm/btcusdt_20240808.gz"], None, "time=1", *cross
    near = SHARED / "bars/binance-usdm-1m"
    yield "near-bars", sorted(near.glob("NEARUSDT-1m-2023-08*")) or [near], None, "time=60"
    sui = SHARED / "bars/binance-usdm"
    yield "sui-bars", [sui / f"SUI_USDT_USDT-{x}.csv.gz" for x in ("15m-futures", "8h-funding_rate", "8h-mark")], None, "time=900"


def columns(path):
    """Hashes of the columns of a little-endian float32 matrix; all NaN is told apart by name."""
    raw = path.read_bytes()
    head = struct.unpack("<H", raw[8:10])[0]
    shape = ast.literal_eval(raw[10 : 10 + head].decode())["shape"]
    body, (rows, count) = memoryview(raw)[10 + head :], shape
    words = body.cast("B").cast("I")
    out = []
    for c in range(count):
        column = words[c::count]
        absent = all((w & 0x7FFFFFFF) > 0x7F800000 for w in set(column.tolist()))
        out.append(MISSING if absent else hashlib.sha256(column.tobytes()).hexdigest()[:16])
    return out


def measure(program, work, name, files, tape, bucket, options):
    if files:
        tape = work / f"{name}.tape"
        if not tape.exists():
            call(program, "import", *files, "--to", tape, "--quiet")
    out = work / f"{name}-{program.parent.name}.npy"
    call(program, "features", "run", tape, "--to", out, "--bucket", bucket, *options, "--quiet", "--force")
    return columns(out)


def read_table():
    if not TABLE.exists():
        return [], {}
    with open(TABLE, newline="") as f:
        rows = list(csv.DictReader(f))
    return list(rows[0])[1:] if rows else [], {r["feature"]: r for r in rows}


def compare(want, names, key, got, where):
    bad = 0
    for feature, value in zip(names, got):
        golden = want.get(feature, {}).get(key)
        if golden != value:
            bad += 1
            if bad <= 10:
                print(f"DIFFERS {key} ({where}) {feature}: {value}, golden {golden or 'none: test/golden_features.py --update'}")
    print(f"{'equal  ' if bad == 0 else f'{bad} columns differ'} {key} ({where}): {len(names)} columns")
    return bad


def main():
    update = sys.argv[1:] == ["--update"]
    programs = [p for p in (ROOT / "build/fathom", ROOT / "build-clang/fathom") if p.exists()]
    if not programs:
        sys.exit("build/fathom is missing: make build")
    names = [f["name"] for f in json.loads(call(programs[0], "features", "list", "--json"))]
    keys, want = read_table()
    bad = skipped = 0
    fresh = {}
    with tempfile.TemporaryDirectory(prefix="golden-") as tmp:
        for key, files, tape, bucket, *options in inputs(programs[0], pathlib.Path(tmp)):
            fresh[key] = {n: want.get(n, {}).get(key, "") for n in names}
            absent = [str(f) for f in files if not f.is_file()]
            if absent:
                print(f"skipped {key}: {absent[0]} is not there")
                skipped += 1
                continue
            got = [measure(p, pathlib.Path(tmp), key, files, tape, bucket, options) for p in programs]
            if update:
                fresh[key] = dict(zip(names, got[0]))
                want = {n: {**want.get(n, {}), key: v} for n, v in fresh[key].items()}
            bad += sum(compare(want, names, key, g, p.parent.name) for p, g in zip(programs, got))
    gone = sorted(set(want) - set(names))
    if gone and not update:
        print(f"GONE {len(gone)} features of the table, the first: {gone[0]}")
        bad += len(gone)
    if update:
        with open(TABLE, "w", newline="") as f:
            out = csv.writer(f, lineterminator="\n")
            out.writerow(["feature", *fresh])
            out.writerows([n, *(fresh[k][n] for k in fresh)] for n in names)
        print(f"wrote {TABLE.relative_to(ROOT)}")
    print(f"{len(fresh) - skipped} inputs x {len(programs)} compilers, {bad} differences, {skipped} skipped")
    sys.exit(1 if bad else 0)


main()
