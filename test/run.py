#!/usr/bin/env python3
"""A run from raw input to report: the folder is whole, the figures add up, verify sees every change."""
import csv, json, pathlib, re, shutil, signal, subprocess, sys, tempfile, time
from decimal import Decimal

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/fathom"
failed = []


def call(*args, timeout=300):
    return subprocess.run([str(PROGRAM), *map(str, args)], capture_output=True, text=True, cwd=ROOT, timeout=timeout)


def hold(what, truth, figure=""):
    print(f"{'ok    ' if truth else 'FAILED'} {what} {figure if not truth else ''}".rstrip())
    if not truth:
        failed.append(what)


def figures(run):
    r = json.loads((run / "result.json").read_text())
    d = {k: Decimal(r[k]) for k in ("net", "gross", "fees", "funding", "rounding", "paper", "spread", "slippage",
                                    "equity_start", "equity_end", "turnover")}
    hold("net = equity_end - equity_start", d["net"] == d["equity_end"] - d["equity_start"])
    hold("net = gross - fees - rounding + funding", d["net"] == d["gross"] - d["fees"] - d["rounding"] + d["funding"])
    hold("gross = paper + spread + slippage", d["gross"] == d["paper"] + d["spread"] + d["slippage"])
    with open(run / "fills.csv", newline="") as f:
        fills = list(csv.DictReader(f))
    hold("fills.csv has every fill", len(fills) == r["fills"] and r["fills"] > 0, len(fills))
    hold("fees of fills.csv add up", sum(Decimal(x["fee"]) for x in fills) == d["fees"])
    hold("values of fills.csv add up", sum(Decimal(x["px"]) * Decimal(x["qty"]) for x in fills) == d["turnover"])
    signed = sum(Decimal(x["qty"]) * (1 if x["side"] == "buy" else -1) for x in fills)
    hold("position is the sum of fills", signed == Decimal(r["position_end"]) == Decimal(fills[-1]["position"]))
    traced(run, r, d, fills)
    with open(run / "orders.csv", newline="") as f:
        orders = {x["id"]: x for x in csv.DictReader(f)}
    hold("orders.csv has every order once", len(orders) == r["orders"], len(orders))
    filled = {}
    for x in fills:
        filled[x["order_id"]] = filled.get(x["order_id"], Decimal(0)) + Decimal(x["qty"])
    hold("no order is filled beyond its quantity", all(filled[i] <= Decimal(orders[i]["qty"]) for i in filled))
    hold("orders.csv tells the filled quantity", all(Decimal(o["filled"]) == filled.get(i, 0) for i, o in orders.items()))
    with open(run / "equity.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    hold("equity.csv has a row a bucket", len(rows) <= r["buckets"] and len(rows) >= r["buckets"] - 3, len(rows))


def traced(run, r, d, fills):
    """Every figure of the report is a sum over fills.csv (and the one price of the end)."""
    sign = {"buy": 1, "sell": -1}
    side = {"1": "maker", "0": "taker"}
    cash = sum(-sign[x["side"]] * Decimal(x["px"]) * Decimal(x["qty"]) for x in fills)
    hold("gross is what the fills earned, the rest marked at mid_end",
         cash + Decimal(r["position_end"]) * Decimal(r["mid_end"]) == d["gross"], (cash, d["gross"]))
    slippage = sum(sign[x["side"]] * (Decimal(x["mid_sent"]) - Decimal(x["mid"])) * Decimal(x["qty"]) for x in fills if x["mid"])
    hold("slippage is the move of mid between the two mids of each fill", slippage == d["slippage"], (slippage, d["slippage"]))
    for column in ("slippage", "spread"):
        hold(f"{column} adds up", sum(Decimal(x[column]) for x in fills) == d[column])
    hold("value of fills.csv adds up", sum(Decimal(x["value"]) for x in fills) == d["turnover"])
    for flag, word in side.items():
        mine = [x for x in fills if x["maker"] == flag]
        hold(f"{word} fees and value add up", sum(Decimal(x["fee"]) for x in mine) == Decimal(r[f"{word}_fees"])
             and sum(Decimal(x["value"]) for x in mine) == Decimal(r[f"{word}_value"]) and len(mine) == r[f"{word}_fills"])
        for h in ("1s", "10s", "60s"):
            marks = [Decimal(x[f"mark_{h}_bps"]) for x in mine if x[f"mark_{h}_bps"]]
            told = r[f"{word}_marks"][h]
            good = told["n"] == len(marks) and (not marks or abs(float(sum(marks) / len(marks)) - told["mean_bps"]) < 1e-9)
            hold(f"{word} mark-out after {h} is the mean of its column", good, told)
    hold("what has no mark is counted", all(r["unmarked"][h] == sum(not x[f"mark_{h}_bps"] for x in fills) for h in ("1s", "10s", "60s")))
    sums = {(x["maker"], x["column"]): x for x in json.loads(call("fills", run, "--sum", "--by", "maker", "--json").stdout)}
    hold("fills --sum --by maker tells the same", all(
        Decimal(sums[flag, "fee"]["sum"]) == Decimal(r[f"{word}_fees"]) for flag, word in side.items() if r[f"{word}_fills"]))
    last = r["last_ns"]
    checked = 0
    for x in fills[:: max(1, len(fills) // 12)]:
        for h in (1, 10, 60):
            at, told = int(x["ts_local_ns"]) + h * 10**9, x[f"mark_{h}s_bps"]
            if at > last:
                hold("no mark-out after the data", told == "", x)
                continue
            book = json.loads(call("book", run / "tape", "--at", at, "--json").stdout)["instruments"][0]
            mid = (Decimal(book["best_bid"]["px"]) + Decimal(book["best_ask"]["px"])) / 2
            want = sign[x["side"]] * (mid / Decimal(x["px"]) - 1) * 10000
            checked += 1
            if abs(want - Decimal(told)) > Decimal("0.00006"):
                hold("a mark-out equals the book rebuilt at its horizon", False, (x, h, want))
    hold("mark-outs equal the books rebuilt at their horizons", checked > 10, checked)


def page(run):
    html, doc = (run / "report.html").read_text(), json.loads((run / "report.json").read_text())
    hold("the page has no script and no outside link", not re.search(r"<script|https?://|src=|@import|url\(", html))
    hold("the page escapes names", "<b>evil" not in html and "&lt;b&gt;evil" in html)
    hold("every stage hash is on the page", all(v in html for v in doc["stages"].values()))
    r, parts = json.loads((run / "result.json").read_text()), doc["fills"]
    told = dict(zip(parts["fees"][0], parts["fees"][1]))
    hold("the page shows fees and mark-outs of result.json", "where the price went after the fills" in html
         and told["kind"] == "maker" and int(told["fills"]) == r["maker_fills"] and abs(float(told["fees"]) - float(r["maker_fees"])) < 1e-6)
    hold("the curve is that of result.json", parts["marks"]["maker"]["mean"] == [r["maker_marks"][k]["mean_bps"] for k in ("at_fill", "1s", "10s", "60s")])
    hold("limits and warnings are told", len(doc["limits"]) >= 3 and len(doc["warnings"]) >= 2)


def verify(run, work):
    hold("verify --twice: equal", call("verify", run, "--twice").returncode == 0)
    manifest = run / "manifest.json"
    text = manifest.read_text()
    stage = json.loads(text)["stages"]["fills"]
    manifest.write_text(text.replace(stage, "0123456789abcdef"))
    p = call("verify", run)
    hold("verify names the changed stage and exits 1", p.returncode == 1 and re.search(r"fills .*DIFFERENT", p.stdout), p.stdout)
    manifest.write_text(text[: len(text) // 2])
    hold("a cut manifest exits 3", call("verify", run).returncode == 3)
    manifest.write_text(text)
    config = run / "config.yaml"
    yaml = config.read_text()
    config.write_text(yaml.replace("entry_ms: 2", "entry_ms: 9"))
    hold("a changed configuration is seen", config.read_text() != yaml and call("verify", run).returncode == 1)
    config.write_text(yaml)
    segment = max((run / "tape").rglob("*"), key=lambda f: f.stat().st_size)
    raw = segment.read_bytes()
    segment.write_bytes(raw[:5000] + bytes([raw[5000] ^ 1]) + raw[5001:])
    p = call("verify", run)
    hold("a flipped bit of the tape stops verify with exit 3", p.returncode == 3, p.returncode)
    segment.write_bytes(raw)
    hold("restored: equal again", call("verify", run).returncode == 0)


def refusals(run, work, market):
    p = call("run", "examples/btcusdt-tick.yaml", "--set", f"data.input={market}", "--to", run)
    hold("an existing run is not overwritten (exit 2)", p.returncode == 2 and "--force" in p.stderr, p.stderr)
    p = call("run", "examples/btcusdt-tick.yaml", "--to", work / "none")
    hold("no input: exit 2 and the key to set", p.returncode == 2 and "data.input" in p.stderr, p.stderr)
    p = call("backtest", "--set", f"data.tape={run}/tape", "--set", f"model.path={work}/nothing", "--to", work / "none")
    hold("a missing model: exit 3 or 4, named", p.returncode in (3, 4) and "nothing" in p.stderr, p.stderr)
    p = call("backtest", "--set", f"data.tape={run}/tape", "--set", f"model.path={ROOT}/test/golden/logistic", "--to", work / "none")
    hold("a model of another feature set: exit 3", p.returncode == 3 and "signature" in p.stderr, p.stderr)
    p = call("backtest", "--set", f"data.tape={run}/tape", "--set", "strategy.quantity=0.00001", "--set", "strategy.kind=quoter", "--to", work / "none")
    hold("a quantity that is no lot: exit 2", p.returncode == 2 and "quantity" in p.stderr, p.stderr)
    for wrong in ("0", "-1"):
        p = call("backtest", "--set", f"data.tape={run}/tape", "--set", f"strategy.quantity={wrong}", "--set", "strategy.kind=quoter", "--to", work / "none")
        hold(f"a quantity of {wrong}: exit 2", p.returncode == 2 and "strategy.quantity" in p.stderr, p.stderr)
    p = call("report", run, "--index", work / "index.html", "--json")
    hold("report --json names what it wrote", json.loads(p.stdout) == {"reports": [f"{run}/report.html"], "index": str(work / "index.html")}, p.stdout)
    p = call("report", run, "--index", work / "index.html")
    hold("an index page is not replaced without --force", p.returncode == 2 and "--force" in p.stderr, p.stderr)
    p = call("report", run, "--index", work / "index.html", "--force")
    hold("and is with it", p.returncode == 0, p.stderr)
    p = call("backtest", "--set", f"data.tape={run}/tape", "--set", "strategy.kind=quoter", "--set", "risk.order_max=0.001",
             "--to", work / "idle")
    hold("a run without an order says what stopped it", p.returncode == 0 and "limit: size" in p.stdout, p.stdout + p.stderr)
    p = call("backtest", "--set", f"data.tape={run}/tape", "--set", "data.symbol=binance-usdm:SIMUSDT", "--to", work / "named")
    hold("a symbol may name its venue", p.returncode == 0, p.stderr)
    last = json.loads((run / "result.json").read_text())["last_ns"]
    call("tape", "cut", f"{run}/tape", "--from", last - 60 * 10**9, "--out", work / "tail")
    p = call("backtest", "--set", f"data.tape={work}/tail", "--set", "strategy.kind=quoter", "--to", work / "bookless")
    hold("a run without a book says so", p.returncode == 0 and "snapshot" in p.stdout, p.stdout + p.stderr)
    p = call("backtest", "--set", f"data.tape={run}/tape", "--set", "data.symbol=NOSUCH", "--to", work / "none")
    hold("no such symbol: exit 3", p.returncode == 3 and "NOSUCH" in p.stderr, p.stderr)
    p = call("run", "--set", f"data.tape={run}/tape", "--set", "model.kind=logistic", "--set", "study.folds=900", "--to", work / "none")
    hold("too few rows for the study: exit 3", p.returncode == 3, p.stderr)
    p = call("run", "--set", f"data.tape={run}/tape", "--to", "/proc/nowhere/run")
    hold("a folder that cannot be made: exit 4", p.returncode == 4, p.stderr)
    left = [f.name for f in work.iterdir() if f.name.startswith("none") or "partial" in f.name]
    hold("a failed run leaves nothing behind", not left, left)


def interrupted(work, market):
    p = subprocess.Popen([str(PROGRAM), "run", "examples/known-truth.yaml", "--set", f"data.input={market}", "--to",
                          str(work / "cut")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    for line in p.stderr:
        if "importing" in line or "walk-forward" in line:
            time.sleep(0.05)
            p.send_signal(signal.SIGINT)
            break
    _, err = p.communicate(timeout=120)
    left = [f.name for f in work.iterdir() if "cut" in f.name]
    hold("Ctrl-C: no half run is left, non-zero exit", p.returncode not in (0, 70) and not left, (p.returncode, left))


def fills(run):
    whole = call("fills", run).stdout.splitlines()
    sells = call("fills", run, "--where", "side = sell").stdout.splitlines()
    buys = json.loads(call("fills", run, "--where", "side != sell", "--json").stdout)
    hold("fills --where splits by side", len(whole) - 1 == len(sells) - 1 + len(buys) and len(buys) > 0)
    one = buys[0] if buys else {}
    hold("JSON fills: times and counts are numbers", all(isinstance(one.get(k), int) for k in (
         "ts_venue_ns", "ts_local_ns", "wait_ns", "order_id", "maker", "queue_placed", "queue_before")), one)
    hold("JSON fills: money is text", all(isinstance(one.get(k), str) for k in ("px", "qty", "fee", "position")), one)
    p = call("fills", run, "--sum", "--by", "sid")
    hold("a wrong --by: exit 2 and the nearest", p.returncode == 2 and "side" in p.stderr, p.stderr)
    p = call("fills", run, "--by", "side")
    hold("--by without --sum: exit 2", p.returncode == 2 and "--sum" in p.stderr, p.stderr)
    near = call("fills", run, "--where", "mark_1s_bps < -0.5 and queue_placed > 100 and type = limit and book_spread > 0").stdout.splitlines()
    hold("--where takes the new columns", 1 < len(near) < len(whole), len(near))
    p = call("fills", run, "--where", "sid = sell")
    hold("a wrong column prints nothing on stdout", p.stdout == "", p.stdout)
    hold("a wrong column: exit 2 and the nearest", p.returncode == 2 and "side" in p.stderr, p.stderr)


def faults(work):
    raw, run = work / "faulty.gz", work / "faulty"
    call("generate", raw, "--seed", 9, "--hours", "0.2", "--fault", "gap", "--fault", "malformed", "--fault", "dup")
    truth = json.loads((work / "faulty.truth.json").read_text())
    p = call("run", "examples/btcusdt-tick.yaml", "--set", f"data.input={raw}", "--to", run)
    doc = json.loads((run / "report.json").read_text()) if p.returncode == 0 else {}
    tables = {t["title"]: t["rows"] for t in doc.get("data", {}).get("tables", [])}
    rejected = {r[0]: r[1] for r in tables.get("Import", [])}
    hold("faults: the report counts what was planted", rejected.get("malformed") == "1" and rejected.get("duplicate_id") == "1", rejected)
    at = next((f["local_ns"] for f in truth["faults"] if f["kind"] == "gap"), 0)
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at // 10**9))
    spans = tables.get("Spans with a gap", [])[1:]
    hold("faults: the span with the gap is listed", len(spans) == 1 and spans[0][0][:19] <= stamp <= spans[0][1][:19], (spans, stamp))
    hold("the resolved configuration is in the report", "entry_ms" in doc.get("config", ""))


with tempfile.TemporaryDirectory(prefix="run-") as tmp:
    work = pathlib.Path(tmp)
    market, run = work / "market.gz", work / "a"
    call("generate", market, "--seed", 3, "--hours", "0.4", "--signal", "0.2@1")
    p = call("run", "examples/btcusdt-tick.yaml", "--set", f"data.input={market}", "--set", "name=<b>evil", "--to", run)
    hold("the run is made", p.returncode == 0, p.stderr)
    names = {f.name for f in run.iterdir()}
    want = {"manifest.json", "config.yaml", "result.json", "fills.csv", "orders.csv", "equity.csv", "decisions.csv", "report.json",
            "report.html", "tape"}
    hold("the folder holds what docs/formats/run.md names", names == want, names ^ want)
    figures(run)
    page(run)
    fills(run)
    again = work / "b"
    call("run", "examples/btcusdt-tick.yaml", "--set", f"data.input={market}", "--set", "name=<b>evil", "--to", again)
    same = [n for n in ("fills.csv", "orders.csv", "equity.csv") if (run / n).read_bytes() == (again / n).read_bytes()]
    hold("the same command gives the same bytes", len(same) == 3, same)
    hold("and counts one trial more", json.loads((again / "result.json").read_text())["trials"] == 2)
    verify(run, work)
    refusals(run, work, market)
    interrupted(work, market)
    faults(work)
    shutil.rmtree(again)
sys.exit(1 if failed else 0)
