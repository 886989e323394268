#!/usr/bin/env python3
"""hftbacktest and fathom over one raw recording in one run: the same orders and fills, and what each costs.

    bench/peers/hftbacktest/run.sh [--recording FILE] [--rounds N] [--check] [--json]

Both hold their events in memory before the clock starts; both sites' views are right at every strategy call. The peer runs its fast
ROI book, compiled by numba and warm; making the backtest object (and our world) is outside the timed part on both sides. Rounds take
turns (peer, fathom, peer, fathom, ...); a figure is the least CPU time of the rounds. Fathom's passes keep all stage hashes on; the
peer has none. Each case is also run once with every fill listed, and through the program (fathom backtest examples/anchor-*.yaml):
all must be equal, else exit 1. --check leaves the timing out.

Fills of a step are hashed by rising order id (FNV-1a 64 over venue time, side, tick, lots), as docs/simulator.md says; the grid's
ids differ between the two, so its fills are compared as sorted lists.
"""
import argparse, contextlib, gzip, hashlib, io, json, os, pathlib, platform, subprocess, sys, time

import numpy as np
import hftbacktest
from hftbacktest import types
from hftbacktest import BacktestAsset, HashMapMarketDepthBacktest, ROIVectorMarketDepthBacktest
from hftbacktest.data import validation
from hftbacktest.data.utils import binancefutures

import strategies

ROOT = pathlib.Path(__file__).resolve().parents[3]
DEFAULT = ROOT / "../shared/data/raw/binance-usdm/btcusdt_20240808.gz"
QUEUES = {"risk": "risk_adverse_queue_model", "log": "log_prob_queue_model", "log2": "log_prob_queue_model2",
    "power": "power_prob_queue_model", "power2": "power_prob_queue_model2", "power3": "power_prob_queue_model3"}
MAKER, TAKER = -0.00005, 0.0007


def fail(code, text):
    print(text, file=sys.stderr)
    sys.exit(code)


def fathom(*args):
    r = subprocess.run([str(ROOT / "build/fathom"), *map(str, args)], capture_output=True, text=True)
    if r.returncode:
        fail(1, f"fathom {' '.join(map(str, args))}: exit {r.returncode}: {r.stderr.strip()}")
    return r.stdout


def anon_kib():
    for line in open("/proc/self/status"):
        if line.startswith("RssAnon:"):
            return int(line.split()[1])
    return -1


def fnv(rows):
    h = 0xCBF29CE484222325
    for row in rows:
        for v in row:
            for b in int(v).to_bytes(8, "little", signed=True):
                h = ((h ^ b) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


def tape_of(recording, work):
    """Our tape of the recording, and its instrument."""
    tape = work / (recording.name.split(".")[0] + ".tape")
    fathom("import", recording, "--to", tape, "--quiet", "--force")
    info = json.loads(fathom("tape", "info", tape, "--json"))
    return tape, info["instruments"][0], info


def convert_spot(recording):
    """Spot streams, for which the package has no converter: depth at E, trades at T, the same order repair. A snapshot carries no time:
    it stands where the fastest message would have brought it."""
    rows, untimed = [], []
    buy, sell = types.BUY_EVENT, types.SELL_EVENT
    with gzip.open(recording, "rt") as f:
        for line in f:
            local, message = int(line[:19]), json.loads(line[20:])
            data = message.get("data")
            if data is None and "bids" in message:
                for side, levels in ((buy, message["bids"]), (sell, message["asks"])):
                    untimed += [len(rows)] if levels else []
                    rows += [(types.DEPTH_CLEAR_EVENT | side, 0, local, float(levels[-1][0]), 0, 0, 0, 0)] if levels else []
                    for px, qty in levels:
                        untimed.append(len(rows))
                        rows.append((types.DEPTH_SNAPSHOT_EVENT | side, 0, local, float(px), float(qty), 0, 0, 0))
            elif data and data.get("e") == "trade":
                rows.append((types.TRADE_EVENT | (sell if data["m"] else buy), data["T"] * 10**6, local, float(data["p"]), float(data["q"]), 0, 0, 0))
            elif data and data.get("e") == "depthUpdate":
                for side, levels in ((buy, data["b"]), (sell, data["a"])):
                    rows += [(types.DEPTH_EVENT | side, data["E"] * 10**6, local, float(px), float(qty), 0, 0, 0) for px, qty in levels]
    rows = np.array(rows, types.event_dtype)
    timed = np.ones(len(rows), bool)
    timed[untimed] = False
    rows["exch_ts"][~timed] = rows["local_ts"][~timed] - min(0, int((rows["local_ts"] - rows["exch_ts"])[timed].min()))
    rows = validation.correct_local_timestamp(rows, 0)
    order = [np.argsort(rows[key], kind="mergesort") for key in ("exch_ts", "local_ts")]
    rows = validation.correct_event_order(rows, *order)
    validation.validate_event_order(rows)
    return rows


def convert(recording, work, venue):
    """The peer's own conversion and order repair, once; 64-byte aligned, as its engine wants."""
    npy = work / (f"{venue}-{recording.name.split('.')[0]}.npy")
    if not npy.exists():
        with contextlib.redirect_stdout(io.StringIO()):
            data = convert_spot(recording) if venue == "binance-spot" else binancefutures.convert(str(recording), combined_stream=True)
        np.savez_compressed(npy.with_suffix(".npz"), data=data)
        np.save(npy, data)
    rows = np.load(npy)
    raw = np.empty(rows.nbytes + 64, np.uint8)
    start = -raw.ctypes.data % 64
    out = raw[start:start + rows.nbytes].view(rows.dtype)
    out[:] = rows
    return out, npy.with_suffix(".npz")


class Peer:
    def __init__(self, args, rows):
        self.args, self.rows = args, rows
        self.fills = np.zeros((1_000_000, 4), np.int64)
        trades = rows["px"][(rows["ev"] & 0xFF) == 2]
        middle = float(np.median(trades if len(trades) else rows["px"]))
        self.roi = args.roi or (middle * 0.65, middle * 1.3)

    def build(self, queue, power, entry_ms, response_ms, book):
        a = BacktestAsset().data(self.rows).constant_order_latency(int(entry_ms * 1e6), int(response_ms * 1e6))
        a = a.inverse_asset(self.args.contract) if self.args.inverse else a.linear_asset(1.0)
        model = getattr(a, QUEUES[queue])
        a = model(power) if queue.startswith("power") else model()
        a = a.no_partial_fill_exchange().trading_value_fee_model(MAKER, TAKER)
        a = a.tick_size(self.args.tick).lot_size(self.args.lot)
        if book == "hash":
            return HashMapMarketDepthBacktest([a])
        return ROIVectorMarketDepthBacktest([a.roi_lb(self.roi[0]).roi_ub(self.roi[1])])

    def run(self, case, queue, power, entry_ms, response_ms, listed, book):
        bt = self.build(queue, power, entry_ms, response_ms, book)
        c = time.thread_time()
        steps, n, sent, cancels, expired = strategies.CASES[case](bt, self.args.qty, self.fills, listed)
        c = time.thread_time() - c
        s = bt.state_values(0)
        got = dict(cpu_ms=c * 1e3, steps=int(steps), orders=int(sent), fills=int(s.num_trades), cancels=int(cancels),
            expired=int(expired), position=round(s.position / self.args.lot), balance=float(s.balance), fee=float(s.fee))
        if listed:
            got["list"] = self.fills[:int(n)].tolist()
            got["checksum"] = fnv(got["list"])
        bt.close()
        return got


class Ours:
    def __init__(self, tape, qty):
        self.program = ROOT / "build/bench/sim_bench"
        if not self.program.exists():
            fail(77, f"skipped: {self.program} is not built: make bench-peers builds it")
        self.p = subprocess.Popen([str(self.program), "serve", str(tape), f"{qty:.12g}"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

    def run(self, case, queue, power, entry_ms, response_ms, listed):
        self.p.stdin.write(f"{case} {queue} {power:g} {entry_ms:g} {response_ms:g}{' list' if listed else ''}\n")
        self.p.stdin.flush()
        line = self.p.stdout.readline()
        if not line:
            fail(1, f"sim_bench serve ended at case {case}")
        return json.loads(line)


class Program:
    """The same through the program, over the tape's two cursors: examples/anchor-*.yaml."""

    def __init__(self, tape, args, work):
        self.tape, self.args, self.out = tape, args, work / "run"

    def run(self, case, queue, power, entry_ms, response_ms):
        config = ROOT / "examples" / f"anchor-{'grid' if case == 'anchor_grid' else 'quoter'}.yaml"
        sets = {"data.tape": self.tape, "output": self.out, "report.html": "false", "sim.queue": queue, "sim.queue_power": power or 2,
            "sim.entry_ms": entry_ms, "sim.response_ms": response_ms, "strategy.quantity": f"{self.args.qty:.12g}",
            "strategy.position_max": f"{10 * self.args.qty:.12g}"}
        fathom("backtest", config, "--force", "--quiet", *[w for k, v in sets.items() for w in ("--set", f"{k}={v}")])
        return json.loads((self.out / "result.json").read_text())["anchor"]


def program_differs(case, ours, got):
    pairs = {"orders": ours["orders"], "fills": ours["fills"], "cancels": ours["canceled"], "cancel_requests": ours["cancels_sent"],
        "expired": ours["expired"], "position_lots": ours["position"], "checksum": ours["checksum"], "steps": ours["steps"], "unhashed": 0}
    bad = [f"program: {k} {got[k]} for {v}" for k, v in pairs.items() if got[k] != v]
    return bad + [f"program: {k}" for k in ("balance", "fee") if abs(float(got[k]) - ours[k + "_e12"] / 1e12) > 1e-9]


def differences(case, peer, ours):
    """What is not equal. Money: the peer adds up doubles."""
    asked = case == "anchor_grid"
    pairs = [("steps", peer["steps"], ours["steps"])]
    if case != "replay":
        pairs += [("orders", peer["orders"], ours["orders"]), ("fills", peer["fills"], ours["fills"]),
            ("position", peer["position"], ours["position"]),
            ("cancels", peer["cancels"], ours["cancels_sent" if asked else "canceled"])]
        if not asked:
            pairs.append(("expired", peer["expired"], ours["expired"]))
        pairs.append(("list of fills", sorted(map(tuple, peer["list"])), sorted(map(tuple, ours["list"]))))
        if not asked:
            pairs.append(("checksum", peer["checksum"], ours["checksum"]))
    bad = [name for name, a, b in pairs if a != b]
    for name, mine in (("balance", ours["balance_e12"] / 1e12), ("fee", ours["fee_e12"] / 1e12)):
        if case != "replay" and abs(peer[name] - mine) > 1e-6 * max(1.0, abs(mine)):
            bad.append(f"{name} ({peer[name]} and {mine})")
    return bad


def machine():
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def compare_case(args, peer, ours, program, case, queue, power, latency):
    setting = (queue, power, *latency)
    a, b = peer.run(case, *setting, case != "replay", args.book), ours.run(case, *setting, case != "replay")
    bad = differences(case, a, b)
    if case != "replay":
        bad += program_differs(case, b, program.run(case, *setting))
    out = dict(case=case, queue=f"{queue}({power:g})" if power else queue, latency_ms=list(latency), equal=not bad, differ=bad,
        steps=b["steps"], orders=b["orders"], fills=b["fills"], cancels=a["cancels"], expired=b["expired"], position=b["position"],
        balance=b["balance_e12"] / 1e12, fee=b["fee_e12"] / 1e12, checksum=b.get("checksum"), peer_checksum=a.get("checksum"),
        orders_hash=b["orders_hash"])
    if args.check:
        return out
    times = [[], []]
    for _ in range(args.rounds):
        times[0].append(peer.run(case, *setting, False, args.book)["cpu_ms"])
        got = ours.run(case, *setting, False)
        times[1].append(got["cpu_ms"])
        if got["orders_hash"] != b["orders_hash"] or got["checksum"] != b["checksum"]:
            out["equal"] = False
            out["differ"] = bad + ["two passes of fathom"]
    half = args.rounds // 2
    out.update(peer_ms=min(times[0]), fathom_ms=min(times[1]), ratio=min(times[0]) / min(times[1]),
        peer_mrows=len(peer.rows) / min(times[0]) / 1e3, fathom_mrows=b["rows"] / min(times[1]) / 1e3,
        noise=[min(t[:half]) / min(t[half:]) if half else 1 for t in times], fathom_anon_kib=got["rss_anon_kib"])
    return out


def show(out):
    head = f"{out['case']:<11} {out['queue']:<9} {out['latency_ms'][0]:g}/{out['latency_ms'][1]:g} ms"
    what = f"{out['orders']} orders, {out['fills']} fills, position {out['position']} lots, checksum {out['checksum'] or '-'}"
    same = "equal" if out["equal"] else "DIFFER in " + ", ".join(out["differ"])
    if "ratio" in out:
        print(f"{head}  hftbacktest {out['peer_ms']:7.2f} ms ({out['peer_mrows']:5.1f} M rows/s)  fathom {out['fathom_ms']:6.2f} ms"
            f" ({out['fathom_mrows']:6.1f} M rows/s)  {out['ratio']:5.2f} x  A/A {out['noise'][0]:.2f} {out['noise'][1]:.2f}")
    print(f"{head}  {what}: {same}")


def arguments():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--recording", type=pathlib.Path, default=DEFAULT, help="raw Binance futures recording, .gz")
    ap.add_argument("--tick", type=float, default=0, help="default: the tape's")
    ap.add_argument("--lot", type=float, default=0, help="default: the tape's")
    ap.add_argument("--qty", type=float, default=0, help="order quantity; default: 10 lots (ETH: 0.1)")
    ap.add_argument("--inverse", action="store_true", help="coin-margined; default for COIN-M tapes")
    ap.add_argument("--contract", type=float, default=0, help="inverse: quote value of a contract")
    ap.add_argument("--roi", type=float, nargs=2, help="price window of the peer's book; default 0.65 to 1.3 of the median trade")
    ap.add_argument("--book", choices=["roi", "hash"], default="roi", help="the peer's book")
    ap.add_argument("--cases", default="replay,quoter,anchor_grid")
    ap.add_argument("--queues", default="risk", help="comma list, e.g. risk,log,log2,power:2,power2:2,power3:3")
    ap.add_argument("--latency", default="2,3", help="entry,response in ms; several with ;")
    ap.add_argument("--rounds", type=int, default=15)
    ap.add_argument("--check", action="store_true", help="compare results only")
    ap.add_argument("--json", action="store_true")
    return ap.parse_args()


def settle(args, info):
    """Units from the tape where none were given."""
    args.tick = args.tick or float(info["tick_size"])
    args.lot = args.lot or float(info["lot_size"])
    args.inverse = args.inverse or info["venue"] == "binance-coinm"
    args.contract = args.contract or (100.0 if info["symbol"].startswith("BTC") else 10.0)
    if not args.qty:
        args.qty = 0.1 if info["symbol"].startswith("ETH") else 10 * args.lot
    return args


def main():
    args = arguments()
    if not args.recording.exists():
        fail(77, f"skipped: {args.recording} is not there: give --recording FILE")
    work = ROOT / "build/peers/work"
    work.mkdir(parents=True, exist_ok=True)
    tape, inst, info = tape_of(args.recording, work)
    args = settle(args, inst)
    before = anon_kib()
    rows, npz = convert(args.recording, work, inst["venue"])
    peer, ours, program = Peer(args, rows), Ours(tape, args.qty), Program(tape, args, work)
    sha = hashlib.sha256(args.recording.read_bytes()).hexdigest()[:16]
    head = dict(recording=args.recording.name, sha256=sha, peer_rows=len(rows), tick=args.tick, lot=args.lot, qty=args.qty,
        inverse=args.inverse, book=args.book, roi=list(peer.roi), machine=machine(), hftbacktest=hftbacktest.__version__,
        fathom=fathom("--version").strip(), npz_bytes_per_row=npz.stat().st_size / len(rows), peer_memory_bytes_per_row=64,
        tape_bytes_per_event=info["bytes"] / info["events"])
    if not args.json:
        print(f"machine     {head['machine']}\nversions    hftbacktest {head['hftbacktest']} ({args.book} book), {head['fathom']}")
        print(f"input       {head['recording']} (sha256 {sha}...): {len(rows)} rows of the peer; tick {args.tick:g}, lot {args.lot:g}, "
            f"order {args.qty:g}{', inverse' if args.inverse else ''}")
        print(f"on disk     peer npz {head['npz_bytes_per_row']:.2f} bytes a row, fathom tape {head['tape_bytes_per_event']:.2f} bytes an event")
    results = []
    for case in args.cases.split(","):
        for latency in args.latency.split(";"):
            pair = tuple(float(v) for v in latency.split(","))
            for queue in args.queues.split(",") if case != "replay" else ["risk"]:
                name, _, power = queue.partition(":")
                results.append(compare_case(args, peer, ours, program, case, name, float(power or 0), pair))
                if not args.json:
                    show(results[-1])
    head.update(peer_anon_kib=anon_kib(), peer_anon_before_kib=before, cases=results, equal=all(r["equal"] for r in results))
    if args.json:
        print(json.dumps(head))
    else:
        print(f"memory      RssAnon: peer's process {head['peer_anon_kib']} KiB (before the rows: {before}), fathom's "
            f"{results[-1].get('fathom_anon_kib', '-')} KiB, rows preloaded on both sides")
    ours.p.stdin.close()
    return 0 if head["equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
