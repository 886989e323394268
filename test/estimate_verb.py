#!/usr/bin/env python3
"""`fathom estimate` gives the published answers on the published tables, and says what is wrong with a bad one."""
import json, os, pathlib, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
PROGRAM = os.environ.get("FATHOM") or ROOT / "build/fathom"
STATS, KNOWN = SHARED / "oracles/stats", SHARED / "data/known"
BARS = "mlfinlab/dollar_bar_sample.csv"

# estimator and options, table, {figure: (answer, tolerance)}
KNOWN_ANSWERS = [
    ("granger --columns realgdp,realcons --transform log-difference --lags 1", STATS / "macrodata.csv", {"f": (2.8807907648, 1e-8), "df_den": (198, 0)}),
    ("granger --columns realgdp,realcons --transform log-difference --lags 2", STATS / "macrodata.csv",
        {"f": (0.243096978, 1e-8), "p": (0.784432758, 1e-8), "df_den": (195, 0)}),
    ("granger --columns realgdp,realcons --transform log-difference --lags 4", STATS / "macrodata.csv", {"f": (1.3208256802, 1e-8), "p": (0.263714216, 1e-8)}),
    ("information-share --columns p1,p2", STATS / "is_in.csv",
        {"share_1_first": (0.9999935567, 1e-9), "share_1_last": (0.9753230397, 1e-9), "component_share_1": (1.0042001, 1e-7)}),
    ("garch", STATS / "dem2gbp.csv",
        {"mu": (-0.00619041, 1e-6), "omega": (0.0107614, 1e-6), "alpha": (0.153134, 1e-5), "beta": (0.805974, 1e-5), "log_likelihood": (-1106.608, 1e-3)}),
    ("dbscan --columns x,y --eps 0.35", STATS / "dbscan.csv", {"clusters": (3, 0), "noise": (48, 0)}),
    ("kyle --columns close,cum_vol", KNOWN / BARS, {"max": (0.000163423, 1e-9), "mean": (7.02e-5, 1e-8)}),
    ("amihud --columns close,cum_dollar", KNOWN / BARS, {"max": (4.057838e-11, 1e-16)}),
    ("hasbrouck --columns close,cum_dollar", KNOWN / BARS, {"max": (3.39527e-7, 1e-12)}),
    ("roll --columns close", KNOWN / BARS, {"max": (7.1584, 1e-4), "mean": (2.341, 1e-3)}),
    ("corwin-schultz --columns high,low", KNOWN / BARS, {"max": (0.01652, 5e-6)}),
    ("vpin --columns close,cum_vol", KNOWN / BARS, {"max": (0.9999745, 5e-8), "mean": (0.501, 5e-4)}),
    ("vpin --columns close,cum_vol --least 20", KNOWN / BARS, {"max": (0.6811, 1e-4), "mean": (0.500, 5e-4)}),
]


def call(*args):
    return subprocess.run([str(PROGRAM), "estimate", *map(str, args)], capture_output=True, text=True)


def known_answers():
    bad = skipped = 0
    for options, table, want in KNOWN_ANSWERS:
        if not table.exists():
            print(f"skipped {options}: {table} is not there")
            skipped += 1
            continue
        name, *rest = options.split()
        p = call(name, table, *rest, "--json")
        got = json.loads(p.stdout) if p.returncode == 0 else {}
        wrong = {k: got.get(k) for k, (answer, near) in want.items() if k not in got or abs(got[k] - answer) > near}
        bad += bool(wrong)
        print(f"{'DIFFERS' if wrong else 'equal  '} {options} {wrong or ''} {p.stderr.strip()}")
    return bad, skipped


def refused(work):
    """arguments, exit code, words that must be in the message"""
    table = work / "t.csv"
    table.write_text("a,b\n" + "".join(f"{i},{i * i % 7}\n" for i in range(60)))
    torn = work / "torn.csv"
    torn.write_text("a,b\n1,2\n3,x\n")
    cases = [
        (["garh", table], 2, "did you mean garch"),
        (["garch", table, "--columns", "c"], 2, "no column c; its first line reads: a, b"),
        (["roll", table, "--columns", "a,b"], 2, "takes 1 column"),
        (["granger", torn, "--columns", "a,b"], 3, "line 3, column b: x is no number"),
        (["granger", work / "none.csv", "--columns", "a,b"], 4, "none.csv"),
        (["roll", table, "--transform", "square"], 2, "log-difference"),
        (["roll", table, "--transform", "log"], 3, "row 1: 0 has no logarithm"),
        (["granger", table, "--columns", "a,a"], 3, "no answer"),
        (["kyle", table, "--columns", "1,2", "--window", "100"], 3, "60 rows: kyle needs at least 102"),
    ]
    bad = 0
    for args, code, words in cases:
        p = call(*args)
        ok = p.returncode == code and words in p.stderr and not p.stdout
        bad += not ok
        print(f"{'refused' if ok else 'WRONG  '} {' '.join(map(str, args[:1]))}: exit {p.returncode}: {p.stderr.strip()}")
    return bad


def main():
    with tempfile.TemporaryDirectory(prefix="estimate-") as tmp:
        bad, skipped = known_answers()
        bad += refused(pathlib.Path(tmp))
    print(f"{len(KNOWN_ANSWERS) - skipped} published answers, {skipped} skipped, {bad} wrong")
    sys.exit(1 if bad else 0)


main()
