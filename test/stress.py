#!/usr/bin/env python3
"""A stress: its worlds are runs anyone can repeat, its figures add up, threads change nothing, and broken feeds cost trades."""
import csv, json, pathlib, re, subprocess, sys, tempfile
from decimal import Decimal

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/fathom"
BASE = ["examples/real-demo.yaml", "--set", "features.set=book_spread_bps", "--quiet"]
AXES = ("fees.maker", "fees.taker", "sim.entry_ms", "sim.response_ms", "sim.queue", "sim.latency.reject_rate", "sim.outage_every_s",
        "sim.outage_s", "sim.outage_kind", "seed")
failed = []


def call(*args, timeout=300):
    return subprocess.run([str(PROGRAM), *map(str, args)], capture_output=True, text=True, cwd=ROOT, timeout=timeout)


def hold(what, truth, figure=""):
    print(f"{'ok    ' if truth else 'FAILED'} {what} {figure if not truth else ''}".rstrip())
    if not truth:
        failed.append(what)


def worlds(folder):
    with open(folder / "worlds.csv", newline="") as f:
        return list(csv.DictReader(f))


def repeatable(work, out):
    table, r = worlds(out), json.loads((out / "result.json").read_text())
    one = work / "one"
    call("backtest", *BASE, "--set", "fees.maker=-0.00012", "--to", one)
    plain = json.loads((one / "manifest.json").read_text())["stages"]
    hold("world 0 is the configuration as it is", table[0]["ledger_hash"] == plain["ledger"] == r["base"]["ledger_hash"])
    different = []
    for x in table[1::5]:
        call("backtest", *BASE, "--to", one, "--force", *[y for k in AXES for y in ("--set", f"{k}={x[k]}")])
        stages = json.loads((one / "manifest.json").read_text())["stages"]
        if any(stages[h] != x[f"{h}_hash"] for h in ("orders", "fills", "ledger")):
            different.append(x["set"])
    hold("a world is a backtest with its values: orders, fills, ledger", not different, different)
    drawn = table[1:]
    hold("worlds are worse, not better: latency, fees, rejects", all(
        float(x["sim.entry_ms"]) >= 2 and float(x["fees.maker"]) >= -0.00012 and float(x["sim.latency.reject_rate"]) >= 0 for x in drawn))
    hold("the share of worlds with a profit is that of worlds.csv", r["worlds"] == len(drawn) == 16
         and r["worlds_profitable"] == sum(Decimal(x["net"]) > 0 for x in drawn), r["worlds_profitable"])
    hold("some worlds win and some lose here, so the share says something", 0 < r["worlds_profitable"] < 16, r["worlds_profitable"])
    head = json.loads((out / "report.json").read_text())["headline"]
    hold("the page opens with that share", head.startswith(f"{r['worlds_profitable']} of 16 perturbed worlds"), head)
    surface = r["surface"]
    hold("the surface starts at the configuration", surface[0]["net"] == r["base"]["net"] and surface[0]["latency_factor"] == 1 and len(surface) == 36)
    hold("dearer fees cost more in each row of it", all(
        Decimal(surface[6 * a + b]["net"]) > Decimal(surface[6 * a + b + 1]["net"]) for a in range(6) for b in range(5)))
    return r


def tapes(r, work):
    """The windows again, from the exported tape: every fifth of the data, by range of prints and by messages."""
    call("tape", "export", "examples/data/btcusdt-20240808.tape", "--to", work / "tape.csv", "--quiet")
    low, high, opened, messages, first = {}, {}, {}, {}, None
    with open(work / "tape.csv", newline="") as f:
        for x in csv.DictReader(f):
            t = int(x["local_ns"])
            first = t if first is None else first
            k = (t - first) // (60 * 10**9)
            messages[k] = messages.get(k, 0) + ("L" in x["flags"])
            if x["kind"] != "trade" or "N" in x["flags"]:
                continue
            px = float(x["px"])
            opened.setdefault(k, px)
            low[k], high[k] = min(low.get(k, px), px), max(high.get(k, px), px)
    by_move = sorted(low, key=lambda k: -(high[k] - low[k]) / opened[k])[:2]
    by_count = [k for k in sorted(messages, key=lambda k: -messages[k]) if k not in by_move][:2]
    want = [first + k * 60 * 10**9 for k in by_move + by_count]
    hold("the extreme spans are those of the tape", [x["from_ns"] for x in r["extremes"]] == want, (want, r["extremes"]))
    hold("with its moves and counts", all(
        abs(x["move_bps"] - (high[k] - low[k]) / opened[k] * 1e4) < 1e-6 and x["messages"] == messages[k]
        for x, k in zip(r["extremes"], by_move + by_count)))
    spans = [x for x in r["extremes"] if x["by"] == "move"]
    hold("extreme spans do not overlap and fall by size", len(r["extremes"]) == 4 and len({x["from_ns"] for x in r["extremes"]}) == 4
         and spans == sorted(spans, key=lambda x: -x["move_bps"]), r["extremes"])
    hold("each was traded alone", all(x["fills"] > 0 and not x["failed"] for x in r["extremes"]))
    holes = r["holes"]
    hold("each hole was made and its book restored", [h["holes"] for h in holes] == [6, 6] and all(h["restored"] == 6 for h in holes), holes)
    hold("a broken feed costs fills", all(0 < h["fills"] < r["base"]["fills"] for h in holes), holes)
    h = r["histories"]
    hold("short data are told: spans, not days", h["blocks_of"] == "spans" and h["net_5"] < h["net_50"] < h["net_95"] and 0 <= h["profitable"] <= 1, h)


def by_days(work):
    """Bars of 30 generated days: histories resample days, worlds move the slippage, feeds cannot break."""
    bars = work / "bars.csv"
    step, px, seed = 3600 * 10**3, 100.0, 7
    lines = []
    for i in range(30 * 24):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        new = round(px * (1 + ((seed >> 33) % 2001 - 1000) / 1e5), 2)
        lo, hi = min(px, new), max(px, new)
        t = 1700000000000 // step * step + i * step
        lines.append(f"{t},{px:.2f},{hi:.2f},{lo:.2f},{new:.2f},50.000,{t + step - 1},5000.0,100,25.000,2500.0,0")
        px = new
    bars.write_text("\n".join(lines) + "\n")
    p = call("stress", "--set", f"data.input={bars}", "--set", "data.symbol=NEARUSDT", "--set", "bucket.spec=time=3600", "--set", "features.set=bars",
             "--set", "strategy.kind=momentum", "--set", "strategy.quantity=1", "--set", "strategy.position_max=1", "--set", "stress.worlds=8",
             "--set", "stress.span_s=86400", "--to", work / "bars", "--quiet")
    if p.returncode != 0:
        hold("a stress on bars", False, p.stderr)
        return
    r = json.loads((work / "bars" / "result.json").read_text())
    hold("with 30 days, histories are made of days", r["histories"]["blocks_of"] == "days" and r["histories"]["block_s"] == 86400
         and 29 <= r["histories"]["blocks"] <= 31, r["histories"])
    hold("bars have no book to lose", r["holes"] == [] and r["mode"] == "bars" and len(r["extremes"]) > 0)


with tempfile.TemporaryDirectory(prefix="stress-") as tmp:
    work = pathlib.Path(tmp)
    more = ["--set", "fees.maker=-0.00012", "--set", "stress.worlds=16", "--set", "stress.spans=2", "--set", "stress.holes=6", "--set", "stress.bootstrap=300"]
    p = call("stress", *BASE, *more, "--to", work / "a", "--jobs", 1)
    hold("the stress is made", p.returncode == 0, p.stderr)
    call("stress", *BASE, *more, "--to", work / "b", "--jobs", 3)
    same = [n for n in ("worlds.csv", "result.json") if (work / "a" / n).read_bytes() == (work / "b" / n).read_bytes()]
    hold("threads change nothing", len(same) == 2, same)
    left = sorted(f.name for f in (work / "a").iterdir())
    hold("the folder holds what it says", left == ["config.yaml", "manifest.json", "report.html", "report.json", "result.json", "worlds.csv"], left)
    page = (work / "a" / "report.html").read_text()
    hold("the page has no script and no outside link", not re.search(r"<script|https?://|src=|@import|url\(", page))
    tapes(repeatable(work, work / "a"), work)
    by_days(work)
    p = call("stress", *BASE, "--set", "stress.worlds=3", "--set", "stress.spans=1", "--set", "stress.outage_every_s=0", "--set", "sim.outages=100-110:reject",
             "--set", "sim.outage_every_s=40", "--set", "sim.outage_s=2", "--to", work / "own")
    hold("outages are drawn no more, those configured stay", p.returncode == 0 and {(float(x["sim.outage_every_s"]), float(x["sim.outage_s"]))
         for x in worlds(work / "own")} == {(40.0, 2.0)}, p.stderr)
    p = call("stress", "--set", "data.tape=examples/data/btcusdt-20240808.tape", "--to", work / "none")
    hold("nothing to stress: exit 2", p.returncode == 2 and "strategy.kind" in p.stderr, p.stderr)
    hold("and leaves nothing", not (work / "none").exists())
sys.exit(1 if failed else 0)
