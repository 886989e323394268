#!/usr/bin/env python3
"""External series from file to feature: `fathom import --format series`, tape info, merge, export, features run.

Each test is a sentence; the last line counts them. The join is compared with a naive bitemporal one in Python.
"""
import csv, json, os, pathlib, random, struct, subprocess, sys, tempfile

FATHOM = os.environ.get("FATHOM", "build/fathom")
SHARED = pathlib.Path(__file__).resolve().parent.parent / "../shared"
TMP = pathlib.Path(tempfile.mkdtemp(prefix="fathom-series-"))
SEED = 77


def run(*args, ok=(0,)):
    p = subprocess.run([FATHOM, *map(str, args)], capture_output=True, text=True)
    assert p.returncode in ok, f"fathom {' '.join(map(str, args))}: exit {p.returncode}: {p.stderr.strip()}"
    return p


def js(*args, ok=(0,)):
    return json.loads(run(*args, "--json", ok=ok).stdout)


def market():
    """A generated market, made once."""
    path = TMP / "market"
    if not path.exists():
        run("generate", TMP / "raw.gz", "--seed", SEED, "--hours", "0.2")
        run("import", TMP / "raw.gz", "--to", path)
    return path


def table(rows, name, desc):
    (TMP / f"{name}.csv").write_text("t,pub,v\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    (TMP / f"{name}.yaml").write_text(desc)
    return js("import", TMP / f"{name}.csv", "--format", "series", "--series", TMP / f"{name}.yaml", "--to", TMP / name)


def npy(path):
    b = path.read_bytes()
    n = struct.unpack("<H", b[8:10])[0]
    head = eval(b[10:10 + n])  # numpy's own header: a dict of literals
    rows, columns = head["shape"]
    return [struct.unpack_from(f"<{columns}f", b, 10 + n + 4 * columns * i) for i in range(rows)]


def random_rows(r, first, last):
    """(event, publish, value), revisions and late points among them; ns."""
    rows, newest = [], first - 10**9
    for _ in range(300):
        pub = r.randrange(first, last)
        rows.append([None, pub, round(r.uniform(-50, 50), 2)])
    rows.sort(key=lambda x: x[1])
    events = []
    for row in rows:
        if events and r.random() < 0.3:
            row[0] = r.choice(events)
        else:
            row[0] = min(row[1], newest + r.randrange(1, 10**9))
            events.append(row[0])
        newest = max(newest, row[0])
    return [row for i, row in enumerate(rows) if i == 0 or (row[0], row[1]) != (rows[i - 1][0], rows[i - 1][1])]


def a_joined_value_is_the_newest_that_was_published_and_no_later_revision():
    info = js("tape", "info", market())
    first, last = info["first_local_ns"], info["last_local_ns"]
    rows = random_rows(random.Random(SEED), first, last)
    asset = info["instruments"][0]["symbol"].removesuffix("USDT")
    report = table(rows, "sopr", f"series:\n- {{name: sopr, asset: {asset}, value: v, event_time: t, publish_time: pub}}\n")
    assert report["events"] == len(rows) and not any(report["rejected"].values()), report
    run("tape", "merge", market(), TMP / "sopr", "--out", TMP / "both")
    run("features", "run", TMP / "both", "--set", "chain_sopr+chain_sopr_change_e2+time_to_day_end_s",
        "--bucket", "time=5", "--to", TMP / "f.npy")
    got, day = npy(TMP / "f.npy"), 86400 * 10**9
    assert len(got) > 100
    close = (first // (5 * 10**9) + 1) * 5 * 10**9
    compared = 0
    for value, change, left in got:
        assert abs((day - close % day) / 1e9 - left) < 0.01, (close, left)  # the row of this close
        known = {}
        for t, pub, v in rows:
            if pub < close and t >= rows[0][0]:
                known[t] = v
        if known:
            times = sorted(known)
            assert value == struct.unpack("f", struct.pack("f", known[times[-1]]))[0], (close, value)
            if len(times) > 1:
                assert abs(change - (known[times[-1]] - known[times[-2]])) < 1e-4
                compared += 1
        else:
            assert value != value
        close += 5 * 10**9
    assert compared > 100, compared


def a_series_of_another_asset_is_not_joined():
    info = js("tape", "info", market())
    t = info["first_local_ns"]
    table([(t, t, 1)], "eth", "series:\n- {name: mvrv, asset: ETH, value: v, event_time: t, publish_time: pub}\n")
    table([(t, t, 1)], "all", "series:\n- {name: mvrv, value: v, event_time: t, publish_time: pub}\n")
    for name, missing in (("eth", 1.0), ("all", 0.0)):
        run("tape", "merge", market(), TMP / name, "--out", TMP / f"with-{name}")
        f = js("features", "run", TMP / f"with-{name}", "--set", "chain_mvrv", "--bucket", "time=10", "--to", TMP / f"{name}.npy")
        assert f["missing"]["chain_mvrv"] == missing, (name, f["missing"])


def a_market_gives_the_same_buckets_and_features_with_a_series_beside_it():
    a_series_of_another_asset_is_not_joined() if not (TMP / "with-all").exists() else None
    alone = js("features", "run", market(), "--set", "core", "--bucket", "time=1", "--to", TMP / "a.npy")
    both = js("features", "run", TMP / "with-all", "--set", "core", "--bucket", "time=1", "--to", TMP / "b.npy")
    assert (alone["rows"], alone["hash"]) == (both["rows"], both["hash"])


def the_dictionary_of_a_tape_lists_its_series():
    report = table([(1704067200, 1704153600, "5.8e20"), (1704067200, 1704240000, "5.9e20")], "hash",
                   "series:\n- {name: hash_rate, asset: BTC, unit: 1/s, value: v, event_time: t, publish_time: pub}\n")
    assert report["series"][0]["revisions"] == 1
    info = js("tape", "info", TMP / "hash")
    assert info["instruments"] == [] and info["series"] == [{"name": "hash_rate", "asset": "BTC", "unit": "1/s", "values": 2,
        "revisions": 1, "first_event_ns": 1704067200 * 10**9, "last_event_ns": 1704067200 * 10**9}], info
    assert js("tape", "verify", TMP / "hash")["valid"]
    run("tape", "export", TMP / "hash", "--to", TMP / "hash-out.csv", "--format", "csv")
    rows = list(csv.DictReader((TMP / "hash-out.csv").open()))
    assert [(r["kind"], float(r["px"]), r["qty"]) for r in rows] == [("external", 5.8e20, "0"), ("external", 5.9e20, "1")], rows


def the_image_of_the_book_is_the_book_of_each_close():
    run("dataset", market(), "--to", TMP / "image", "--bucket", "time=10", "--set", "book_spread_bps+book_imbalance_l5", "--tensor", "book")
    b = (TMP / "image/book.npy").read_bytes()
    n = struct.unpack("<H", b[8:10])[0]
    rows, levels, channels = eval(b[10:10 + n])["shape"]
    assert (levels, channels) == (20, 4) and len(b) == 10 + n + 4 * rows * 80
    wanted, compared = npy(TMP / "image/features.npy"), 0
    assert rows == len(wanted) > 50
    for i, (spread, imbalance) in enumerate(wanted):
        image = struct.unpack_from("<80f", b, 10 + n + 320 * i)
        if spread != spread:
            assert image[0] != image[0]
            continue
        bid, ask = sum(image[4 * k + 2] for k in range(5)), sum(image[4 * k + 3] for k in range(5))
        assert abs(image[1] - image[0] - spread) < 1e-3 * spread, (image[:4], spread)
        assert abs((bid - ask) / (bid + ask) - imbalance) < 1e-5
        assert all(image[4 * k] > image[4 * k + 4] and image[4 * k + 1] < image[4 * k + 5] for k in range(4))
        compared += 1
    assert compared > 50
    manifest = json.loads((TMP / "image/manifest.json").read_text())
    assert len(manifest["files"]["book.npy"]) == 16
    assert "book" in run("dataset", market(), "--to", TMP / "image2", "--tensor", "heat", ok=(2,)).stderr


def a_wrong_call_says_what_to_do():
    (TMP / "x.csv").write_text("t,v\n1704067200,1\n")
    (TMP / "x.yaml").write_text("series:\n- {name: sopr, value: v, event_time: t}\n")
    p = run("import", TMP / "x.csv", "--format", "series", "--series", TMP / "x.yaml", "--to", TMP / "x", ok=(2,))
    assert "never assumed" in p.stderr and not (TMP / "x").exists()
    p = run("import", TMP / "x.csv", "--format", "series", "--to", TMP / "x", ok=(2,))
    assert "--series FILE" in p.stderr
    p = run("import", TMP / "x.csv", "--series", TMP / "x.yaml", "--to", TMP / "x", ok=(2,))
    assert "--format series" in p.stderr
    for option in ("--symbol", "--venue", "--at"):
        p = run("import", TMP / "x.csv", "--format", "series", "--series", TMP / "x.yaml", option, "BTC", "--to", TMP / "x", ok=(2,))
        assert option in p.stderr, p.stderr
    p = run("import", TMP / "x.csv", "--format", "deribit-options", "--to", TMP / "x", ok=(2,))
    assert "--symbol" in p.stderr
    p = run("features", "run", TMP / "hash", "--set", "time", "--to", TMP / "n.npy", ok=(3,))
    assert "no instrument" in p.stderr


def a_misspelt_name_and_a_torn_last_row_are_told():
    desc = "series:\n  - {name: %s, value: v, event_time: t, publish_time: pub}\n"
    day = 86400 * 10**9 * 20000
    assert table([(day, day + 5, 1)], "fine", desc % "exchange_netflow")["notes"] == []
    for name in ("calendar", "dvol"):
        assert table([(day, day + 5, 1)], name, desc % name)["notes"] == []
    (note,) = table([(day, day + 5, 1)], "wrong", desc % "exchange_netflo")["notes"]
    assert "'exchange_netflo'" in note and "features list" in note, note
    (TMP / "torn.csv").write_text(f"t,pub,v\n{day},{day + 5},-15")
    p = run("import", TMP / "torn.csv", "--format", "series", "--series", TMP / "fine.yaml", "--to", TMP / "torn")
    assert "torn.csv:2: the last row has no line end" in p.stderr, p.stderr
    for end, told in (("", True), ("\n", False)):  # of the other tables too
        (TMP / "BTCUSDT-fundingRate.csv").write_text(f"calc_time,funding_interval_hours,last_funding_rate\n1690848000000,8,0.0001\n1690876800000,8,0.0001{end}")
        args = ("import", TMP / "BTCUSDT-fundingRate.csv", "--to", TMP / "funding", "--force")
        assert ("fundingRate.csv:3: the last row has no line end" in run(*args).stderr) == told
        assert js(*args)["files"][0].get("open_line") == (3 if told else None)


def a_tape_without_buckets_says_so():
    tape = TMP / "fine"  # one series, no market
    p = run("vclock", "info", tape)
    assert f"{tape}: no buckets: 1 events, none of an instrument that trades (1 instruments" in p.stdout, p.stdout
    assert js("vclock", "info", tape)["instruments"] == []
    words = set()
    for i, verb in enumerate((("features", "run", TMP / "funding", "--to", TMP / "none.npy"), ("features", "report", TMP / "funding", "--to", TMP / "none"),
                              ("dataset", TMP / "funding", "--to", TMP / "none"))):
        p = run(*verb, "--quiet", ok=(3,))
        assert p.stdout == ""
        words.add(p.stderr)
    assert len(words) == 1 and "no bucket was closed" in words.pop(), words
    assert not (TMP / "none.npy").exists() and not (TMP / "none").exists()


def recorded_series_come_in_whole():
    files = {"dvol": ("aux/btc/dvol_btc.csv", "ts_ms", "dvol_pct"), "funding": ("aux/btc/funding_rate_btc.csv", "ts_ms", "funding_rate_pct")}
    if not (SHARED / "data" / files["dvol"][0]).exists():
        print("skipped: recorded series are not beside this checkout")
        return "skipped"
    for name, (file, t, v) in files.items():
        (TMP / "d.yaml").write_text(f"series:\n- {{name: {name}, asset: BTC, value: {v}, event_time: {t}, publication_delay: 1d}}\n")
        path = SHARED / "data" / file
        r = js("import", path, "--format", "series", "--series", TMP / "d.yaml", "--to", TMP / f"aux-{name}")
        assert r["events"] == len(path.read_text().splitlines()) - 1, r
        assert not any(r["rejected"].values()), r
    shipped = pathlib.Path(__file__).resolve().parent.parent / "examples/data/btcusdt-20240808.tape"
    run("tape", "merge", TMP / "aux-dvol", shipped, "--out", TMP / "dvol-btc")
    run("features", "run", TMP / "dvol-btc", "--symbol", "BTCUSDT", "--set", "perp_dvol+perp_dvol_change_e2", "--to", TMP / "d.npy")
    day = {int(r["ts_ms"]): float(r["dvol_pct"]) for r in csv.DictReader((SHARED / "data" / files["dvol"][0]).open())}
    midnight = 1723075200000  # 2024-08-08: what was published a day after 2024-08-07 00:00
    got = npy(TMP / "d.npy")
    assert abs(got[0][0] - day[midnight - 86400000]) < 1e-4, (got[0], day[midnight - 86400000])
    assert abs(got[0][1] - (day[midnight - 86400000] - day[midnight - 2 * 86400000])) < 1e-4, got[0]
    chain = SHARED / "data/known/deribit-options/btc_options.csv"
    r = js("import", chain, "--format", "deribit-options", "--symbol", "BTC", "--at", "2024-05-24T19:15:00Z", "--to", TMP / "chain")
    assert r["events"] == 578 and r["chains"][0]["snapshots"] == 1, r
    assert js("tape", "info", TMP / "chain")["chains"] == [{"venue": "deribit", "symbol": "BTC", "snapshots": 1, "options": 578}]


TESTS = [a_joined_value_is_the_newest_that_was_published_and_no_later_revision, a_series_of_another_asset_is_not_joined,
         a_market_gives_the_same_buckets_and_features_with_a_series_beside_it, the_dictionary_of_a_tape_lists_its_series,
         the_image_of_the_book_is_the_book_of_each_close,
         a_wrong_call_says_what_to_do,
         a_misspelt_name_and_a_torn_last_row_are_told, a_tape_without_buckets_says_so, recorded_series_come_in_whole]


def main():
    print(f"seed {SEED}")
    passed = failed = skipped = 0
    for test in TESTS:
        try:
            if test() == "skipped":
                skipped += 1
            else:
                passed += 1
        except Exception as e:
            failed += 1
            print(f"FAILED {test.__name__.replace('_', ' ')}: {type(e).__name__}: {e}")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
