#!/usr/bin/env python3
"""`fathom backtest examples/anchor-*.yaml` against the known answers of hftbacktest's core: all six queue models, with and without
latency, and its grid. What is not shipped is skipped with its reason. The last line counts the sentences.
"""
import json, os, pathlib, shutil, subprocess, sys, tempfile

FATHOM = os.environ.get("FATHOM", "build/fathom")
SHARED = pathlib.Path(os.environ.get("FATHOM_SHARED", "../shared"))
TMP = pathlib.Path(tempfile.mkdtemp(prefix="fathom-anchor-"))
BTC = ["data.tape=examples/data/btcusdt-20240808.tape"]
ETH = SHARED / "data/raw/binance-usdm/ethusdt_20240808.gz"

# queue, power: orders, fills, cancels, expired, position (lots), balance, fee, checksum; 2 ms and 3 ms
BTC_2_3 = {
    ("risk", 2): (743, 417, 294, 30, -30, "1826.221", "-12.86902675", "c4cc8c3d56b75d6b"),
    ("log", 2): (798, 471, 294, 31, -10, "595.372", "-14.5356097", "64c219dd02ee6aa3"),
    ("log2", 2): (757, 433, 292, 30, -10, "593.642", "-13.3625705", "a30c14491598bfda"),
    ("power", 2): (777, 450, 294, 31, -20, "1209.788", "-13.8871552", "4ae529f3c0c97e17"),
    ("power2", 2): (823, 495, 295, 31, -30, "1827.416", "-15.2761462", "e75701c152afc99e"),
    ("power3", 3): (746, 420, 294, 30, -20, "1209.714", "-12.9615539", "2d342b01e963d7b2")}
# fills, checksum without latency
BTC_0_0 = {("risk", 2): (426, "df7f630272a495b0"), ("log", 2): (479, "f5b10872e335e259"), ("log2", 2): (441, "c0793e892d7e29fd"),
    ("power", 2): (458, "f849d2c54488695a"), ("power2", 2): (503, "33e7e58de184aa8e"), ("power3", 3): (428, "d19d119aa46abe67")}
# made with the peer's package 2.4.4 on the same recording
ETH_2_3 = {
    ("risk", 2): (941, 538, 354, 48, 1000, "-2691.063", "-7.21298805", "c29b44aa9c0eeb67"),
    ("power", 2): (974, 572, 353, 48, 1000, "-2690.117", "-7.66892005", "28de152d9c6608aa"),
    ("log2", 2): (961, 556, 356, 48, 1000, "-2690.528", "-7.4543389", "0fa74183e18cffda")}


class Skip(Exception):
    pass


def anchor(example, *sets):
    out = TMP / "run"
    words = [w for s in (*sets, "report.html=false", f"output={out}") for w in ("--set", s)]
    p = subprocess.run([FATHOM, "backtest", f"examples/{example}.yaml", "--force", "--quiet", *words], capture_output=True, text=True)
    assert p.returncode == 0, f"exit {p.returncode}: {p.stderr.strip()}"
    return json.loads((out / "result.json").read_text())["anchor"]


def model(queue, power, entry, response):
    return [f"sim.queue={queue}", f"sim.queue_power={power}", f"sim.entry_ms={entry}", f"sim.response_ms={response}"]


def row(a):
    return (a["orders"], a["fills"], a["cancels"], a["expired"], a["position_lots"], a["balance"], a["fee"], a["checksum"])


def btc_equals_the_table_under_every_queue_model():
    for key, want in BTC_2_3.items():
        a = anchor("anchor-quoter", *BTC, *model(*key, 2, 3))
        assert (row(a), a["steps"], a["unhashed"]) == (want, 3448, 0), (key, a)


def btc_without_latency_equals_the_table():
    for key, want in BTC_0_0.items():
        a = anchor("anchor-quoter", *BTC, *model(*key, 0, 0))
        assert (a["fills"], a["checksum"]) == want, (key, a)


def the_grid_sends_fills_and_asks_for_cancels_as_the_reference():
    a = anchor("anchor-grid", *BTC)
    assert (a["orders"], a["fills"], a["cancel_requests"], a["position_lots"]) == (2833, 921, 1822, 70), a
    assert (round(float(a["balance"]), 2), a["fee"]) == (-4369.70, "-28.412872"), a
    a = anchor("anchor-grid", *BTC, *model("power", 2, 2, 3))
    assert (a["orders"], a["fills"]) == (2834, 921), a


def eth_from_its_raw_recording_equals_the_table():
    if not ETH.exists():
        raise Skip(f"{ETH} is not there")
    eth = [f"data.input={ETH}", "strategy.quantity=0.1", "strategy.position_max=1"]
    for key, want in ETH_2_3.items():
        assert row(a := anchor("anchor-quoter", *eth, *model(*key, 2, 3))) == want, (key, a)


def strict_rules_have_no_anchor_object():
    out = TMP / "strict"
    subprocess.run([FATHOM, "backtest", "examples/anchor-quoter.yaml", "--quiet", "--set", BTC[0], "--set", "sim.rules=strict", "--set",
        "report.html=false", "--set", f"output={out}"], check=True, capture_output=True)
    assert "anchor" not in json.loads((out / "result.json").read_text())


def main():
    passed = failed = skipped = 0
    tests = [f for f in globals().copy().values() if callable(f) and getattr(f, "__module__", "") == "__main__"
        and f.__name__ not in ("Skip", "anchor", "model", "row", "main")]
    for t in tests:
        try:
            t()
            passed += 1
            print(f"ok: {t.__name__.replace('_', ' ')}")
        except Skip as why:
            skipped += 1
            print(f"skipped: {t.__name__.replace('_', ' ')}: {why}")
        except AssertionError as why:
            failed += 1
            print(f"FAILED: {t.__name__.replace('_', ' ')}: {why}")
    shutil.rmtree(TMP)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
