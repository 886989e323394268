#!/usr/bin/env python3
"""What the machinery says about markets whose truth is known.

Zero signal: a sound 95 % band is left by one market in twenty, for each horizon and metric. Counted are the markets
outside the block-bootstrap band of no link; a cell (horizon, metric) with more of them than a sound band gives in 997 of
1,000 grids of its size fails, the cells with more than one of 20 are named beside the number that chance gives, and the
mean IC must lie within two standard errors of 0. Planted signal: at least 90 % of
the attainable IC is recovered on the same out-of-sample rows; with shuffled training labels the IC is inside the band.

  test/truth.py          short form: fewer and shorter markets, bounds that fit their size
  test/truth.py --full   the acceptance form: 20 seeds, horizons 1, 5 and 20 s, 13 h planted
"""
import json, math, pathlib, statistics, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/fathom"
FULL = sys.argv[1:] == ["--full"]
METRICS = ["ic", "auc", "macro_f1"]


def call(*args):
    p = subprocess.run([str(PROGRAM), *map(str, args)], capture_output=True, text=True, cwd=ROOT)
    if p.returncode != 0:
        sys.exit(f"fathom {' '.join(map(str, args))[:150]}: exit {p.returncode}: {p.stderr.strip()[-300:]}")
    return p.stdout


def study(work, tape, *sets):
    options = [x for s in sets for x in ("--set", s)]
    text = call("run", "examples/known-truth.yaml", "--set", f"data.tape={tape}", "--set", "strategy.kind=none",
                "--set", f"study.trials={work}/trials.jsonl", *options, "--to", work / "run", "--force", "--json")
    doc = json.loads(text)
    report = json.loads((work / "run/report.json").read_text())
    return {m["id"]: m for m in doc["study"]["metrics"]}, report.get("truth", {}).get("rows", []), doc["study"]["scored"]


def market(work, seed, hours, signal):
    raw, tape = work / "m.gz", work / "m.tape"
    call("generate", raw, "--seed", seed, "--hours", hours, "--signal", signal, "--force", "--quiet")
    call("import", raw, "--to", tape, "--force", "--json")
    return tape


def limit(n):
    """Most markets outside that a 5 % band shows but for three grids in a thousand."""
    tail, k = 1.0, -1
    while tail > 0.003:
        k += 1
        tail -= math.comb(n, k) * 0.05**k * 0.95 ** (n - k)
    return k


def zero(work, seeds, hours, horizons):
    bad, outside, ic = [], {}, {h: [] for h in horizons}
    for seed in range(1, seeds + 1):
        tape = market(work, seed, hours, "0@1")
        for h in horizons:
            m, _, _ = study(work, tape, f"label.buckets={h}", "study.bootstrap=300")
            ic[h].append(m["ic"]["value"])
            for name in METRICS:
                v = m[name]
                if not v["null_lo"] <= v["value"] <= v["null_hi"]:
                    outside.setdefault((h, name), []).append(seed)
    for h in horizons:
        mean = statistics.mean(ic[h])
        error = statistics.stdev(ic[h]) / math.sqrt(seeds)
        print(f"zero signal, {h} s: mean IC {mean:+.4f}, standard error {error:.4f}, outside the band: " +
              ", ".join(f"{n} {outside.get((h, n), [])}" for n in METRICS))
        if abs(mean) > 2 * error:
            bad.append(f"mean IC at {h} s")
        bad += [f"{n} at {h} s outside for seeds {outside[(h, n)]}" for n in METRICS if len(outside.get((h, n), [])) > limit(seeds)]
    cells = len(horizons) * len(METRICS)
    by_chance = cells * (1 - 0.95 ** seeds - seeds * 0.05 * 0.95 ** (seeds - 1))
    many = [k for k, v in outside.items() if len(v) > 1]
    print(f"cells with more than one market outside: {len(many)} of {cells} (a sound band gives {by_chance:.1f}): {sorted(many)}")
    return bad


def planted(work, hours, rows_least, share_least):
    tape, bad = market(work, 11, hours, "0.2@1"), []
    m, truth, rows = study(work, tape, f"data.truth={work}/m.truth.csv")
    attainable, found = float(truth[0]["planted"]), float(truth[0]["found"])
    print(f"planted signal: attainable {attainable:.4f}, found {found:.4f} = {found / attainable:.1%}, {rows} rows out of sample")
    if found < share_least * attainable:
        bad.append("too little of the planted signal was found")
    if rows < rows_least:
        bad.append("too few out-of-sample rows")
    m, _, _ = study(work, tape, "study.shuffle_labels=true")
    v = m["ic"]
    print(f"shuffled labels: IC {v['value']:+.4f}, band of no link {v['null_lo']:+.4f} .. {v['null_hi']:+.4f}")
    if not v["null_lo"] <= v["value"] <= v["null_hi"]:
        bad.append("shuffled labels still predict")
    return bad


with tempfile.TemporaryDirectory(prefix="truth-") as tmp:
    work = pathlib.Path(tmp)
    failed = zero(work, 20, 4, [1, 5, 20]) if FULL else zero(work, 5, 1, [1])
    failed += planted(work, 13, 20000, 0.9) if FULL else planted(work, 4, 10000, 0.8)
print("; ".join(failed) if failed else "all hold")
sys.exit(1 if failed else 0)
