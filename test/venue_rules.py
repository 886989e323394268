#!/usr/bin/env python3
"""The venue's side of orders from end to end, on the shipped recording: outages, drawn rejects, request limits; what an order
was refused for stands in orders.csv and in `fathom orders`.

Each test is a sentence; the last line counts them.
"""
import csv, json, os, pathlib, shutil, subprocess, sys, tempfile

FATHOM = os.environ.get("FATHOM", "build/fathom")
TMP = pathlib.Path(tempfile.mkdtemp(prefix="fathom-venue-"))


def run(*args, ok=(0,)):
    p = subprocess.run([FATHOM, *map(str, args)], capture_output=True, text=True)
    assert p.returncode in ok, f"fathom {' '.join(map(str, args))}: exit {p.returncode}: {p.stderr.strip()}"
    return p


def backtest(name, *sets):
    out = TMP / name
    options = [x for s in sets for x in ("--set", s)]
    run("backtest", "examples/real-demo.yaml", *options, "--set", "report.html=false", "--to", out, "--quiet", "--force")
    with open(out / "orders.csv", newline="") as f:
        return out, list(csv.DictReader(f))


def a_given_outage_refuses_every_order_that_arrives_in_it_and_only_those():
    out, orders = backtest("span", "sim.outages=100-110:reject")
    refused = [o for o in orders if o["why"] == "outage" and o["status"] == "rejected"]
    assert refused, "no order met the outage"
    start = min(int(o["ts_sent_ns"]) for o in orders)
    for o in refused:
        assert 99 < (int(o["ts_sent_ns"]) - start) / 1e9 < 112, o
    # A quoter asks again with every timer: ten seconds of refusals, then it trades on.
    assert len(refused) > 20
    assert any(int(o["ts_sent_ns"]) > int(refused[-1]["ts_sent_ns"]) and o["status"] == "filled" for o in orders)


def requests_that_never_arrive_end_as_unknown_and_are_resolved_by_a_query():
    out, orders = backtest("lost", "sim.outages=60-70:lost")
    gone = [o for o in orders if o["why"] == "unknown_order" and o["status"] == "rejected"]
    assert gone, "no order was lost"
    assert all(o["filled"].strip("0.") == "" for o in gone)
    assert run("verify", out).returncode == 0


def drawn_outages_follow_the_seed_and_nothing_else():
    sets = ["sim.outage_every_s=20", "sim.outage_s=4"]
    a, b, c = (backtest(n, *sets, f"seed={seed}")[1] for n, seed in (("draw-a", 5), ("draw-b", 5), ("draw-c", 6)))
    assert a == b and a != c
    share = sum(o["why"] == "outage" for o in a) / len(a)
    assert 0.05 < share < 0.9, share


def the_venues_request_limit_refuses_what_our_own_limit_lets_through():
    sets = ["strategy.kind=grid", "strategy.interval_ticks=1", "strategy.half_spread_ticks=0", "strategy.period_ms=20",
            "risk.orders_10s=100000", "risk.orders_60s=100000"]
    on = backtest("limit-on", *sets)[1]
    off = backtest("limit-off", *sets, "sim.request_limits=false")[1]
    assert any(o["why"] in ("rate", "banned") for o in on)
    assert not any(o["why"] in ("rate", "banned") for o in off)


def fathom_orders_tells_each_reason_in_one_word():
    out = TMP / "span"
    rows = json.loads(run("orders", out, "--where", "why = outage and status = rejected", "--json").stdout)
    with open(out / "orders.csv", newline="") as f:
        want = [o for o in csv.DictReader(f) if o["why"] == "outage" and o["status"] == "rejected"]
    assert len(rows) == len(want) and rows[0]["why"] == "outage"
    assert "outage" in run("orders", out, "--sum", "--by", "why").stdout
    assert "no such" in run("orders", TMP / "none", ok=(4,)).stderr.lower()


def a_target_and_a_stop_close_each_position_once():
    out, orders = backtest("bracket", "strategy.kind=bracket", "strategy.stop_ticks=30", "strategy.target_ticks=30")
    kinds = {(o["type"], o["status"], o["why"]) for o in orders}
    assert ("stop_market", "filled", "") in kinds and ("limit", "canceled", "oco") in kinds, kinds
    assert ("stop_market", "canceled", "oco") in kinds
    reduces = {o["id"] for o in orders if o["reduce_only"] == "1"}
    with open(out / "fills.csv", newline="") as f:
        fills = list(csv.DictReader(f))
    before = 0.0
    for x in fills:
        now = float(x["position"])
        assert abs(now) < 0.0101, x
        if x["order_id"] in reduces:  # never beyond flat, never away from it
            assert abs(now) < abs(before) and now * before >= 0, (before, x)
        before = now
    assert sum(x["order_id"] in reduces for x in fills) > 50
    assert run("verify", out).returncode == 0


def the_anchor_refuses_what_it_does_not_have():
    orders = backtest("anchor", "strategy.kind=bracket", "sim.rules=anchor")[1]
    assert any(o["type"] == "stop_market" and o["why"] == "unsupported" for o in orders)
    assert not any(o["type"] == "stop_market" and o["status"] == "filled" for o in orders)


def a_span_that_cannot_be_read_stops_the_run_with_its_place():
    p = run("backtest", "examples/real-demo.yaml", "--set", "sim.outages=5:lost", "--to", TMP / "bad", ok=(2,))
    assert "sim.outages" in p.stderr and "FROM-TO:KIND" in p.stderr


def a_key_that_nothing_reads_stops_the_run_with_its_place():
    for sets, place in ((("sim.rules=anchor", "sim.outages=1-2:reject"), "sim.outages"), (("sim.rules=anchor", "sim.price_band=0.01"), "sim.price_band"),
                        (("sim.rules=anchor", "margin.ladder=coinm-small"), "margin.ladder"), (("sim.partial_fills=true",), "sim.partial_fills"),
                        (("sim.rules=anchor", "sim.anchor.ghosts=false"), "sim.anchor.ghosts"), (("sim.outage_s=2",), "sim.outage_s"),
                        (("sim.outages=1-2:lost", "sim.outage_kind=lost"), "sim.outage_kind"), (("sim.outages=1-9:lost,8-10:mute",), "sim.outages"),
                        (("sim.impact.bps=5",), "sim.impact.bps"),
                        (("sim.latency.cancel_factor=2",), "sim.latency.cancel_factor"), (("sim.latency.cancel_ms=-0.5",), "sim.latency.cancel_ms"),
                        (("fees.tiers=0:0.0002:0.0005", "fees.maker=0.0001"), "fees.maker"), (("account.deposits=FOO=1,USDT=5",), "account.deposits")):
        options = [x for s in sets for x in ("--set", s)]
        p = run("backtest", "examples/real-demo.yaml", *options, "--to", TMP / "idle", "--quiet", ok=(2,))
        assert p.stderr.startswith(f"fathom: --set: {place}"), p.stderr
        assert not (TMP / "idle").exists()
    # Bars have no book, and nothing that meets one.
    (TMP / "k.csv").write_text("open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n" + "".join(
        f"{1690848000000 + 60000 * i},{1 + i % 3}.1,{4 + i % 3}.1,1.0,{1 + i % 3}.2,1000,{1690848059999 + 60000 * i},3000,50,500,1500,0\n" for i in range(200)))
    run("import", TMP / "k.csv", "--format", "klines", "--symbol", "NEARUSDT", "--to", TMP / "bars", "--quiet")
    for s in ("sim.outages=1-2:reject", "sim.queue=log", "sim.price_band=0.01", "sim.order_max=5", "sim.rules=anchor", "sim.self_trade=taker",
              "sim.amend=keep", "sim.reduce_only=cut", "sim.request_limits=false"):
        p = run("backtest", "--set", f"data.tape={TMP / 'bars'}", "--set", "features.set=bars", "--set", "bucket.spec=time=60", "--set", "strategy.kind=momentum",
                "--set", "strategy.quantity=1", "--set", s, "--to", TMP / "idle", "--quiet", ok=(2,))
        assert "the data are bars" in p.stderr and s.split("=")[0] in p.stderr, p.stderr
    # The default spelt out says nothing new.
    backtest("spelt", "sim.rules=anchor", "sim.price_band=0.150", "margin.leverage=20")


def the_report_tells_the_limits_of_its_own_settings():
    def told(name, *sets):
        doc = json.load(open(backtest(name, *sets)[0] / "report.json"))
        return " ".join(doc["limits"]), doc["fills"]["note"]

    limits, note = told("told")
    assert "No outage, liquidation of others" in limits and "a constant 2 ms out and 3 ms back" in limits and "move nothing" in limits
    assert "a constant 2 ms out" in note and "maker fee 0.0002, taker fee 0.0005" in note
    limits, note = told("told-more", "sim.outages=100-110:reject", "sim.request_limits=false", "sim.impact.half_life_s=1", "fees.tiers=0:0.0001:0.0004")
    assert "No rate-limit ban, liquidation" in limits and "outages are those that were configured" in limits and "sim.impact" in limits
    assert "fees by fees.tiers" in note and "behind the end" not in limits
    assert "Of the 2 spans of sim.outages 1 begin behind the end of the data" in told("told-behind", "sim.outages=100-110:reject,345-350:lost")[0]
    run("latency", "fit", "examples/data/btcusdt-20240808.tape", "--to", TMP / "lat.csv")
    limits, note = told("told-fit", "sim.latency.model=fitted", f"sim.latency.file={TMP / 'lat.csv'}")
    assert f"drawn by {TMP / 'lat.csv'}" in limits and "constant" not in limits + note


def a_strategy_that_is_not_there_is_answered_with_those_that_are():
    assert "did you mean quoter" in run("backtest", "examples/real-demo.yaml", "--set", "strategy.kind=quoterr", "--to", TMP / "none", ok=(2,)).stderr
    assert "there are none, anchor_grid, bracket" in run("backtest", "examples/real-demo.yaml", "--set", "strategy.kind=zzzzzzz", "--to", TMP / "none", ok=(2,)).stderr


def main():
    tests = [v for k, v in globals().items() if callable(v) and "_" in k]
    passed = failed = 0
    for t in tests:
        try:
            t()
            passed += 1
        except AssertionError as e:
            failed += 1
            print(f"FAILED {t.__name__}: {e}")
    shutil.rmtree(TMP, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
