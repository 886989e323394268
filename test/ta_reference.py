#!/usr/bin/env python3
"""Indicators on closed bars agree with TA-Lib, asked for each window of 120 bars afresh.

Needs numpy and TA-Lib, which tools/setup puts into third_party/reference (tools/reference.txt). Without them it is
skipped with the reason. Bars are generated here (seeded),
imported, and read back as features of one-, five- and sixty-minute bars.
"""
import os, pathlib, random, subprocess, sys, tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "third_party/reference"))
try:
    import numpy as np
    import talib
except ImportError as e:
    print(f"skipped: {e} (see the head of this file)")
    sys.exit(77)

PROGRAM = os.environ.get("FATHOM") or pathlib.Path(__file__).resolve().parent.parent / "build/fathom"
WINDOW, MINUTES, START_MS, SEED = 120, 9000, 1_690_848_000_000, 11


def generate(path):
    """One-minute bars with ties, a bar without trades now and then, and one long quiet stretch."""
    r, px, bars = random.Random(SEED), 20000, []
    for i in range(MINUTES):
        still = r.random() < 0.02 or 3000 <= i < 3050
        close = px if still else px + round(r.gauss(0, 12))
        spread = [0, 0] if still else [r.randrange(9), r.randrange(9)]
        high, low = max(px, close) + spread[0], min(px, close) - spread[1]
        bars.append((px, high, low, close, 0 if still else 1 + int(r.expovariate(1 / 4000))))
        px = close
    with open(path, "w") as f:
        f.write("time,open,high,low,close,volume\n")
        for i, (o, h, l, c, v) in enumerate(bars):
            money = ",".join(f"{x / 100:.2f}" for x in (o, h, l, c))
            f.write(f"{START_MS + 60000 * i},{money},{v / 1000:.3f}\n")
    return np.array(bars, dtype=float)


def call(*args):
    p = subprocess.run([str(PROGRAM), *map(str, args)], capture_output=True, text=True)
    if p.returncode:
        sys.exit(f"fathom {args[0]}: exit {p.returncode}: {p.stderr.strip()[-400:]}")


def wider(bars, n):
    part = bars[: len(bars) // n * n].reshape(-1, n, 5)
    return np.column_stack([part[:, 0, 0], part[:, :, 1].max(1), part[:, :, 2].min(1), part[:, -1, 3], part[:, :, 4].sum(1)])


def bps(x, base):
    return 1e4 * (x / base - 1)


def reference(o, h, l, c, v):
    """name -> value at the window's last bar; TA-Lib gives the indicator, the row's own scale is applied here."""
    t, px, mean = talib, c[-1], v[-20:].mean()
    ema, dema, tema = t.EMA(c, 20), t.DEMA(c, 20), t.TEMA(c, 20)
    kama, atr = t.KAMA(c, 10), t.ATR(h, l, c, 10)
    # TA-Lib's HMA is made of its WMA
    hma = t.WMA((2 * t.WMA(c, 8) - t.WMA(c, 16))[15:], 4)
    macd, signal, hist = t.MACD(c, 12, 26, 9)
    up, mid, down = t.BBANDS(c, 20, 2, 2)
    k, d = t.STOCHF(h, l, c, 14, 3)
    low, high = t.AROON(h, l, 25)
    typical = (h + l + c) / 3
    force = t.EMA((c[1:] - c[:-1]) * v[1:], 13)
    return {
        "sma_dist n20": bps(px, t.SMA(c, 20)[-1]), "ema_dist n20": bps(px, ema[-1]), "ema_slope n20": bps(ema[-1], ema[-2]),
        "wma_dist n20": bps(px, t.WMA(c, 20)[-1]), "dema_dist n20": bps(px, dema[-1]), "tema_dist n20": bps(px, tema[-1]),
        "kama_dist n10": bps(px, kama[-1]), "kama_slope n10": bps(kama[-1], kama[-2]), "hma_dist n16": bps(px, hma[-1]),
        "macd n26": 1e4 * macd[-1] / px, "macd_signal n26": 1e4 * signal[-1] / px, "macd_hist n26": 1e4 * hist[-1] / px,
        "adx n14": t.ADX(h, l, c, 14)[-1], "di_plus n14": t.PLUS_DI(h, l, c, 14)[-1], "di_minus n14": t.MINUS_DI(h, l, c, 14)[-1],
        "aroon_up n25": high[-1], "aroon_down n25": low[-1], "trix n15": 100 * t.TRIX(c, 15)[-1],
        "psar_dist n1": bps(px, t.SAR(h, l, 0.02, 0.2)[-1]), "trend_slope n20": 1e4 * t.LINEARREG_SLOPE(c, 20)[-1] / mid[-1],
        "trend_r2 n20": t.CORREL(c, np.arange(len(c), dtype=float), 20)[-1] ** 2,
        "rsi n14": t.RSI(c, 14)[-1], "stoch_k n14": k[-1], "stoch_d n14": d[-1], "williams_r n14": t.WILLR(h, l, c, 14)[-1],
        "rsi_stoch n14": t.STOCHRSI(c, 14, 14, 1)[0][-1], "cci n20": t.CCI(h, l, c, 20)[-1], "roc n10": 100 * t.ROC(c, 10)[-1],
        "ultimate n28": t.ULTOSC(h, l, c, 7, 14, 28)[-1], "natr n14": 100 * t.NATR(h, l, c, 14)[-1],
        "bollinger_position n20": (px - mid[-1]) / (up[-1] - mid[-1]) if up[-1] > mid[-1] else 0.0,
        "bollinger_width n20": 1e4 * (up[-1] - down[-1]) / mid[-1],
        "keltner_position n20": (px - ema[-1]) / (2 * atr[-1]) if atr[-1] else 0.0,
        "mfi n14": t.MFI(h, l, c, v, 14)[-1], "ad_oscillator n10": t.ADOSC(h, l, c, v, 3, 10)[-1] / mean if mean else 0.0,
        "obv_slope n20": t.LINEARREG_SLOPE(t.OBV(c, v), 20)[-1] / mean if mean else 0.0,
        "force n13": 1e4 * force[-1] / (px * mean) if mean else 0.0,
        "vwap_dist n20": bps(px, (typical * v)[-20:].sum() / v[-20:].sum()) if mean else 0.0,
    }


def compare(work, tape, tag, minutes, bars, tally):
    names = list(reference(*[np.ascontiguousarray(bars[:WINDOW, i]) for i in range(5)]))
    rows = [f"ta_{n.split()[0]}_{tag}_{n.split()[1]}" for n in names]
    out = work / f"{tag}.npy"
    call("features", "run", tape, "--to", out, "--set", "+".join(rows), "--bucket", f"time={60 * minutes}", "--quiet")
    matrix = np.load(out)
    if len(matrix) < len(bars) - 1:
        sys.exit(f"{tag}: {len(matrix)} rows for {len(bars)} bars")
    for m in range(WINDOW - 1, len(matrix), 7 if minutes == 1 else 1):
        want = reference(*[np.ascontiguousarray(bars[m + 1 - WINDOW : m + 1, i]) for i in range(5)])
        for j, name in enumerate(names):
            got, ref = float(matrix[m, j]), want[name]
            if np.isnan(got):  # a nil denominator, where TA-Lib answers with a number
                tally.setdefault(name, [0, 0, 0.0])[1] += 1
                continue
            error = abs(got - ref) / max(1.0, abs(ref))
            entry = tally.setdefault(name, [0, 0, 0.0])
            entry[0] += 1
            entry[2] = max(entry[2], error)
            if not error <= 1e-6:  # the matrix is float32
                sys.exit(f"DIFFERS ta_{name} {tag} bar {m}: {got}, TA-Lib {ref}")


def main():
    tally = {}
    with tempfile.TemporaryDirectory(prefix="ta-") as tmp:
        work = pathlib.Path(tmp)
        csv, tape = work / "TESTUSDT-1m.csv", work / "bars.tape"
        bars = generate(csv)
        call("import", csv, "--to", tape, "--quiet")
        for tag, minutes in (("m1", 1), ("m5", 5), ("h1", 60)):
            compare(work, tape, tag, minutes, wider(bars, minutes), tally)
    for name, (n, missing, worst) in tally.items():
        print(f"equal   {name:24} {n} windows, {missing} missing, worst {worst:.1e}")
    few = [n for n, e in tally.items() if e[0] < 100 or e[1] > e[0] / 100]
    print(f"{len(tally)} indicators agree with TA-Lib {talib.__version__}; seed {SEED}")
    sys.exit(f"too few windows or too many missing: {few}" if few else 0)


main()
