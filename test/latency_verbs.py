#!/usr/bin/env python3
"""Latency models from end to end: `fathom latency fit` on a tape and on recorded stamps, sim.latency.* in a backtest, hostile files.

Each test is a sentence; the last line counts them.
"""
import json, math, os, pathlib, random, shutil, subprocess, sys, tempfile

FATHOM = os.environ.get("FATHOM", "build/fathom")
ROOT = pathlib.Path(__file__).resolve().parent.parent
TAPE = ROOT / "examples/data/btcusdt-20240808.tape"
TMP = pathlib.Path(tempfile.mkdtemp(prefix="fathom-latency-"))
SEED = 20240808
MS = 1_000_000


def run(*args, ok=(0,)):
    p = subprocess.run([FATHOM, *map(str, args)], capture_output=True, text=True)
    assert p.returncode in ok, f"fathom {' '.join(map(str, args))}: exit {p.returncode}: {p.stderr.strip()}"
    return p


def fit(*args):
    return json.loads(run("latency", "fit", *args, "--json").stdout)


def backtest(name, *sets, ok=(0,)):
    args = [x for s in sets for x in ("--set", s)]
    p = run("backtest", ROOT / "examples/btcusdt-tick.yaml", "--set", "data.input=", "--set", f"data.tape={TAPE}", "--set", "strategy.kind=quoter",
            "--set", f"output={TMP / name}", *args, "--force", "--quiet", ok=ok)
    return json.load(open(TMP / name / "result.json")) if p.returncode == 0 else p.stderr


def stamps(name, rows):
    path = TMP / name
    path.write_text("req_ns,venue_ns,resp_ns\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    return path


def orders(n, offset, reject_every=0, start=1723161255000000000, step=400 * MS):
    """Orders whose way takes 2 ms + exponential 1 ms there and 2 ms + exponential 2 ms back; venue stamps `offset` ahead of ours."""
    r, rows = random.Random(SEED), []
    for i in range(n):
        req = start + i * step
        there, back = int((2 + r.expovariate(1)) * MS), int((2 + r.expovariate(0.5)) * MS)
        rows.append((req, 0, req + 200 * MS) if reject_every and i % reject_every == 5 else (req, req + there + offset, req + there + back))
    return rows


def the_recorders_drift_is_measured_and_removing_it_makes_the_distribution_stable():
    one, many = fit(TAPE, "--window", 10000000, "--bands", 1), fit(TAPE, "--window", 30, "--bands", 1)
    assert one["clock_windows"] == 1 and one["clock_offset_ns"] == -1272156851, one["clock_offset_ns"]
    assert -7 < many["clock_drift_ppm"] < -3, many["clock_drift_ppm"]
    by_rate = lambda *w: max(x["ks_table"] for x in fit(TAPE, "--bands", 3, "--window", *w)["legs"])
    assert by_rate(30) < 0.15 < by_rate(10000000), (by_rate(30), by_rate(10000000))
    assert one["legs"][0]["quantiles_ns"][0] == 0


def bands_hold_all_messages_by_rising_rate_and_quantiles_never_fall():
    d = fit(TAPE, "--to", TMP / "feed.csv", "--entry", "2,5", "--response", "0.5,1", "--force")
    assert sum(x["samples"] for x in d["legs"]) == d["messages"] == 21313 + 6551, d["messages"]
    rates = [x["rate_to"] for x in d["legs"]]
    assert len(rates) > 3 and rates == sorted(set(rates))
    lines = [line.split(",") for line in (TMP / "feed.csv").read_text().splitlines()[2:]]
    for leg, text in zip(d["legs"], [x for x in lines if x[0] == "entry"]):
        assert leg["quantiles_ns"] == sorted(leg["quantiles_ns"])
        assert [int(v) for v in text[3:]] == [2 * q + 5 * MS for q in leg["quantiles_ns"]]


def the_offset_of_recorded_stamps_is_half_the_difference_of_the_fastest_ways():
    for offset in (0, 1270 * MS, -90 * MS):
        d = fit(stamps("orders.csv", orders(800, offset, reject_every=50)), "--to", TMP / "orders-fit.csv", "--force")
        assert abs(d["clock_offset_ns"] + offset) < 0.05 * MS, d["clock_offset_ns"]
        assert d["rejected"] == 16 and d["orders"] == 800
        entry, back = d["legs"]
        median = lambda leg: leg["quantiles_ns"][9] / MS
        assert abs(median(entry) - (2 + math.log(2))) < 0.2 and abs(median(back) - (2 + 2 * math.log(2))) < 0.3, (median(entry), median(back))
        assert entry["ks_table"] < 0.12, entry["ks_table"]


def a_backtest_with_a_fitted_model_repeats_bit_for_bit_and_changes_with_the_seed():
    sets = ["sim.latency.model=fitted", f"sim.latency.file={TMP / 'orders-fit.csv'}"]
    a, b, c = backtest("a", *sets), backtest("b", *sets), backtest("c", *sets, "seed=2")
    stage = lambda n: json.load(open(TMP / n / "manifest.json"))["stages"]
    assert stage("a") == stage("b") and stage("a")["fills"] != stage("c")["fills"]
    assert a["net"] == b["net"] and a["fills"] > 100


def a_backtest_interpolates_recorded_stamps_and_rejects_where_the_venue_did():
    path = stamps("recorded.csv", orders(800, 1270 * MS, reject_every=10))
    r = backtest("recorded", "sim.latency.model=recorded", f"sim.latency.file={path}")
    assert r["wire_rejects"] > 20 and r["fills"] > 100, r["wire_rejects"]


def constant_legs_rejects_and_losses_are_configured_and_counted():
    plain = backtest("plain")
    same = backtest("same", "sim.latency.cancel_ms=2", "sim.latency.fill_ms=3")
    assert plain["net"] == same["net"]
    slow = backtest("slow", "sim.latency.cancel_ms=40", "sim.latency.fill_ms=30")
    assert slow["net"] != plain["net"]
    bad = backtest("bad", "sim.latency.reject_rate=0.1", "sim.latency.lost_rate=0.05")
    assert bad["wire_rejects"] > 0 and bad["wire_lost"] > 0 and plain["wire_rejects"] == plain["wire_lost"] == 0


def a_drifting_clock_is_followed_in_a_backtest_and_told():
    r = backtest("clock", "sim.clock_window_s=30")
    assert r["clock_range_ns"] == 1575000 and -7 < r["clock_drift_ppm"] < -3, r
    assert any("drifted" in w for w in json.load(open(TMP / "clock/report.json"))["warnings"])


def every_wrong_file_is_refused_with_its_place_and_a_remedy():
    good = orders(20, 0)
    cases = [
        ("ms.csv", [(a // MS, b // MS, c // MS) for a, b, c in good], "ms.csv:2", "nanoseconds"),
        ("back.csv", [good[5], good[1]], "back.csv:3", "sort by req_ns"),
        ("early.csv", [(good[0][0], good[0][1], good[0][0] - 5)], "early.csv:2", "before its request"),
        ("none.csv", [(a, 0, c) for a, b, c in good], "none.csv", "accepted"),
        ("drift.csv", [good[0], (good[1][0], good[1][1] + 3600 * 1000 * MS, good[1][2])], "drift.csv", "drifted"),
    ]
    for name, rows, place, word in cases:
        err = run("latency", "fit", stamps(name, rows), ok=(3,)).stderr
        assert place in err and word in err, err
    texts = {
        "empty.csv": "", "words.csv": "a,b,c\n1,2,3\n", "cell.csv": "req_ns,venue_ns,resp_ns\n1,x,3\n", "zero.csv": "req_ns,venue_ns,resp_ns\n1\0,2,3\n",
        "short.csv": "# fathom latency fit 1\nway,rate_to,samples\nentry,1,2\n", "half.csv": "# fathom latency fit 1\nway\n",
    }
    for name, text in texts.items():
        (TMP / name).write_text(text)
        assert name in run("latency", "fit", TMP / name, ok=(3,)).stderr
        for model in ("fitted", "recorded"):
            err = backtest("x", f"sim.latency.model={model}", f"sim.latency.file={TMP / name}", ok=(3,))
            assert name in err, err
    falling = (TMP / "orders-fit.csv").read_text().replace("entry,0,", "entry,-1,")
    (TMP / "falling.csv").write_text(falling)
    assert "falling.csv:3" in backtest("x", "sim.latency.model=fitted", f"sim.latency.file={TMP / 'falling.csv'}", ok=(3,))
    assert "no such" in run("latency", "fit", TMP / "absent.csv", ok=(2, 3, 4)).stderr.lower()


def keys_that_do_not_fit_each_other_are_refused():
    assert "needs a sim.latency.file" in backtest("x", "sim.latency.model=fitted", ok=(2,))
    assert "reads no file" in backtest("x", f"sim.latency.file={TMP / 'feed.csv'}", ok=(2,))
    other_day = stamps("other.csv", orders(20, 0, start=1700000000000000000))
    assert "nothing to interpolate" in backtest("x", "sim.latency.model=recorded", f"sim.latency.file={other_day}", ok=(2,))
    assert "needs sim.impact.bps" in backtest("x", "sim.impact.shape=sqrt", ok=(2,))
    assert "only sim.rules = strict" in backtest("x", "sim.impact.half_life_s=1", "sim.rules=anchor", ok=(2,))
    assert "multiple" in backtest("x", "sim.impact.shape=sqrt", "sim.impact.bps=1", "sim.impact.volume=0.00001", ok=(2,))
    assert "--entry" in run("latency", "fit", TAPE, "--entry", "x", ok=(2,)).stderr
    assert "exists" in run("latency", "fit", TAPE, "--to", TMP / "feed.csv", ok=(2,)).stderr


def recorded_latency_under_the_anchor_equals_hftbacktest_fill_for_fill():
    """Expected rows: hftbacktest 2.4.4, hash book, intp_order_latency over these stamps (its axis is the venue's clock), quoter of
    bench/peers/hftbacktest. Its `expired` counts new orders refused on the way, ours are rejects."""
    peer = {
        ("plain", "risk"): (743, 415, 294, 32, -30, "306fb825184ce503"),
        ("plain", "power"): (780, 448, 296, 34, -20, "02da6d3d6bd65cf9"),
        ("reject", "risk"): (753, 402, 291, 58, -20, "85ae3a754ef23f4b"),
        ("reject", "power"): (765, 433, 291, 39, -10, "a415f55137a9a9ca"),
    }
    for name, every in (("plain", 0), ("reject", 60)):
        r, rows, t = random.Random(3), [], 1723161256298000000 - 5 * 10**9
        while t < 1723161601105649435 + 10**9:
            there, back = int((1 + 5 * r.random()) * MS), int((1 + 7 * r.random()) * MS)
            refused = every and len(rows) % every == 7
            rows.append((t, 0, t + int((20 + 100 * r.random()) * MS)) if refused else (t, t + there, t + there + back))
            t += int((200 + 300 * r.random()) * MS)
        path = stamps(f"peer-{name}.csv", rows)
        for queue in ("risk", "power"):
            run("backtest", ROOT / "examples/anchor-quoter.yaml", "--set", f"data.tape={TAPE}", "--set", "sim.latency.model=recorded", "--set",
                f"sim.latency.file={path}", "--set", f"sim.queue={queue}", "--set", f"output={TMP / 'peer'}", "--force", "--quiet")
            got = json.load(open(TMP / "peer/result.json"))
            a = got["anchor"]
            orders, fills, cancels, expired, position, checksum = peer[name, queue]
            assert a["steps"] == 3448 and (a["orders"], a["fills"], a["cancels"]) == (orders, fills, cancels), a
            assert (a["position_lots"], a["checksum"]) == (position, checksum), a
            refused_cancels = a["cancel_requests"] - a["cancels"]
            assert a["expired"] + got["wire_rejects"] - refused_cancels == expired, (a, got["wire_rejects"])


TESTS = [
    the_recorders_drift_is_measured_and_removing_it_makes_the_distribution_stable,
    bands_hold_all_messages_by_rising_rate_and_quantiles_never_fall,
    the_offset_of_recorded_stamps_is_half_the_difference_of_the_fastest_ways,
    a_backtest_with_a_fitted_model_repeats_bit_for_bit_and_changes_with_the_seed,
    a_backtest_interpolates_recorded_stamps_and_rejects_where_the_venue_did,
    recorded_latency_under_the_anchor_equals_hftbacktest_fill_for_fill,
    constant_legs_rejects_and_losses_are_configured_and_counted,
    a_drifting_clock_is_followed_in_a_backtest_and_told,
    every_wrong_file_is_refused_with_its_place_and_a_remedy,
    keys_that_do_not_fit_each_other_are_refused,
]


def main():
    failed = 0
    print(f"seed {SEED}")
    for t in TESTS:
        try:
            t()
            print("ok     ", t.__name__.replace("_", " "))
        except AssertionError as e:
            failed += 1
            print("FAILED ", t.__name__.replace("_", " "), "::", str(e)[:600])
    shutil.rmtree(TMP)
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
