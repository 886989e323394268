#!/usr/bin/env python3
"""Ten features of one tape by pandas, by numba and by fathom, alternately in one run.

    bench/peers/features/run.sh [--tape TAPE] [--repeats N] [--json]

Every part gives the same ten columns, one row a second, and they are compared value for value (float32, relative 1e-4:
pandas and numba add up in doubles). CPU seconds of the process, the least of N; the parts take turns. Fair to the peers: their events
are in memory as numpy columns before the clock starts, numba is compiled and warm, pandas is given the mid prices ready made (it has no order book);
fathom keeps its exact book of all levels with every check on. Beside it stands the whole process (start, tape from disk, book,
features, the file), with the ten and with all features.
"""
import argparse, json, os, pathlib, platform, resource, subprocess, sys, tempfile, time

import numba
import numpy as np
import pandas as pd

ROOT = pathlib.Path(__file__).resolve().parents[3]
NAMES = ["book_mid", "flow_volume_b20", "flow_signed_volume_b60", "flow_count_b60", "flow_vwap_dev_b20", "flow_size_std_b20",
    "ret_b20", "rv_medrv_b60", "impact_amihud_b60", "impact_kyle_lambda_b60"]
DEPTH, TRADE, SELL, LAST, SNAPSHOT, NON_MARKET, FIRST = 1, 3, 2, 8, 16, 32, 4
LADDER = 1 << 16
WARM = 62


@numba.njit(cache=False)
def second_sums(local, kind, flags, px, qty, base, ladder, rows, start):
    """Per second: mid (in half units), volume, signed volume, count, value, sum of squared sizes."""
    out = np.zeros((rows, 6))
    ladder[:] = 0
    bid, ask, row = -1, LADDER, 0
    for i in range(local.size):
        second = local[i] // 1_000_000_000 - start
        while row < second and row < rows:
            out[row, 0] = np.nan if bid < 0 or ask >= LADDER else bid + ask + 2 * base
            row += 1
        if row >= rows:
            break
        if kind[i] == DEPTH:
            side = 1 if flags[i] & SELL else 0
            if flags[i] & SNAPSHOT and flags[i] & FIRST:
                ladder[:] = 0
                bid, ask = -1, LADDER
            at = px[i] - base
            if at < 0 or at >= LADDER:
                continue
            ladder[at] = 0 if qty[i] == 0 else (-qty[i] if side else qty[i])
            if side == 0:
                if qty[i] > 0 and at > bid:
                    bid = at
                elif qty[i] == 0 and at == bid:
                    while bid >= 0 and ladder[bid] <= 0:
                        bid -= 1
            else:
                if qty[i] > 0 and at < ask:
                    ask = at
                elif qty[i] == 0 and at == ask:
                    while ask < LADDER and ladder[ask] >= 0:
                        ask += 1
        elif kind[i] == TRADE and not flags[i] & NON_MARKET:
            q = float(qty[i])
            out[row, 1] += q
            out[row, 2] += -q if flags[i] & SELL else q
            out[row, 3] += 1
            out[row, 4] += q * px[i]
            out[row, 5] += q * q
    return out


@numba.njit(cache=False)
def rolling(x, w, i):
    s = 0.0
    for k in range(i - w + 1, i + 1):
        s += x[k]
    return s


@numba.njit(cache=False)
def numba_rows(sums, tick, lot):
    n = sums.shape[0]
    out = np.full((n, 10), np.nan)
    mid = sums[:, 0] * 0.5 * tick
    ret = np.full(n, np.nan)
    amihud = np.zeros(n)
    traded = np.zeros(n)
    for i in range(1, n):
        ret[i] = 1e4 * np.log(mid[i] / mid[i - 1])
    for i in range(n):
        value = sums[i, 4] * tick * lot / 1e6
        traded[i] = 1.0 if value > 0 else 0.0
        amihud[i] = abs(ret[i]) / value if value > 0 else 0.0
        out[i, 0] = mid[i]
        if i >= 19:
            volume, count = rolling(sums[:, 1], 20, i), rolling(sums[:, 3], 20, i)
            out[i, 1] = volume * lot
            out[i, 4] = 1e4 * (mid[i] / (rolling(sums[:, 4], 20, i) / volume * tick) - 1)
            mean = volume / count
            out[i, 5] = np.sqrt(max(rolling(sums[:, 5], 20, i) / count - mean * mean, 0.0)) * lot
        if i >= 20:
            out[i, 6] = 1e4 * np.log(mid[i] / mid[i - 20])
        if i >= 59:
            out[i, 2] = rolling(sums[:, 2], 60, i) * lot
            out[i, 3] = rolling(sums[:, 3], 60, i)
        if i >= 60:
            med, sx, sy, sxx, sxy = 0.0, 0.0, 0.0, 0.0, 0.0
            for k in range(i - 57, i + 1):
                a, b, c = abs(ret[k - 2]), abs(ret[k - 1]), abs(ret[k])
                m = max(min(a, b), min(max(a, b), c))
                med += m * m
            for k in range(i - 59, i + 1):
                x = sums[k, 2] * lot
                sx, sy, sxx, sxy = sx + x, sy + ret[k], sxx + x * x, sxy + x * ret[k]
            out[i, 7] = np.pi / (6 - 4 * np.sqrt(3.0) + np.pi) * (60.0 / 58.0) * med
            out[i, 8] = rolling(amihud, 60, i) / rolling(traded, 60, i)
            out[i, 9] = (60 * sxy - sx * sy) / (60 * sxx - sx * sx)
    return out


def by_numba(ev, ladder):
    sums = second_sums(ev["local"], ev["kind"], ev["flags"], ev["px"], ev["qty"], ev["base"], ladder, ev["rows"], ev["start"])
    return numba_rows(sums, ev["tick"], ev["lot"])


def by_pandas(trades, mid, ev):
    """trades: local second, px, qty, side; mid: one a second, given."""
    t = trades.assign(volume=trades.qty, signed=trades.qty * trades.side, value=trades.qty * trades.px, square=trades.qty**2)
    g = t.groupby("second")[["volume", "signed", "value", "square"]].sum()
    g["count"] = t.groupby("second").size()
    g = g.reindex(range(ev["rows"]), fill_value=0)
    out = pd.DataFrame({"book_mid": mid})
    s20 = g.rolling(20).sum()
    out["flow_volume_b20"] = s20["volume"] * ev["lot"]
    out["flow_signed_volume_b60"] = g["signed"].rolling(60).sum() * ev["lot"]
    out["flow_count_b60"] = g["count"].rolling(60).sum()
    out["flow_vwap_dev_b20"] = 1e4 * (out["book_mid"] / (s20["value"] / s20["volume"] * ev["tick"]) - 1)
    out["flow_size_std_b20"] = np.sqrt((s20["square"] / s20["count"] - (s20["volume"] / s20["count"]) ** 2).clip(lower=0)) * ev["lot"]
    out["ret_b20"] = 1e4 * np.log(out["book_mid"] / out["book_mid"].shift(20))
    ret = 1e4 * np.log(out["book_mid"] / out["book_mid"].shift())
    out["rv_medrv_b60"] = np.pi / (6 - 4 * np.sqrt(3) + np.pi) * 60 / 58 * (ret.abs().rolling(3).median() ** 2).rolling(58).sum()
    value = g["value"] * ev["tick"] * ev["lot"] / 1e6
    out["impact_amihud_b60"] = (ret.abs() / value.where(value > 0)).fillna(0).where(ret.notna()).rolling(60).sum() / (value > 0).rolling(60).sum()
    x = g["signed"] * ev["lot"]
    out["impact_kyle_lambda_b60"] = x.rolling(60).cov(ret) / x.rolling(60).var().where(ret.rolling(60).count() == 60)
    return out[NAMES].to_numpy()


def load(tape, work):
    path = work / "events.npz"
    subprocess.run([FATHOM, "tape", "export", tape, "--to", path, "--format", "npz", "--quiet", "--force"], check=True)
    info = json.loads(subprocess.run([FATHOM, "tape", "info", tape, "--json"], check=True, capture_output=True).stdout)
    e, inst = np.load(path)["events"], info["instruments"][0]
    ev = {k: np.ascontiguousarray(e[c]) for k, c in (("local", "local_ns"), ("kind", "kind"), ("flags", "flags"), ("px", "px"), ("qty", "qty"))}
    first = ev["px"][ev["kind"] == TRADE][0]
    ev["base"] = int(first - LADDER // 2)
    ev["tick"], ev["lot"] = float(inst["tick_size"]), float(inst["lot_size"])
    ev["start"] = int(ev["local"][0] // 10**9)
    ev["rows"] = int(ev["local"].max() // 10**9 - ev["start"])
    return ev, info


def by_fathom(tape, names, out):
    """The whole process: start, tape from disk with its checks, book, clock, features, hash, the file."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    p = subprocess.run([FATHOM, "features", "run", tape, "--to", out, "--set", names, "--bucket", "time=1", "--quiet", "--force", "--json"],
        check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, json.loads(p.stdout)


def in_memory(tape, names):
    """Events in memory as the peers have them: the loop of `fathom bench features`, seconds of one pass."""
    p = subprocess.run([BENCH, tape, names], check=True, capture_output=True)
    said = json.loads(p.stdout.decode().strip().splitlines()[-1])
    book = said["book_ns_per_event"] * said["events"]
    features = said["ns_per_event"] * said["events"] + said["us_per_close"] * 1e3 * said["rows"]
    return (book + features) / 1e9, book / 1e9


def differences(a, b):
    """Values that are missing on one side only, and the largest relative difference of the rest, after the longest
    warm-up of the ten (windows of fathom begin after the first, incomplete second)."""
    a, b = a[WARM:].astype(np.float32), b[WARM:].astype(np.float32)
    lone = int((np.isnan(a) != np.isnan(b)).sum())
    both = ~np.isnan(a) & ~np.isnan(b)
    scale = np.maximum(np.abs(a[both]), np.nanmax(np.abs(np.where(both, a, np.nan)), axis=0)[np.where(both)[1]] * 1e-3)
    return lone, float((np.abs(a[both] - b[both]) / np.maximum(scale, 1e-9)).max())


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--tape", default=str(ROOT / "examples/data/btcusdt-20240808.tape"))
    p.add_argument("--repeats", type=int, default=15)
    p.add_argument("--json", action="store_true")
    a = p.parse_args()
    with tempfile.TemporaryDirectory(prefix="peer-features-") as tmp:
        work = pathlib.Path(tmp)
        ev, info = load(a.tape, work)
        ladder = np.zeros(LADDER, dtype=np.int64)
        mid = by_numba(ev, ladder)[:, 0].copy()
        take = (ev["kind"] == TRADE) & (ev["flags"] & NON_MARKET == 0) & (ev["local"] // 10**9 - ev["start"] < ev["rows"])
        trades = pd.DataFrame({"second": (ev["local"][take] // 10**9 - ev["start"]), "px": ev["px"][take].astype(float),
            "qty": ev["qty"][take].astype(float), "side": np.where(ev["flags"][take] & SELL, -1.0, 1.0)})
        best = dict.fromkeys(["pandas", "numba", "fathom in memory", "of it book and clock", "fathom, whole process", "fathom, all features"], np.inf)
        results = {}
        for _ in range(a.repeats):
            t = time.process_time()
            results["pandas"] = by_pandas(trades, mid, ev)
            best["pandas"] = min(best["pandas"], time.process_time() - t)
            t = time.process_time()
            results["numba"] = by_numba(ev, ladder)
            best["numba"] = min(best["numba"], time.process_time() - t)
            cpu, said = by_fathom(a.tape, "+".join(NAMES), work / "ten.npy")
            best["fathom, whole process"] = min(best["fathom, whole process"], cpu)
            whole, book = in_memory(a.tape, "+".join(NAMES))
            best["fathom in memory"] = min(best["fathom in memory"], whole)
            best["of it book and clock"] = min(best["of it book and clock"], book)
            results["fathom"] = np.load(work / "ten.npy")
            cpu, all_said = by_fathom(a.tape, "all", work / "all.npy")
            best["fathom, all features"] = min(best["fathom, all features"], cpu)
    report(a, info, said, all_said, best, results)


def report(a, info, said, all_said, best, results):
    order = {n: i for i, n in enumerate(said["missing"])}
    ours = results["fathom"][:, [order[n] for n in NAMES]]
    equal = {k: differences(ours[: len(results[k])], results[k][: len(ours)]) for k in ("pandas", "numba")}
    ok = all(lone == 0 and worst < 1e-4 for lone, worst in equal.values())
    doc = {"machine": platform.processor() or platform.machine(), "python": platform.python_version(), "pandas": pd.__version__,
        "numba": numba.__version__, "tape": info["hash"], "events": info["events"], "rows": said["rows"], "columns": len(NAMES),
        "result": said["hash"], "features_all": all_said["columns"], "cpu_s": best, "equal": ok,
        "differences": {k: {"one_side_missing": v[0], "largest_relative": v[1]} for k, v in equal.items()}}
    if a.json:
        print(json.dumps(doc))
    else:
        print(f"{doc['machine']}, Python {doc['python']}, pandas {pd.__version__}, numba {numba.__version__}; tape {info['hash']}, "
            f"{info['events']} events, {said['rows']} rows x {len(NAMES)} features, result {said['hash']}")
        for name, cpu in best.items():
            columns = all_said["columns"] if "all" in name else len(NAMES)
            print(f"{name:22} {cpu * 1e3:9.2f} ms CPU  {cpu * 1e9 / info['events'] / columns:8.2f} ns per event and feature")
        for k, (lone, worst) in equal.items():
            print(f"fathom against {k}: {lone} values missing on one side, largest relative difference {worst:.1e}")
    sys.exit(0 if ok else 1)


FATHOM = os.environ.get("FATHOM") or str(ROOT / "build/fathom")
BENCH = os.environ.get("FATHOM_FEATURE_BENCH") or str(ROOT / "build/bench/feature_bench")
if __name__ == "__main__":
    main()
