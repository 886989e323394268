#!/usr/bin/env python3
"""`fathom book` and `fathom vclock` on generated recordings: known final books, faults, damage, conservation.

Each test is a sentence; the last line counts them.
"""
import csv, decimal, io, json, os, pathlib, shutil, subprocess, sys, tempfile

FATHOM = os.environ.get("FATHOM", "build/fathom")
TMP = pathlib.Path(tempfile.mkdtemp(prefix="fathom-book-"))
SEED = "20240808"
D = decimal.Decimal


def run(*args, ok=(0,)):
    p = subprocess.run([FATHOM, *map(str, args)], capture_output=True, text=True)
    assert p.returncode in ok, f"fathom {' '.join(map(str, args))}: exit {p.returncode}: {p.stderr.strip()}"
    return p


def js(*args, ok=(0,)):
    return json.loads(run(*args, "--json", ok=ok).stdout)


def market(name, *options):
    """A generated recording as a tape; returns (tape, truth)."""
    raw = TMP / f"{name}.gz"
    run("generate", raw, "--seed", SEED, "--hours", "0.1", *options)
    run("import", raw, "--to", TMP / name, ok=(0, 3))
    return TMP / name, json.loads((TMP / f"{name}.truth.json").read_text())


def book(tape, *options):
    return js("book", tape, *options)["instruments"][0]


def the_final_book_is_the_generators():
    tape, truth = market("plain")
    b = book(tape)
    assert b["state"] == "SYNCED" and b["update_id"] == truth["book"]["update_id"]
    assert b["best_bid"] == truth["book"]["best_bid"] and b["best_ask"] == truth["book"]["best_ask"]
    assert b["gaps"] == b["crossed"] == b["resyncs"] == 0
    assert b["ticker_checked"] == b["ticker_equal"] > 1000
    assert b["trades"] == truth["trades"] and b["depth_messages"] == truth["depth_messages"]


def a_doubled_and_a_non_market_message_change_nothing():
    want = book(TMP / "plain")
    for fault in ("dup", "nonmarket"):
        b = book(market(fault, "--fault", fault)[0])
        assert (b["hash"], b["gaps"]) == (want["hash"], 0), fault
    assert b["non_market_trades"] == 1 and b["trades"] == want["trades"]


def a_lost_a_late_and_a_crossing_message_are_gaps_that_heal():
    want = book(TMP / "plain")
    for fault in ("gap", "reorder", "crossed"):
        tape, truth = market(fault, "--fault", fault)
        b = book(tape)
        assert (b["state"], b["gaps"], b["resyncs"]) == ("SYNCED", 1, 1), (fault, b)
        assert (b["hash"], b["crossed"]) == (want["hash"], int(fault == "crossed")), (fault, b)
        at = truth["faults"][0]["local_ns"]
        assert book(tape, "--at", at - 1)["state"] == "SYNCED"


def depth_rows_are_the_best_levels_outward():
    b = book(TMP / "plain", "--depth", "5")
    for side, sign in (("bid", -1), ("ask", 1)):
        rows = [r for r in b["depth"] if r["side"] == side]
        assert {k: rows[0][k] for k in ("px", "qty")} == b[f"best_{side}"]
        prices = [sign * D(r["px"]) for r in rows]
        assert prices == sorted(prices) and len(set(prices)) == len(rows) <= 5
    assert book(TMP / "plain")["depth"] == []
    text = run("book", TMP / "plain", "--depth", "2").stdout
    assert "SYNCED" in text and b["best_bid"]["px"] in text


def the_book_before_the_first_event_is_empty():
    b = book(TMP / "plain", "--at", 1)
    assert (b["state"], b["best_bid"], b["bids"], b["update_id"]) == ("EMPTY", None, 0, 0)


def segment(tape):
    return max((f for f in tape.rglob("*") if f.is_file()), key=lambda f: f.stat().st_size)


def a_torn_tail_gives_the_book_before_it_and_says_so():
    tape = TMP / "cut"
    shutil.copytree(TMP / "plain", tape)
    raw = segment(tape).read_bytes()
    segment(tape).write_bytes(raw[: len(raw) * 2 // 3])
    p = run("book", tape, "--json")
    b = json.loads(p.stdout)["instruments"][0]
    assert "torn" in p.stderr and b["state"] in ("SYNCED", "EMPTY") and b["gaps"] == 0
    assert "torn" in run("vclock", "info", tape).stderr


def damage_in_the_middle_is_exit_3_and_quarantine_shows_the_gap():
    tape = TMP / "damaged"
    shutil.copytree(TMP / "plain", tape)
    raw = bytearray(segment(tape).read_bytes())
    raw[len(raw) // 2] ^= 0x10
    segment(tape).write_bytes(raw)
    p = run("book", tape, ok=(3,))
    assert p.stdout == "" and p.stderr.strip()
    run("vclock", "info", tape, ok=(3,))
    js("book", tape, "--quarantine")


def wrong_usage_is_exit_2():
    for args in (("book",), ("book", TMP / "plain", "--depth", "0"), ("book", TMP / "plain", "--at", "x"),
                 ("vclock", "info", TMP / "plain", "--bucket", "volume=0"),
                 ("vclock", "info", TMP / "plain", "--bucket", "volume=0.00000001"),
                 ("vclock", "run", TMP / "plain", "--bucket", "time=1,limit=3")):
        p = run(*args, ok=(2,))
        assert p.stdout == "" and p.stderr.strip(), args
    run("book", TMP / "none", ok=(4,))


def buckets_hold_exactly_the_trades_of_the_tape():
    info = js("tape", "info", TMP / "plain")["instruments"][0]
    for spec in ("time=1", "time=0.25", "volume=20", "volume=50,limit=10", "count=40", "update=100"):
        v = js("vclock", "info", TMP / "plain", "--bucket", spec)["instruments"][0]
        assert v["conserved"] and v["ids_rising"] and v["buckets"] > 10, (spec, v)
        assert D(v["volume"]) == D(info["trade_volume"]) and v["trades"] == info["trades"], spec
        assert D(v["buy_volume"]) == D(info["taker_buy_volume"]), spec
        assert sum(v["triggers"].values()) == v["buckets"]


def the_table_is_the_summary_and_its_rows_touch():
    out = TMP / "buckets.csv"
    v = js("vclock", "run", TMP / "plain", "--bucket", "volume=20,limit=5", "--to", out)["instruments"][0]
    rows = list(csv.DictReader(out.open()))
    assert len(rows) == v["buckets"] and sum(D(r["volume"]) for r in rows) == D(v["volume"])
    for a, b in zip(rows, rows[1:]):
        assert int(b["id"]) == int(a["id"]) + 1 and a["close_ns"] == b["open_ns"]
        assert int(a["close_ns"]) - int(a["open_ns"]) <= 5 * 10**9
    run("vclock", "run", TMP / "plain", "--to", out, ok=(2,))  # it exists
    again = run("vclock", "run", TMP / "plain", "--bucket", "volume=20,limit=5").stdout
    assert again == out.read_text()
    doc = js("vclock", "run", TMP / "plain", "--bucket", "volume=20,limit=5")
    assert len(doc["rows"]) == len(rows) and doc["instruments"][0]["hash"] == v["hash"]
    assert [r["close"] or "" for r in doc["rows"]] == [r["close"] for r in csv.DictReader(io.StringIO(again))]


def buckets_finer_than_the_bars_are_refused():
    bars = TMP / "AAAUSDT-1m-2024-01.csv"
    lines = ["open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
             "taker_buy_quote_volume,ignore"]
    for i in range(60):
        t = 1704067200000 + i * 60000
        lines.append(f"{t},10.0,10.5,9.5,10.1,{i + 1}.5,{t + 59999},{i + 1}0.25,{i},{i}.25,{i}.5,0")
    bars.write_text("\n".join(lines) + "\n")
    run("import", bars, "--to", TMP / "bars")
    v = js("vclock", "info", TMP / "bars", "--bucket", "time=300")["instruments"][0]
    assert v["buckets"] == 12 and v["conserved"] and v["triggers"] == {"kline": 12}
    assert D(v["volume"]) == sum(D(i) + D("1.5") for i in range(60))
    p = run("vclock", "info", TMP / "bars", "--bucket", "time=1", ok=(2,))
    assert "60 s" in p.stderr


TESTS = [the_final_book_is_the_generators, a_doubled_and_a_non_market_message_change_nothing,
         a_lost_a_late_and_a_crossing_message_are_gaps_that_heal, depth_rows_are_the_best_levels_outward,
         the_book_before_the_first_event_is_empty, a_torn_tail_gives_the_book_before_it_and_says_so,
         damage_in_the_middle_is_exit_3_and_quarantine_shows_the_gap, wrong_usage_is_exit_2,
         buckets_hold_exactly_the_trades_of_the_tape, the_table_is_the_summary_and_its_rows_touch,
         buckets_finer_than_the_bars_are_refused]


def main():
    failed = 0
    for test in TESTS:
        try:
            test()
        except Exception as e:  # the next test still says something
            failed += 1
            print(f"FAILED {test.__name__}: {type(e).__name__}: {e}")
    shutil.rmtree(TMP, ignore_errors=True)
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
