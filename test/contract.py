#!/usr/bin/env python3
"""The command line as others call it: verbs, JSON keys and exit codes, on a small generated market."""
import json, os, pathlib, subprocess, sys, tempfile

FATHOM = os.environ.get("FATHOM", "build/fathom")
VERBS = """doctor|generate|import|tape info|tape verify|tape cut|tape merge|tape export|book|vclock run|vclock info
features list|features explain|features run|dataset|train|models list|models show|models verify|backtest|run|fills
report|verify|show-config|bench""".replace("\n", "|").split("|")
REASONS = {"bad_price", "price_jump", "duplicate_id", "id_gap", "latency_outlier", "receive_before_event", "malformed"}
good = bad = 0


def hold(what, truth, seen=""):
    global good, bad
    good, bad = good + bool(truth), bad + (not truth)
    if not truth:
        print(f"{what}: does not hold {seen}")


def run(*args, code=0):
    r = subprocess.run([FATHOM, *map(str, args)], capture_output=True, text=True)
    hold(f"fathom {' '.join(map(str, args))}: exit {code}", r.returncode == code, f"({r.returncode}: {r.stderr[-200:]})")
    return r


def document(*args, code=0):
    r = run(*args, "--json", code=code)
    try:
        return json.loads(r.stdout)
    except ValueError:
        hold(f"fathom {' '.join(map(str, args))} --json prints one document", False, r.stdout[:80])
        return {}


def keys(what, d, wanted):
    missing = set(wanted) - set(d)
    hold(f"keys of {what}", not missing, f"missing: {sorted(missing)}")


def decimal_text(what, v):
    hold(f"{what} is a decimal string", isinstance(v, str) and v.replace(".", "").replace("-", "").isdigit(), repr(v))


def check_import(work):
    market, tape = work / "m.gz", work / "m.tape"
    run("generate", market, "--seed", 11, "--hours", 0.05)
    d = document("import", market, "--to", tape)
    keys("import", d, ["tape", "lines", "events", "rejected", "non_market_trades", "local_unit", "hash"])
    hold("rejected counts the known reasons", REASONS >= set(d.get("rejected", {})), d.get("rejected"))
    return tape, d


def check_tape(tape, imported):
    d = document("tape", "info", tape)
    keys("tape info", d, ["events", "bytes", "bytes_per_event", "first_local_ns", "last_local_ns", "hash", "instruments"])
    hold("import and info agree", d.get("events") == imported.get("events") and d.get("hash") == imported.get("hash"))
    one = (d.get("instruments") or [{}])[0]
    keys("an instrument", one, ["venue", "symbol", "tick_size", "lot_size", "trades", "trade_volume", "trade_value",
         "taker_buy_volume", "depth_messages", "depth_levels", "book_tickers", "mark_prices", "liquidations"])
    for key in ("tick_size", "lot_size", "trade_volume", "trade_value", "taker_buy_volume"):
        decimal_text(key, one.get(key))
    d = document("tape", "verify", tape)
    keys("tape verify", d, ["valid", "events", "torn_bytes", "damaged"])
    hold("a fresh tape is valid", d.get("valid") is True and d.get("torn_bytes") == 0 and d.get("damaged") == [])


def check_book(tape):
    d = document("book", tape, "--depth", 3)
    one = (d.get("instruments") or [{}])[0]
    keys("book", one, ["venue", "symbol", "state", "update_id", "bids", "asks", "best_bid", "best_ask", "gaps", "resyncs",
         "crossed", "checksum_checked", "checksum_equal", "ticker_checked", "ticker_equal", "depth"])
    decimal_text("best bid", one.get("best_bid", {}).get("px"))
    decimal_text("best ask size", one.get("best_ask", {}).get("qty"))


def check_features(tape, work):
    listed = document("features", "list")
    for row in listed:
        if {"name", "family", "unit", "warmup", "window", "needs", "source", "version"} - set(row):
            keys(f"feature {row.get('name')}", row, ["name", "family", "unit", "warmup", "window", "needs", "source", "version"])
    hold("at least 120 features with unique names", len({r["name"] for r in listed}) == len(listed) >= 120, len(listed))
    out = work / "f.npy"
    d = document("features", "run", tape, "--to", out)
    keys("features run", d, ["rows", "columns", "signature", "hash", "missing"])
    head = out.read_bytes()[:128] if out.exists() else b""
    hold("the matrix is <f4 in C order", b"'<f4'" in head and b"'fortran_order': False" in head)
    shape = f"({d.get('rows')}, {d.get('columns')})".encode()
    hold("the matrix has the told shape", shape in head, head)


def main():
    for verb in VERBS:
        r = subprocess.run([FATHOM, *verb.split(), "--help"], capture_output=True, text=True)
        hold(f"fathom {verb} --help", r.returncode == 0 and "xample" in r.stdout and f"fathom {verb}" in r.stdout)
    d = document("doctor")
    hold("doctor has findings", d.get("findings"))
    with tempfile.TemporaryDirectory(prefix="fathom-contract-") as folder:
        work = pathlib.Path(folder)
        tape, imported = check_import(work)
        check_tape(tape, imported)
        check_book(tape)
        check_features(tape, work)
    run("bakctest", code=2)
    run("tape", "info", "/nonexistent.tape", code=4)
    print(f"{good} passed, {bad} failed")
    return 1 if bad else 0


sys.exit(main())
