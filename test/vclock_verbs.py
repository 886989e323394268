#!/usr/bin/env python3
"""The volume clock from end to end on generated markets: calibration, durations, adaptive cut, online width on the tape, reference,
configuration file in every verb that takes it, memory.

  test/vclock_verbs.py [HOURS]     (default 2; 24 is the full form and takes a few minutes)

Each test is a sentence; the last line counts them.
"""
import csv, decimal, json, os, pathlib, resource, shutil, subprocess, sys, tempfile

FATHOM = os.environ.get("FATHOM", "build/fathom")
TMP = pathlib.Path(tempfile.mkdtemp(prefix="fathom-vclock-"))
HOURS = sys.argv[1] if len(sys.argv) > 1 else "2"
D = decimal.Decimal


def run(*args, ok=(0,)):
    p = subprocess.run([FATHOM, *map(str, args)], capture_output=True, text=True)
    assert p.returncode in ok, f"fathom {' '.join(map(str, args))}: exit {p.returncode}: {p.stderr.strip()}"
    return p


def js(*args, ok=(0,)):
    return json.loads(run(*args, "--json", ok=ok).stdout)


def market(name, seed, hours, *options):
    raw = TMP / f"{name}.gz"
    run("generate", raw, "--seed", seed, "--hours", hours, "--quiet", *options)
    run("import", raw, "--to", TMP / name, "--quiet", ok=(0, 3))
    raw.unlink()
    return TMP / name


def one(*args):
    return js("vclock", *args)["instruments"][0]


def make():
    """Two hours of one day calibrate; the long market runs with what they say."""
    before = market("before", 5, 2)
    run("vclock", "calibrate", before, "--to", TMP / "buckets.csv", "--valid-from", 1, "--valid-days", 3660, "--quiet")
    market("long", 6, HOURS)


def rows(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def calibrated_sizes_equal_quantiles_recomputed_from_minutes():
    table = {(r["session"], r["mode"]): r for r in rows(TMP / "buckets.csv")}
    d = js("vclock", "calibrate", TMP / "before", "--valid-from", 1, "--valid-days", 3660)
    assert [r["size"] for r in d["rows"]] == [r["size"] for r in rows(TMP / "buckets.csv")]
    run("vclock", "run", TMP / "before", "--bucket", "time=60", "--to", TMP / "minutes.csv", "--quiet")
    minutes = [r for r in rows(TMP / "minutes.csv")[1:] if r["trigger"] == "time"]
    volumes, counts = sorted(D(r["volume"]) for r in minutes), sorted(int(r["trades"]) for r in minutes)
    n = len(minutes)
    assert n >= 100 and int(table["all", "volume"]["samples"]) == n
    median = volumes[(n + 1) // 2 - 1]
    assert abs(D(table["all", "volume"]["size"]) - median / 2) <= D("0.001"), (table["all", "volume"], median)
    assert abs(int(table["all", "count"]["size"]) - counts[(n + 1) // 2 - 1] / 2) <= 1
    assert table["all", "volume"]["tier"] == "high" and median / 60 > 10
    for r in table.values():
        assert D(r["least"]) <= D(r["size"]) <= D(r["most"])


def too_few_samples_write_nothing_and_rows_are_kept_beside_new_ones():
    short = market("short", 9, "0.5", "--symbol", "OTHERUSDT")
    p = run("vclock", "calibrate", short, "--to", TMP / "none.csv", ok=(3,))
    assert "100" in p.stderr and not (TMP / "none.csv").exists()
    shutil.copy(TMP / "buckets.csv", TMP / "both.csv")
    run("vclock", "calibrate", short, "--sample", 10, "--to", TMP / "both.csv")
    assert {r["symbol"] for r in rows(TMP / "both.csv")} == {"SIMUSDT", "OTHERUSDT"}
    (TMP / "bad.csv").write_text("no,configuration\n")
    run("vclock", "calibrate", short, "--sample", 10, "--to", TMP / "bad.csv", ok=(3,))
    assert (TMP / "bad.csv").read_text() == "no,configuration\n"


def a_calibrated_clock_has_a_median_of_25_to_35_s_and_a_p90_below_60_s():
    v = one("info", TMP / "long", "--bucket-config", TMP / "buckets.csv", "--bucket", "volume=config,fallback=5")
    d = v["duration_s"]
    print(f"  {HOURS} h: {v['buckets']} buckets, p50 {d['p50']:.1f} s, p90 {d['p90']:.1f} s, longest {d['max']:.1f} s")
    assert 25 <= d["p50"] <= 35 and d["p90"] < 60, d
    assert v["conserved"] and v["ids_rising"] and v["health"]["ids_out_of_order"] == 0
    assert v["health"]["level"] == "ok" and v["health"]["switches"] == 0


def adaptive_buckets_last_at_least_their_share():
    v = one("info", TMP / "long", "--bucket-config", TMP / "buckets.csv", "--bucket", "adaptive=config,trades=200")
    assert v["duration_s"]["p50"] >= 24 and v["duration_s"]["p90"] < 60 and v["conserved"], v["duration_s"]
    run("vclock", "run", TMP / "long", "--bucket", v["bucket"], "--to", TMP / "adaptive.csv", "--quiet")
    table = rows(TMP / "adaptive.csv")[:-1]
    assert all(int(r["close_ns"]) - int(r["open_ns"]) >= 24 * 10**9 for r in table)
    assert {r["trigger"] for r in table} <= {"quality", "ready", "limit"}


def decisions_of_an_online_width_stand_on_the_tape_and_replay_to_the_same_hash():
    spec = ["--bucket-config", TMP / "buckets.csv", "--bucket", "volume=config,online"]
    a = js("vclock", "run", TMP / "long", *spec, "--to", TMP / "a.csv", "--record", TMP / "recorded")["instruments"][0]
    b = one("run", TMP / "recorded", *spec, "--to", TMP / "b.csv")
    assert a["hash"] == b["hash"] and (TMP / "a.csv").read_bytes() == (TMP / "b.csv").read_bytes()
    widths = a["health"]["widths"]
    assert widths >= 20 and b["health"]["widths_taken"] == 0
    more = js("tape", "info", TMP / "recorded")["events"] - js("tape", "info", TMP / "long")["events"]
    assert more == widths, (more, widths)
    c = js("vclock", "run", TMP / "recorded", *spec, "--to", TMP / "c.csv", "--record", TMP / "twice")["instruments"][0]
    assert c["hash"] == a["hash"] and js("tape", "info", TMP / "twice")["hash"] == js("tape", "info", TMP / "recorded")["hash"]
    assert js("tape", "verify", TMP / "recorded")["valid"]


def a_followed_instrument_has_the_ids_and_times_of_its_reference():
    market("one", 11, "0.3")
    market("two", 12, "0.3", "--symbol", "FOLLOWUSDT")
    run("tape", "merge", TMP / "one", TMP / "two", "--out", TMP / "pair")
    run("vclock", "run", TMP / "pair", "--bucket", "volume=100,limit=60", "--reference", "SIMUSDT", "--to", TMP / "pair.csv")
    table = rows(TMP / "pair.csv")
    lead = {r["id"]: r["close_ns"] for r in table if r["symbol"] == "SIMUSDT" and r["trigger"] != "end"}
    other = [r for r in table if r["symbol"] == "FOLLOWUSDT" and r["trigger"] != "end"]
    assert len(other) > 50 and {r["trigger"] for r in other} == {"reference"}
    assert all(lead[r["id"]] == r["close_ns"] for r in other)
    assert all(i["conserved"] for i in js("vclock", "info", TMP / "pair", "--bucket", "volume=100", "--reference", "SIMUSDT")["instruments"])
    run("vclock", "info", TMP / "pair", "--bucket", "volume=100", "--reference", "NOUSDT", ok=(2,))
    run("vclock", "info", TMP / "pair", "--bucket", "reference", ok=(2,))


def every_verb_takes_the_configuration_and_a_run_records_what_it_resolved_to():
    tape, cfg = market("half", 7, "0.3"), TMP / "buckets.csv"
    want = one("info", tape, "--bucket-config", cfg)
    f = js("features", "run", tape, "--bucket-config", cfg, "--set", "core")
    assert f["bucket"] == want["bucket"] and f["rows"] == want["buckets"] - 1
    d = js("dataset", tape, "--to", TMP / "data", "--bucket-config", cfg)
    assert d["bucket"] == want["bucket"] and d["rows"] == want["buckets"] - 1
    r = js("backtest", "--set", f"data.tape={tape}", "--set", f"bucket.config={cfg}", "--to", TMP / "run", "--quiet")
    assert r["buckets"] == want["buckets"] - 1, (r["buckets"], want["buckets"])
    text = (TMP / "run/config.yaml").read_text()
    assert want["bucket"] in text and str(cfg) not in text
    run("verify", TMP / "run")


def a_missing_configuration_falls_back_to_time_buckets_and_says_so():
    p = run("vclock", "info", TMP / "half", "--bucket-config", TMP / "gone.csv", "--json")
    assert "missing" in p.stderr and json.loads(p.stdout)["instruments"][0]["bucket"] == "time=30"
    table = (TMP / "buckets.csv").read_text().replace(f",{1 + 3660 * 86400 * 10**9}\n", ",2\n")
    (TMP / "old.csv").write_text(table)
    p = run("vclock", "info", TMP / "half", "--bucket-config", TMP / "old.csv", "--json")
    assert "expired" in p.stderr and json.loads(p.stdout)["instruments"][0]["bucket"].startswith("volume=")


def a_silence_switches_to_time_buckets_and_ten_complete_ones_bring_the_clock_back():
    """Trades of 1 a second, 800 s of nothing, then the same again: switch 300..310 s after the last bucket, back after 10."""
    path, t0 = TMP / "BTCUSDT-trades-2024-08-08.csv", 1723075200000
    seconds = [*range(600), *range(1400, 2000)]
    with open(path, "w") as f:
        f.write("id,price,qty,quote_qty,time,is_buyer_maker\n")
        for i, s in enumerate(seconds):
            f.write(f"{i + 1},60000.0,1.000,60000.0,{t0 + 1000 * s},{'true' if i % 2 else 'false'}\n")
    run("import", path, "--to", TMP / "silence", "--quiet")
    v = one("info", TMP / "silence", "--bucket", "volume=30,fallback=5")
    h = v["health"]
    assert h["switches"] == 1 and h["returns"] == 1 and not h["degraded"] and h["lag_degrades"] >= 1, h
    assert v["triggers"]["switch"] == 1 and v["conserved"] and v["ids_rising"]
    run("vclock", "run", TMP / "silence", "--bucket", "volume=30,fallback=5", "--to", TMP / "silence.csv", "--quiet")
    table = rows(TMP / "silence.csv")
    at = next(i for i, r in enumerate(table) if r["trigger"] == "switch")
    last = int(table[at - 1]["close_ns"])
    assert 300 * 10**9 < int(table[at]["close_ns"]) - last <= 310 * 10**9
    back = next(i for i, r in enumerate(table) if i > at and r["trigger"] == "volume")
    # the own bucket that reaches back into the silence is not complete: 30 s, then ten of 30 s
    assert 330 <= (int(table[back]["open_ns"]) - (t0 + 1400 * 1000) * 10**6) / 10**9 <= 336, table[back]


def memory_stays_below_100_mb():
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    child = subprocess.Popen([FATHOM, "vclock", "info", str(TMP / "long"), "--bucket", "volume=300,fallback=5", "--quiet"],
                             stdout=subprocess.DEVNULL)
    _, status, use = os.wait4(child.pid, 0)
    print(f"  {HOURS} h: {use.ru_maxrss / 1024:.1f} MB of the clock's pass over the tape (largest of all commands: {peak:.0f} MB)")
    assert status == 0 and use.ru_maxrss < 100 * 1024


TESTS = [calibrated_sizes_equal_quantiles_recomputed_from_minutes, too_few_samples_write_nothing_and_rows_are_kept_beside_new_ones,
         a_calibrated_clock_has_a_median_of_25_to_35_s_and_a_p90_below_60_s, adaptive_buckets_last_at_least_their_share,
         decisions_of_an_online_width_stand_on_the_tape_and_replay_to_the_same_hash,
         a_followed_instrument_has_the_ids_and_times_of_its_reference,
         every_verb_takes_the_configuration_and_a_run_records_what_it_resolved_to,
         a_missing_configuration_falls_back_to_time_buckets_and_says_so,
         a_silence_switches_to_time_buckets_and_ten_complete_ones_bring_the_clock_back, memory_stays_below_100_mb]


def main():
    failed = 0
    make()
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
