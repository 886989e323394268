#!/usr/bin/env python3
"""Several instruments in one run: as if alone, whatever the tapes; one account whose figures add up."""
import csv, json, pathlib, subprocess, sys, tempfile
from decimal import Decimal

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/fathom"
RAW = ROOT.parent / "shared/data/raw"
STAGES = ["events", "books", "buckets", "features", "predictions", "orders", "fills", "ledger"]
failed = []


def call(*args, code=0):
    p = subprocess.run([str(PROGRAM), *map(str, args)], capture_output=True, text=True, cwd=ROOT, timeout=300)
    if p.returncode != code:
        sys.exit(f"fathom {' '.join(map(str, args))[:200]}: exit {p.returncode}: {p.stderr.strip()[-400:]}")
    return p


def hold(what, truth, figure=""):
    print(f"{'ok    ' if truth else 'FAILED'} {what} {figure if not truth else ''}".rstrip())
    if not truth:
        failed.append(what)


def backtest(out, *sets, code=0):
    options = [x for s in sets for x in ("--set", s)]
    p = call("backtest", "--to", out, "--quiet", "--force", *options, code=code)
    if code:
        return p.stderr
    return json.loads((out / "manifest.json").read_text()), json.loads((out / "result.json").read_text())


def rows(out, name):
    with open(out / name, newline="") as f:
        return list(csv.DictReader(f))


def alone(work, tapes, items, common, shared, result):
    """Each instrument of the run beside a run of its own."""
    for i, item in enumerate(items):
        name, *own = item.split()
        run = work / f"alone-{i}"
        _, one = backtest(run, *common, *shared, f"data.symbol={name}", *own)
        part = result["instruments"][i]
        same = ["fills", "orders", "cancels", "rejects", "buckets", "events", "fees", "turnover", "position_end", "net"]
        differ = [k for k in same if one[k] != part[k]]
        hold(f"{name} in company trades as if alone", not differ and one["fills"] > 0,
             [(k, one[k], part[k]) for k in differ])
        want = [{k: v for k, v in x.items()} for x in rows(run, "fills.csv")]
        got = [x for x in rows(tapes, "fills.csv") if x["symbol"] == want[0]["symbol"]]
        hold(f"{name}: every row of fills.csv is equal", got == want, (len(got), len(want)))


def adds_up(out, result):
    parts = result["instruments"]
    for k in ("fills", "orders", "buckets", "events", "cancels", "rejects"):
        hold(f"{k} of the instruments add up", sum(p[k] for p in parts) == result[k], result[k])
    hold("net = equity_end - equity_start",
         Decimal(result["net"]) == Decimal(result["equity_end"]) - Decimal(result["equity_start"]))
    gross = sum(Decimal(result[k]) for k in ("net", "fees", "rounding")) - Decimal(result["funding"]) - Decimal(result["revaluation"])
    hold("gross = net + fees + rounding - funding - revaluation", Decimal(result["gross"]) == gross)
    for p in parts:
        name = f"{p['venue']}:{p['symbol']}"
        fills = [x for x in rows(out, "fills.csv") if x["symbol"] == name]
        hold(f"{name}: fees of fills.csv add up", sum(Decimal(x["fee"]) for x in fills) == Decimal(p["fees"]))
        hold(f"{name}: orders.csv has every order",
             len([x for x in rows(out, "orders.csv") if x["symbol"] == name]) == p["orders"])


def generated(work):
    for i, symbol in enumerate(("AAAUSDT", "BBBUSDT")):
        call("generate", work / f"{symbol}.gz", "--seed", 7 + i, "--hours", "0.2", "--symbol", symbol, "--quiet")
        call("import", work / f"{symbol}.gz", "--to", work / f"{symbol}.tape", "--quiet")
    call("import", work / "AAAUSDT.gz", work / "BBBUSDT.gz", "--to", work / "both.tape", "--quiet")
    items = ["AAAUSDT", "BBBUSDT strategy.quantity=0.02"]
    common = ["strategy.kind=quoter", "sim.rules=strict"]
    several = "instruments=" + ",".join(items)
    m, r = backtest(work / "one", *common, several, f"data.tape={work}/both.tape")
    n, _ = backtest(work / "two", *common, several, f"data.tapes={work}/AAAUSDT.tape,{work}/BBBUSDT.tape")
    hold("one tape and separate tapes: every stage hash is equal", m["stages"] == n["stages"], (m["stages"], n["stages"]))
    same = all(rows(work / "one", f) == rows(work / "two", f) for f in ("fills.csv", "orders.csv", "equity.csv"))
    hold("one tape and separate tapes: every row is equal", same)
    hold("verify --twice: equal", call("verify", work / "one", "--twice").returncode == 0)
    hold("verify of separate tapes: equal", call("verify", work / "two").returncode == 0)
    alone(work, work / "one", items, common, [f"data.tape={work}/both.tape"], r)
    adds_up(work / "one", r)
    money = Decimal(r["equity_end"]) - Decimal(r["equity_start"])
    hold("the account gains what its instruments gain", money == sum(Decimal(p["net"]) for p in r["instruments"]))
    m, _ = backtest(work / "all", *common, "instruments=all", f"data.tape={work}/both.tape", "strategy.quantity=0.01")
    hold("all = every instrument of the tape", m["symbol"] == "2 instruments", m["symbol"])
    swapped, _ = backtest(work / "swap", *common, "instruments=" + ",".join(reversed(items)), f"data.tape={work}/both.tape")
    hold("another order of instruments is another run, with the same fills",
         sorted(map(str, rows(work / "swap", "fills.csv"))) == sorted(map(str, rows(work / "one", "fills.csv"))))


def refused(work):
    tape = f"data.tape={work}/both.tape"
    for want, sets in (
        ("is named twice", ["instruments=AAAUSDT,AAAUSDT"]),
        ("no instrument ZZZ", ["instruments=AAAUSDT,ZZZ"]),
        ("cannot differ between instruments", ["instruments=AAAUSDT data.strict=true"]),
        ("did you mean `strategy.quantity`", ["instruments=AAAUSDT strategy.quantty=1"]),
        ("choose one with data.symbol, of binance-usdm:", []),
        ("both set", ["instruments=AAAUSDT", "data.symbol=AAAUSDT"]),
        ("more than 0 is wanted", ["data.symbol=AAAUSDT", "account.deposit=0"]),
        ("between -1 and 1, or venue", ["instruments=AAAUSDT", "fees.maker=2"]),
        ("VOLUME:MAKER:TAKER", ["instruments=AAAUSDT", "fees.tiers=0:1"]),
        ("a volume above the row before it", ["instruments=AAAUSDT", "fees.tiers=0:0.1:0.1,0:0.1:0.1"]),
        ("NOTIONAL:MAINTENANCE:LEVERAGE", ["instruments=AAAUSDT", "margin.ladder=binance-eth"]),
        ("ASSET=AMOUNT is wanted", ["data.symbol=AAAUSDT", "account.deposits=USDT"]),
        ("prices USDT in EUR", ["data.symbol=AAAUSDT", "account.currency=EUR", "account.deposits=USDT=5"]),
        ("of which the account holds nothing", ["data.symbol=AAAUSDT", "account.currency=EUR"]),
    ):
        text = backtest(work / "no", tape, *sets, code=3 if "no instrument" in want else 2)
        hold(f"refused: {want}", want in text, text.strip()[-200:])


def example(work):
    for i, symbol in enumerate(("AAAUSDT", "BBBUSDT")):
        call("generate", work / f"example-{i}.gz", "--seed", 7 + i, "--hours", "0.1", "--symbol", symbol, "--quiet")
    call("run", "examples/multi-two.yaml", "--to", work / "example", "--quiet",
         "--set", f"data.input={work}/example-0.gz,{work}/example-1.gz")
    r = json.loads((work / "example/result.json").read_text())
    hold("the example trades both instruments", [p["fills"] > 0 for p in r["instruments"]] == [True, True])
    hold("verify of the example: equal", call("verify", work / "example").returncode == 0)


def swept(work):
    """Each row of a sweep over several instruments is a run of its own."""
    items = "instruments=AAAUSDT,BBBUSDT strategy.quantity=0.02"
    common = [f"data.tape={work}/both.tape", "strategy.kind=quoter", items]
    (work / "sweep.yaml").write_text("sweep:\n  vary: ['fees.maker = 0.0002, 0.0001', 'strategy.period_ms = 100, 250']\n")
    options = [x for c in common for x in ("--set", c)]
    call("sweep", work / "sweep.yaml", "--to", work / "sweep", "--quiet", *options)
    table = rows(work / "sweep", "sweep.csv")
    hold("a sweep has a row a set", len(table) == 4, len(table))
    for row in table:
        _, r = backtest(work / "set", *common, *(f"{k}={row[k]}" for k in ("fees.maker", "strategy.period_ms")))
        same = Decimal(row["net"]) == Decimal(r["net"]) and int(row["fills"]) == r["fills"] > 0
        hold(f"set {row['set']} is a run of its own", same, (row["net"], r["net"]))


def liquidated(work):
    """The margin of a hundredth of its worth behind a position that follows every move."""
    out = work / "liquidated"
    common = [f"data.tape={work}/AAAUSDT.tape", "strategy.kind=momentum", "strategy.momentum_bps=0.2",
              "margin.leverage=125", "risk.daily_loss=1000000", "margin.clearance=0.0001"]
    ladder = "margin.ladder=0:0.0079:125"
    for deposit in ("0.5", "0.4", "0.35", "0.3", "0.27", "0.25"):
        _, r = backtest(out, *common, ladder, f"account.deposit={deposit}")
        if r["margin"]["liquidations"] > 0:
            break
    hold("a position that its margin does not carry is liquidated", r["margin"]["liquidations"] > 0, r["margin"])
    fills = [x for x in rows(out, "fills.csv") if x["type"] == "liquidation"]
    hold("fills.csv names the venue's fills", len(fills) == r["margin"]["liquidation_fills"] + r["margin"]["takeovers"])
    hold("the account never owes", Decimal(r["equity_end"]) >= 0, r["equity_end"])
    hold("fees of fills.csv hold the clearance", sum(Decimal(x["fee"]) for x in rows(out, "fills.csv")) == Decimal(r["fees"]))
    hold("verify: equal", call("verify", out).returncode == 0)
    _, free = backtest(out, *common, ladder, f"account.deposit={deposit}", "margin.on=false")
    hold("margin.on=false: neither refused nor liquidated", free["margin"]["refused"] == free["margin"]["liquidations"] == 0)


def tiers(work):
    """Every fee is its value at the tier of the days before, here all before the run."""
    common = [f"data.tape={work}/AAAUSDT.tape", "strategy.kind=quoter", "fees.tiers=0:0.0002:0.0005,1000:-0.0001:0.0004"]
    for volume, rate in ((0, "0.0002"), (999, "0.0002"), (1000, "-0.0001")):
        backtest(work / "tier", *common, f"fees.volume_30d={volume}")
        fills = rows(work / "tier", "fills.csv")
        good = fills and all(Decimal(x["fee"]) == Decimal(x["value"]) * Decimal(rate) for x in fills if x["maker"] == "1")
        hold(f"{volume} traded before: maker rate {rate}", good)


def recorded(work):
    files = [RAW / "binance-usdm/btcusdt_20240808.gz", RAW / "binance-usdm/ethusdt_20240808.gz",
             *sorted((RAW / "binance-coinm").glob("*.gz")), *sorted((RAW / "binance-spot").glob("*.gz"))]
    absent = [f for f in files if not f.exists()]
    if absent or len(files) < 6:
        print(f"skipped recordings: {(absent or [RAW])[0]} is not there")
        return
    call("import", *files, "--to", work / "four.tape", "--quiet")
    items = ["binance-usdm:BTCUSDT", "ETHUSDT strategy.quantity=0.1 strategy.position_max=1",
             "BTCUSD_PERP strategy.quantity=10 strategy.position_max=100 risk.order_max=1000 risk.position_max=1000"]
    common = ["strategy.kind=quoter"]
    tape = [f"data.tape={work}/four.tape"]
    deposits = ["account.deposits=USDT=10000,BTC=0.2"]
    _, r = backtest(work / "four", *common, *tape, *deposits, "instruments=" + ",".join(items))
    hold("linear and inverse in one account", r["settle"] == "USDT" and [p["settle"] for p in r["instruments"]] == ["USDT", "USDT", "BTC"])
    adds_up(work / "four", r)
    hold("verify --twice of recordings: equal", call("verify", work / "four", "--twice").returncode == 0)
    mid = Decimal(r["instruments"][0]["mid_end"])
    profit = sum(Decimal(p["net"]) * (mid if p["settle"] == "BTC" else 1) for p in r["instruments"])
    want = profit + Decimal(r["revaluation"])
    hold("profit in BTC counts at the price of BTCUSDT", abs(Decimal(r["net"]) - want) < Decimal("1e-10"), (r["net"], want))


def bars(work):
    """Bars, recorded marks and settled funding of two instruments."""
    folder = ROOT.parent / "shared/data/bars/binance-usdm"
    files = [folder / f"{c}_USDT_USDT-{k}.csv.gz" for c in ("BTC", "ETH") for k in ("1h-futures", "8h-funding_rate", "8h-mark")]
    absent = [f for f in files if not f.exists()]
    if absent:
        print(f"skipped bars: {absent[0]} is not there")
        return
    call("import", *files, "--to", work / "bars.tape", "--quiet")
    common = ["bucket.spec=time=3600", "features.set=bars", "strategy.kind=momentum", "strategy.momentum_bps=10",
              "strategy.position_max=0.01", "account.deposit=100000", f"data.tape={work}/bars.tape"]
    _, r = backtest(work / "bars", *common, "instruments=BTCUSDT,ETHUSDT")
    m = r["margin"]
    hold("funding is settled at recorded rates and marks", m["fundings"] > 50 and m["funding_told"] == m["funding_by_price"] == 0, m)
    for p in r["instruments"]:
        _, one = backtest(work / "bar", *common, f"data.symbol={p['symbol']}")
        hold(f"{p['symbol']} bars in company as alone", (one["net"], one["funding"]) == (p["net"], p["funding"]) and p["fills"] > 0)


def main():
    with tempfile.TemporaryDirectory(prefix="multi-") as tmp:
        work = pathlib.Path(tmp)
        generated(work)
        refused(work)
        example(work)
        swept(work)
        liquidated(work)
        tiers(work)
        recorded(work)
        bars(work)
    print(f"{len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
