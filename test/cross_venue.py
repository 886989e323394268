#!/usr/bin/env python3
"""Rows that compare venues, from end to end: the same rows in features run, dataset and backtest, the reference's clock
and price, refused names; and on the three recordings of BTC the basis and the lead against figures taken from the raw
files with nothing of fathom.

  test/cross_venue.py [--figures]    (--figures prints the table of docs/features-cross-venue.md)

Each test is a sentence; the last line counts them. Without the recordings those tests are skipped with a reason.
"""
import array, ast, bisect, gzip, json, math, os, pathlib, shutil, struct, subprocess, sys, tempfile

FATHOM = os.environ.get("FATHOM", "build/fathom")
ROOT = pathlib.Path(__file__).resolve().parent.parent
RAW = ROOT.parent / "shared" / "data" / "raw"
TMP = pathlib.Path(tempfile.mkdtemp(prefix="fathom-cross-"))
FILES = {"usdm": ["binance-usdm/btcusdt_20240808.gz"],
         "coinm": ["binance-coinm/btcusd_perp_20240808.gz", "binance-coinm/btcusd_perp_20240809.gz"],
         "spot": ["binance-spot/btcusdt_20240808.gz", "binance-spot/btcusdt_20240809.gz"]}
BARS = ROOT.parent / "shared" / "data" / "bars" / "binance-usdm"
STEP, SECOND = 100_000_000, 1_000_000_000


def run(*args, ok=(0,)):
    p = subprocess.run([FATHOM, *map(str, args)], capture_output=True, text=True)
    assert p.returncode in ok, f"fathom {' '.join(map(str, args))}: exit {p.returncode}: {p.stderr.strip()}"
    return p


def js(*args, ok=(0,)):
    return json.loads(run(*args, "--json", "--quiet", ok=ok).stdout)


def npy(path):
    raw = pathlib.Path(path).read_bytes()
    n = struct.unpack("<H", raw[8:10])[0]
    return ast.literal_eval(raw[10:10 + n].decode()), raw[10 + n:]


def table(folder):
    """The columns of a dataset by name, with id and close_ns of every row."""
    head, body = npy(folder / "features.npy")
    x = array.array("f", body)
    rows, count = head["shape"]
    names = json.loads((folder / "manifest.json").read_text())["names"]
    out = {n: x[c::count] for c, n in enumerate(names)}
    meta = npy(folder / "meta.npy")[1]
    bars = [struct.unpack_from("<qqq", meta, i) for i in range(0, len(meta), len(meta) // rows)]
    return out, [b[0] for b in bars], [b[2] for b in bars]


def known(x):
    return [v for v in x if v == v]


def mean(x):
    return sum(x) / len(x)


def market(name, symbol, seed):
    run("generate", TMP / "m.gz", "--seed", seed, "--hours", "0.1", "--symbol", symbol, "--quiet", "--force")
    run("import", TMP / "m.gz", "--to", TMP / name, "--quiet", ok=(0, 3))


def make():
    market("own.tape", "SIMUSDT", 11)
    market("twin.tape", "TWINUSDT", 11)  # the same market under another name
    run("tape", "merge", TMP / "twin.tape", TMP / "own.tape", "--out", TMP / "both.tape", "--quiet")


# ---- generated markets ----


def every_verb_makes_the_same_rows_from_one_tape_and_from_two():
    a = js("features", "run", TMP / "own.tape", "--peer", TMP / "twin.tape", "--set", "xv+v72", "--reference", TMP / "twin.tape")
    b = js("features", "run", TMP / "both.tape", "--symbol", "SIMUSDT", "--peer", "TWINUSDT", "--set", "xv+v72", "--reference", "TWINUSDT")
    assert a["hash"] == b["hash"] and a["rows"] == b["rows"] > 300
    assert a["others"] == [{"venue": "binance-usdm", "symbol": "TWINUSDT", "peer": True, "reference": True, "clock": False}]
    assert a["missing"]["xv_basis_p1"] < 0.1 and a["missing"]["xv_basis_p2"] == 1 and a["missing"]["v72_i_b168"] < 0.6
    run("features", "run", TMP / "own.tape", "--peer", TMP / "twin.tape", "--set", "xv", "--to", TMP / "a.npy", "--quiet")
    run("dataset", TMP / "own.tape", "--peer", TMP / "twin.tape", "--set", "xv", "--to", TMP / "a.data", "--quiet")
    assert npy(TMP / "a.npy")[1] == npy(TMP / "a.data" / "features.npy")[1]
    common = ["--set", "data.symbol=SIMUSDT", "--set", "data.peers=TWINUSDT", "--set", "data.reference=TWINUSDT", "--set", "features.set=xv+v72"]
    for name, tapes in (("r1", f"data.tapes={TMP}/twin.tape,{TMP}/own.tape"), ("r2", f"data.tape={TMP}/both.tape")):
        run("backtest", *common, "--set", tapes, "--to", TMP / name, "--quiet")
        stages = json.loads((TMP / name / "manifest.json").read_text())["stages"]
        assert stages["features"] == a["hash"], (name, stages)
    assert run("verify", TMP / "r1", "--twice").returncode == 0


def a_twin_has_no_basis_no_lag_and_half_of_the_volume():
    x, _, _ = table(TMP / "a.data")
    assert set(known(x["xv_basis_p1"])) == {0.0} and set(known(x["xv_peak_lag_p1_s60"])) == {0.0}
    assert all(abs(v - 1) < 1e-6 for v in known(x["xv_corr_p1_s60"]))
    assert all(abs(v - 0.5) < 1e-6 for v in known(x["xv_volume_share_b20"])) and set(known(x["xv_best_bid_b1"])) == {1.0}


def own_rows_are_the_same_with_and_without_peers():
    a = js("features", "run", TMP / "own.tape", "--set", "core")
    b = js("features", "run", TMP / "own.tape", "--set", "core", "--peer", TMP / "twin.tape")
    assert a["hash"] == b["hash"] and a["others"] == []


def without_a_peer_rows_are_missing_and_the_verb_says_what_brings_them():
    a = js("features", "run", TMP / "own.tape", "--set", "xv")
    assert set(a["missing"].values()) == {1}
    text = run("features", "run", TMP / "own.tape", "--set", "xv+v72", "--quiet").stdout
    assert "--peer" in text and "--reference" in text
    assert "no peer configured" in run("features", "explain", "xv_basis_p1").stdout


def buckets_of_a_reference_carry_its_ids_and_times():
    spec = ["--bucket", "volume=40,limit=20"]
    run("vclock", "run", TMP / "both.tape", *spec, "--reference", "TWINUSDT", "--to", TMP / "v.csv", "--quiet")
    lines = [line.split(",") for line in (TMP / "v.csv").read_text().splitlines()[1:]]
    want = {s: [(int(r[2]), int(r[4])) for r in lines if r[1] == s and r[5] != "end"] for s in ("SIMUSDT", "TWINUSDT")}
    assert len({r[5] for r in lines if r[1] == "TWINUSDT"} & {"volume", "limit"}) >= 1 and len(want["SIMUSDT"]) > 20
    run("dataset", TMP / "own.tape", *spec, "--bucket-reference", TMP / "twin.tape", "--set", "flow", "--to", TMP / "c.data", "--quiet")
    _, ids, closes = table(TMP / "c.data")
    got = list(zip(ids, closes))
    assert got == want["SIMUSDT"][:len(got)] and len(got) >= len(want["SIMUSDT"]) - 1
    assert set(got) <= set(want["TWINUSDT"])
    d = js("features", "run", TMP / "both.tape", "--symbol", "SIMUSDT", *spec, "--bucket-reference", "TWINUSDT", "--set", "flow")
    assert d["rows"] == len(got) and d["bucket"] == "volume=40,limit=20 of binance-usdm:TWINUSDT"
    r = ["--set", f"data.tape={TMP}/both.tape", "--set", "data.symbol=SIMUSDT", "--set", "bucket.spec=volume=40,limit=20",
         "--set", "bucket.reference=TWINUSDT", "--set", "features.set=flow"]
    run("backtest", *r, "--to", TMP / "r3", "--quiet")
    assert json.loads((TMP / "r3" / "manifest.json").read_text())["stages"]["features"] == d["hash"]


def a_model_is_kept_with_the_instruments_its_rows_were_made_with():
    base = ["--set", f"data.tape={TMP}/both.tape", "--set", "data.symbol=SIMUSDT", "--set", "features.set=ret+xv", "--set", "model.kind=logistic"]
    run("train", *base, "--set", "data.peers=TWINUSDT", "--set", "study.folds=2", "--set", "study.bootstrap=50", "--to", TMP / "model", "--quiet")
    assert "with peer binance-usdm:TWINUSDT" in run("models", "show", TMP / "model").stdout
    use = [*base, "--set", f"model.path={TMP}/model"]
    text = run("backtest", *use, "--to", TMP / "no", ok=(3,)).stderr
    assert "trained with peer binance-usdm:TWINUSDT, this run has none" in text, text
    run("backtest", *use, "--set", "data.peers=binance-usdm:TWINUSDT", "--to", TMP / "r7", "--quiet")
    assert json.loads((TMP / "a.data" / "manifest.json").read_text())["others"] == "peer binance-usdm:TWINUSDT"


def several_instruments_of_a_run_are_each_others_peers():
    both = ["--set", f"data.tape={TMP}/both.tape", "--set", "instruments=SIMUSDT,TWINUSDT", "--set", "features.set=xv"]
    run("backtest", *both, "--to", TMP / "r4", "--quiet")
    run("backtest", *both, "--set", "data.peers=SIMUSDT,TWINUSDT", "--to", TMP / "r5", "--quiet")
    a, b = (json.loads((TMP / r / "manifest.json").read_text())["stages"] for r in ("r4", "r5"))
    assert a["buckets"] == b["buckets"] and a["features"] != b["features"]
    assert run("verify", TMP / "r5", "--twice").returncode == 0


def names_that_are_wrong_are_refused_alike():
    both, own = TMP / "both.tape", TMP / "own.tape"
    choose = "holds 2 instruments: choose one with"
    for args, code, words in (
        (["features", "run", both], 2, choose), (["dataset", both, "--to", TMP / "no"], 2, choose),
        (["backtest", "--set", f"data.tape={both}", "--to", TMP / "no"], 2, choose),
        (["features", "run", both, "--symbol", "NOUSDT"], 3, "holds no instrument NOUSDT, but binance-usdm:"),
        (["dataset", both, "--symbol", "NOUSDT", "--to", TMP / "no"], 3, "holds no instrument NOUSDT, but binance-usdm:"),
        (["backtest", "--set", f"data.tape={both}", "--set", "data.symbol=NOUSDT", "--to", TMP / "no"], 3, "holds no instrument NOUSDT"),
        (["features", "run", own, "--peer", "SIMUSDT"], 2, "is the instrument itself"),
        (["features", "run", own, "--peer", TMP / "no.tape"], 4, "there is no such tape"),
        (["features", "run", own, "--peer", both], 2, "choose one with"),
        (["features", "run", own, "--peer", f"{both}:TWINUSDT"], 2, "which would count twice"),
        (["features", "run", both, "--symbol", "SIMUSDT", "--peer", "TWINUSDT", "--peer", "TWINUSDT"], 2, "named twice"),
        (["features", "run", own, "--bucket", "reference"], 2, "bucket.reference"),
    ):
        text = run(*args, ok=(code,)).stderr
        assert words in text, (args, text)
    assert not (TMP / "no").exists()


# ---- recordings ----


def tickers(venue):
    """Receive time, bid and ask of every bookTicker line of the raw files."""
    out = []
    for name in FILES[venue]:
        with gzip.open(RAW / name, "rt") as f:
            for line in f:
                if "@bookTicker" not in line:
                    continue
                ns, text = line.split(" ", 1)
                d = json.loads(text)["data"]
                out.append((int(ns), float(d["b"]), float(d["a"])))
    return out


def as_of(quotes, at):
    i = bisect.bisect_left(quotes, (at,)) - 1
    return (quotes[i][1] + quotes[i][2]) / 2 if i >= 0 else math.nan


def correlation(x, y):
    a, b = mean(x), mean(y)
    c = sum((p - a) * (q - b) for p, q in zip(x, y))
    return c / math.sqrt(sum((p - a) ** 2 for p in x) * sum((q - b) ** 2 for q in y))


def by_tickers(own, peer, first, last):
    """Mean basis at whole seconds, correlation by lag (positive: the peer first) on a grid of 100 ms."""
    seconds = range((first // SECOND + 1) * SECOND, last, SECOND)
    basis = [1e4 * (as_of(own, t) / as_of(peer, t) - 1) for t in seconds]
    grid = range((first // STEP + 1) * STEP, last, STEP)
    a, b = [math.log(as_of(own, t)) for t in grid], [math.log(as_of(peer, t)) for t in grid]
    r, q = [y - x for x, y in zip(a, a[1:])], [y - x for x, y in zip(b, b[1:])]
    n = len(r)
    lags = {k: correlation(r[max(k, 0):n + min(k, 0)], q[max(-k, 0):n + min(-k, 0)]) for k in range(-10, 11)}
    ahead = sum(v * v for k, v in lags.items() if k > 0)
    return basis, lags, ahead / (ahead + sum(v * v for k, v in lags.items() if k < 0))


def recorded():
    for name, files in FILES.items():
        run("import", *[RAW / f for f in files], "--to", TMP / f"{name}.tape", "--quiet")
    run("dataset", TMP / "usdm.tape", "--peer", TMP / "coinm.tape", "--peer", TMP / "spot.tape", "--set", "xv", "--to", TMP / "btc.data", "--quiet")


def the_recordings_overlap_as_the_page_says():
    spans = {}
    for name in FILES:
        i = js("tape", "info", TMP / f"{name}.tape")
        spans[name] = (i["first_local_ns"], i["last_local_ns"])
    first, last = max(s[0] for s in spans.values()), min(s[1] for s in spans.values())
    assert abs((last - first) / 1e9 - 343.66) < 0.01, (first, last)
    _, _, closes = table(TMP / "btc.data")
    assert closes[-1] <= spans["usdm"][1] and len(closes) == 344


def three_raw_recordings_in_one_run_give_the_rows_of_three_tapes():
    files = ",".join(str(RAW / f) for name in ("usdm", "coinm", "spot") for f in FILES[name])
    run("run", "--set", f"data.input={files}", "--set", "data.symbol=binance-usdm:BTCUSDT", "--set", "data.peers=BTCUSD_PERP,binance-spot:BTCUSDT",
        "--set", "features.set=xv", "--to", TMP / "raw", "--quiet")
    f = js("features", "run", TMP / "usdm.tape", "--peer", TMP / "coinm.tape", "--peer", TMP / "spot.tape", "--set", "xv")
    assert json.loads((TMP / "raw" / "manifest.json").read_text())["stages"]["features"] == f["hash"]


def mid_difference_is_that_of_the_raw_tickers_or_of_a_newer_book():
    x, _, closes = table(TMP / "btc.data")
    quotes = {name: tickers(name) for name in FILES}
    for column, name in (("xv_mid_diff_p1", "coinm"), ("xv_mid_diff_p2", "spot")):
        rows = [(t, v) for t, v in zip(closes, x[column]) if v == v]
        differ = [(t, v) for t, v in rows if abs(v - (as_of(quotes["usdm"], t) - as_of(quotes[name], t)) / 0.1) > 1e-3]
        assert len(rows) > 330 and len(differ) < 0.03 * len(rows), (column, len(differ))
        for t, v in differ:  # one of the two books knew more
            book = {n: js("book", TMP / f"{n}.tape", "--at", t - 1)["instruments"][0] for n in ("usdm", name)}
            mids = {n: (as_of(quotes[n], t), (float(b["best_bid"]["px"]) + float(b["best_ask"]["px"])) / 2) for n, b in book.items()}
            assert any(abs(v - (a - b) / 0.1) < 1e-3 for a in mids["usdm"] for b in mids[name]), (column, t, v, mids)


def basis_and_lead_agree_with_the_raw_tickers():
    x, _, closes = table(TMP / "btc.data")
    quotes = {name: tickers(name) for name in FILES}
    for n, name in ((1, "coinm"), (2, "spot")):
        rows = [(t, b) for t, b in zip(closes, x[f"xv_basis_p{n}"]) if b == b]
        near = [1e4 * (as_of(quotes["usdm"], t) / as_of(quotes[name], t) - 1) for t, _ in rows]
        apart = [abs(b - w) for (_, b), w in zip(rows, near)]
        assert abs(mean(near) - mean([b for _, b in rows])) < 0.05, (name, mean(near), mean([b for _, b in rows]))
        assert sorted(apart)[len(apart) // 2] < 0.1, (name, sorted(apart)[len(apart) // 2])
        _, lags, lead = by_tickers(quotes["usdm"], quotes[name], rows[0][0], rows[-1][0])
        got = mean(known(x[f"xv_lead_share_p{n}_s60"]))
        assert abs(mean(known(x[f"xv_corr_p{n}_s60"])) - lags[0]) < 0.1, (name, lags[0])
        assert abs(mean(known(x[f"xv_corr_own100_p{n}_s60"])) - lags[-1]) < 0.1, (name, lags[-1])
        if abs(lead - 0.5) > 0.2:  # who leads is clear: the rows say the same
            assert abs(got - 0.5) > 0.2 and (got < 0.5) == (lead < 0.5), (name, got, lead)
    assert mean(known(x["xv_basis_p2"])) < -1 and abs(mean(known(x["xv_basis_p1"]))) < 5
    # the USD-M perpetual moves before the COIN-M one
    assert mean(known(x["xv_lead_share_p1_s60"])) < 0.3 and mean(known(x["xv_granger_direction_p1_s120"])) < -0.5


def closes_of(name):
    with gzip.open(BARS / f"{name}_USDT_USDT-1h-futures.csv.gz", "rt") as f:
        return {int(ts): float(c) for ts, _, _, _, c, _ in (line.split(",") for line in list(f)[1:])}


def independence_and_regime_of_168_hours_equal_a_recomputation():
    for name in ("btc", "eth"):
        run("import", BARS / f"{name.upper()}_USDT_USDT-1h-futures.csv.gz", "--to", TMP / f"{name}1h.tape", "--quiet")
    rows = ["--set", "v72", "--bucket", "time=3600"]
    run("dataset", TMP / "eth1h.tape", "--reference", TMP / "btc1h.tape", *rows, "--to", TMP / "hours.data", "--quiet")
    x, _, closes = table(TMP / "hours.data")
    for name in ("i", "regime"):  # bars without a gap: the clock of hours and that of buckets are one
        pairs = [(a, b) for a, b in zip(x[f"v72_{name}_b168"], x[f"v72_{name}_h168"]) if a == a and b == b]
        assert len(pairs) > len(closes) // 2 and all(a == b for a, b in pairs), (name, len(pairs), len(closes))
    btc, eth = closes_of("BTC"), closes_of("ETH")
    square = lambda a, b: correlation(a, b) ** 2
    checked = 0
    for k in range(300, len(closes), 997):
        hours = [closes[k] // 1_000_000 - 3_600_000 * i for i in range(168, 0, -1)]
        if not all(h in btc and h in eth for h in hours):
            continue
        b, e = [math.log(btc[h]) for h in hours], [math.log(eth[h]) for h in hours]
        rises = lambda y: [q - p for p, q in zip(y, y[1:])]
        trend = correlation(list(range(168)), b)
        assert abs(x["v72_i_b168"][k] - 100 * (1 - square(rises(b), rises(e)))) < 1e-3, k
        assert abs(x["v72_regime_b168"][k] - math.copysign(100 * trend * trend, trend)) < 1e-3, k
        checked += 1
    assert checked >= 8, checked
    f = js("features", "run", TMP / "eth1h.tape", "--reference", TMP / "btc1h.tape", *rows)
    run("backtest", "--set", f"data.tapes={TMP}/btc1h.tape,{TMP}/eth1h.tape", "--set", "data.symbol=ETHUSDT", "--set", "data.reference=BTCUSDT",
        "--set", "features.set=v72", "--set", "bucket.spec=time=3600", "--to", TMP / "hours", "--quiet")
    assert json.loads((TMP / "hours" / "manifest.json").read_text())["stages"]["features"] == f["hash"]


def figures():
    x, _, closes = table(TMP / "btc.data")
    quotes = {name: tickers(name) for name in FILES}
    print("| beside | basis bps: mean (least, most) | by raw tickers | correlation now / peer 100 ms / own 100 ms before | by raw tickers "
          "| lead share of the peer | by raw tickers | peak lag ms, median | own information share, mean bounds | own component share | Granger: peer, own causes (share of estimates) |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for n, name in ((1, "coinm"), (2, "spot")):
        c = lambda w: known(x[w.replace("#", f"p{n}")])
        rows = [t for t, b in zip(closes, x[f"xv_basis_p{n}"]) if b == b]
        basis, lags, lead = by_tickers(quotes["usdm"], quotes[name], rows[0], rows[-1])
        b, g = c("xv_basis_#"), c("xv_granger_direction_#_s120")
        print(f"| {name} | {mean(b):.2f} ({min(b):.2f}, {max(b):.2f}) | {mean(basis):.2f} | {mean(c('xv_corr_#_s60')):.2f} / {mean(c('xv_corr_peer100_#_s60')):.2f} / "
              f"{mean(c('xv_corr_own100_#_s60')):.2f} | {lags[0]:.2f} / {lags[1]:.2f} / {lags[-1]:.2f} | {mean(c('xv_lead_share_#_s60')):.2f} | {lead:.2f} | "
              f"{sorted(c('xv_peak_lag_#_s60'))[len(c('xv_peak_lag_#_s60')) // 2]:.0f} | {mean(c('xv_info_low_#_s120')):.2f} .. {mean(c('xv_info_high_#_s120')):.2f} | "
              f"{mean(c('xv_component_#_s120')):.2f} | {sum(v == 1 for v in g) / len(g):.2f}, {sum(v == -1 for v in g) / len(g):.2f} |")
    for w in ("xv_volume_share_b20", "xv_best_bid_b20", "xv_best_ask_b20", "xv_joint_spread", "xv_dispersion", "xv_flow_imbalance_b20"):
        print(f"{w}: mean {mean(known(x[w])):.3f}")


def main():
    generated = [every_verb_makes_the_same_rows_from_one_tape_and_from_two, a_twin_has_no_basis_no_lag_and_half_of_the_volume,
                 own_rows_are_the_same_with_and_without_peers, without_a_peer_rows_are_missing_and_the_verb_says_what_brings_them,
                 buckets_of_a_reference_carry_its_ids_and_times, several_instruments_of_a_run_are_each_others_peers,
                 a_model_is_kept_with_the_instruments_its_rows_were_made_with,
                 names_that_are_wrong_are_refused_alike]
    hours = [] if not BARS.is_dir() else [independence_and_regime_of_168_hours_equal_a_recomputation]
    if not hours:
        print(f"skipped: {BARS} is not there")
    recordings = [the_recordings_overlap_as_the_page_says, three_raw_recordings_in_one_run_give_the_rows_of_three_tapes,
                  mid_difference_is_that_of_the_raw_tickers_or_of_a_newer_book, basis_and_lead_agree_with_the_raw_tickers]
    absent = [f for files in FILES.values() for f in files if not (RAW / f).is_file()]
    passed = failed = 0
    try:
        if sys.argv[1:] == ["--figures"]:
            recorded()
            figures()
            return 0
        make()
        if absent:
            print(f"skipped: {RAW / absent[0]} is not there")
        else:
            recorded()
        for test in generated + hours + ([] if absent else recordings):
            try:
                test()
                passed += 1
                print("ok  ", test.__name__.replace("_", " "))
            except AssertionError as e:
                failed += 1
                print("FAIL", test.__name__.replace("_", " "), "-", str(e)[:600])
    finally:
        shutil.rmtree(TMP, ignore_errors=True)
    skipped = (len(recordings) if absent else 0) + (not hours)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


sys.exit(main())
