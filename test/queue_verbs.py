#!/usr/bin/env python3
"""Queues from end to end: `fathom queue fit` and `queue compare`, sim.queue calibrated and fifo, on the BTCUSDT tape and on LOBSTER's AAPL sample.

Each test is a sentence; the last line counts them. Tests on the AAPL sample are skipped where it is not beside the checkout.
"""
import json, os, pathlib, shutil, subprocess, sys, tempfile

FATHOM = os.environ.get("FATHOM", "build/fathom")
ROOT = pathlib.Path(__file__).resolve().parent.parent
TAPE = ROOT / "examples/data/btcusdt-20240808.tape"
LOBSTER = sorted((ROOT / "../shared/data/known/lobster").glob("AAPL_*.csv"))
TMP = pathlib.Path(tempfile.mkdtemp(prefix="fathom-queue-"))
AAPL = TMP / "aapl"


class Skip(Exception):
    pass


def run(*args, ok=(0,)):
    p = subprocess.run([FATHOM, *map(str, args)], capture_output=True, text=True)
    assert p.returncode in ok, f"fathom {' '.join(map(str, args))}: exit {p.returncode}: {p.stderr.strip()}"
    return p


def js(*args):
    return json.loads(run(*args, "--json").stdout)


def aapl():
    if len(LOBSTER) != 2:
        raise Skip("data/known/lobster is not beside this checkout")
    if not AAPL.exists():
        run("import", *LOBSTER, "--to", AAPL, "--quiet")
    return AAPL


def backtest(name, tape, *sets, ok=(0,)):
    args = [x for s in sets for x in ("--set", s)]
    p = run("backtest", ROOT / "examples/btcusdt-tick.yaml", "--set", "data.input=", "--set", f"data.tape={tape}", "--set", "strategy.kind=quoter",
            "--set", f"output={TMP / name}", *args, "--force", "--quiet", ok=ok)
    return json.load(open(TMP / name / "result.json")) if p.returncode == 0 else p.stderr


SHARES = ("strategy.quantity=10", "strategy.position_max=100", "risk.order_max=100", "risk.position_max=1000", "risk.notional_max=1000000",
          "account.deposit=1000000")


def the_fit_on_levels_beats_every_other_model_on_the_half_it_has_not_seen():
    d = js("queue", "fit", TAPE, "--ticks", 100, "--to", TMP / "btc.csv")
    best = next(m for m in d["models"] if m["model"] == d["best"])
    assert not d["per_order"] and d["placed"] > 1000 and d["placed"] + d["unmatched"] < d["cancels"]
    for m in d["models"]:
        assert m["log_likelihood_second_half"] is None or m["log_likelihood_second_half"] <= best["log_likelihood_second_half"], m
    assert d["models"][0]["log_likelihood_first_half"] is None, "risk averse forbids cancels ahead, and there are some"
    assert d["n_low"] <= d["n"] <= d["n_high"] and d["n_high"] / d["n_low"] < 1.5, d
    again = js("queue", "fit", TAPE, "--ticks", 100)
    assert again["n_low"] == d["n_low"] and again["n_high"] == d["n_high"]


def a_calibrated_backtest_uses_the_fitted_model():
    _, head, row = (TMP / "btc.csv").read_text().splitlines()
    fitted = dict(zip(head.split(","), row.split(",")))
    a = backtest("a", TAPE, "sim.queue=calibrated", f"sim.queue_file={TMP / 'btc.csv'}")
    b = backtest("b", TAPE, f"sim.queue={fitted['model']}", f"sim.queue_power={fitted['power']}")
    c = backtest("c", TAPE)
    assert a["net"] == b["net"] and a["net"] != c["net"], (a["net"], b["net"], c["net"])


def wrong_queue_files_and_keys_are_refused():
    for i, text in enumerate(("", "x", "# fathom queue fit 1\nmodel,power,cancels,log_likelihood\nfifo,1,2,3\n",
                              "# fathom queue fit 1\nmodel,power,cancels,log_likelihood\npower,-1,2,3\n",
                              "# fathom queue fit 1\nmodel,power,cancels,log_likelihood\npower,nan,2,3\n",
                              "# fathom queue fit 1\nmodel,power,cancels,log_likelihood\nnone,1,2,3\n")):
        (TMP / "bad.csv").write_text(text)
        assert "bad.csv" in backtest("x", TAPE, "sim.queue=calibrated", f"sim.queue_file={TMP / 'bad.csv'}", ok=(3,)), i
    assert "needs a sim.queue_file" in backtest("x", TAPE, "sim.queue=calibrated", ok=(2,))
    assert "reads no file" in backtest("x", TAPE, f"sim.queue_file={TMP / 'btc.csv'}", ok=(2,))
    assert "no orders of the market" in backtest("x", TAPE, "sim.queue=fifo", ok=(2,))
    assert "holds no orders" in run("queue", "compare", TAPE, ok=(3,)).stderr
    assert "need" in run("queue", "fit", TAPE, "--ticks", 0, "--bootstrap", 20, ok=(1,)).stderr


def the_fit_on_orders_is_calibrated_on_the_other_half():
    d = js("queue", "fit", aapl(), "--to", TMP / "aapl.csv")
    assert d["per_order"] and d["placed"] > 300 and d["unmatched"] == 0
    worst = max(abs(c["said"] - c["found"]) for c in d["calibration"])
    assert worst < 0.1, d["calibration"]


def models_are_compared_with_the_truth_of_orders():
    d = js("queue", "compare", aapl(), "--horizon", 10, "--queue-file", TMP / "aapl.csv")
    bias = {m["model"]: m["bias"] for m in d["models"]}
    assert d["lots"] > 1000 and 0.3 < d["truth_fill_share"] < 0.7
    for m in d["models"]:
        assert abs(m["only_model"] - m["only_truth"] - m["bias"]) < 1e-12
    assert bias["risk"] <= 0 + 1e-12, "risk averse never fills before the truth"
    assert bias["power2"] > bias["power3"] > bias["risk"], bias


def a_lot_counts_only_if_the_data_go_on_for_its_whole_horizon_whether_it_fills_or_not():
    last = js("tape", "info", aapl())["last_local_ns"]
    for horizon in (5, 20):
        cut = TMP / f"cut{horizon}"
        run("tape", "cut", aapl(), "--to", last - horizon * 10**9, "--out", cut)
        placed = js("queue", "compare", cut, "--horizon", 0.001)["lots"]
        counted = js("queue", "compare", aapl(), "--horizon", horizon)["lots"]
        assert placed > 1000 and abs(counted - placed) <= 20, (horizon, counted, placed)  # the cut ends between two messages


def a_fit_on_one_half_is_judged_on_the_other():
    fit = js("queue", "fit", aapl(), "--until", 0.5, "--to", TMP / "half.csv")
    whole = js("queue", "fit", aapl())
    assert fit["placed"] < whole["placed"]
    late = js("queue", "compare", aapl(), "--after", 0.5, "--horizon", 5, "--queue-file", TMP / "half.csv")
    whole = js("queue", "compare", aapl(), "--horizon", 5)
    assert late["lots"] < 0.6 * whole["lots"]
    assert late["models"][-1]["model"] == "calibrated" and abs(late["models"][-1]["n"] / fit["n"] - 1) < 1e-5


def a_backtest_queues_among_the_markets_orders():
    fifo = backtest("fifo", aapl(), "sim.queue=fifo", *SHARES)
    anchor = backtest("anchor", aapl(), "sim.queue=fifo", "sim.rules=anchor", *SHARES)
    risk = backtest("risk", aapl(), *SHARES)
    assert fifo["fills"] > 10 and anchor["fills"] > 0
    assert fifo["fills"] >= risk["fills"], "cancels before us can only help"
    assert "no partial fills" in backtest("x", aapl(), "sim.queue=fifo", "sim.rules=anchor", "sim.partial_fills=true", *SHARES, ok=(2,))


def the_anchors_fifo_equals_hftbacktest_on_aapl():
    """Expected rows: hftbacktest 2.4.4 with l3_fifo_queue_model over the same orders (snapshot levels as one order each), its quoter and grid
    of bench/peers/hftbacktest, 2/3 ms and no latency alike."""
    peer = {"quoter": (158, 3, 153, 0, -10, "f9507280c7199ccd"), "grid": (104, 1, 83, 0, 10, "3f74bf4c4b835d11")}
    for name, want in peer.items():
        for entry, response in ((2, 3), (0, 0)):
            run("backtest", ROOT / f"examples/anchor-{name}.yaml", "--set", f"data.tape={aapl()}", "--set", "sim.queue=fifo", "--set",
                f"sim.entry_ms={entry}", "--set", f"sim.response_ms={response}", "--set", "strategy.quantity=10", "--set",
                "strategy.position_max=100", "--set", f"output={TMP / 'peer'}", "--force", "--quiet")
            a = json.load(open(TMP / "peer/result.json"))["anchor"]
            got = tuple(a[k] for k in ("orders", "fills", "cancels", "expired", "position_lots", "checksum"))
            assert got == want and a["steps"] == 490, (name, a)


TESTS = [
    the_fit_on_levels_beats_every_other_model_on_the_half_it_has_not_seen,
    a_calibrated_backtest_uses_the_fitted_model,
    wrong_queue_files_and_keys_are_refused,
    the_fit_on_orders_is_calibrated_on_the_other_half,
    models_are_compared_with_the_truth_of_orders,
    a_lot_counts_only_if_the_data_go_on_for_its_whole_horizon_whether_it_fills_or_not,
    a_fit_on_one_half_is_judged_on_the_other,
    a_backtest_queues_among_the_markets_orders,
    the_anchors_fifo_equals_hftbacktest_on_aapl,
]


def main():
    failed = skipped = 0
    for t in TESTS:
        name = t.__name__.replace("_", " ")
        try:
            t()
            print("ok     ", name)
        except Skip as why:
            skipped += 1
            print("skipped", name, "::", why)
        except AssertionError as e:
            failed += 1
            print("FAILED ", name, "::", str(e)[:600])
    shutil.rmtree(TMP)
    print(f"{len(TESTS) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    sys.exit(failed > 0)


main()
