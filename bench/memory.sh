#!/usr/bin/env bash
# Peak RssAnon of import, features run and backtest on generated markets of 1x, 10x and 100x length: flat; beside it
# the CPU seconds (user + system), which should grow as the length does.
#   bench/memory.sh [HOURS]      the shortest market in hours (default 0.2, so 0.2, 2 and 20)
#   bench/memory.sh --short      0.1 and 1 hours, and a gate: exit 1 if RssAnon grew by more than the bound
# RssAnon (memory of the process without pages of files) is read from /proc/PID/status each millisecond; mapped
# tape pages are file pages and cost nothing that the kernel cannot take back. The generated market's book,
# orders and rows are those of a small instrument: the peak is the program's, not the market's.
set -euo pipefail
cd "$(dirname "$0")/.."
fathom=${FATHOM:-build/fathom}
case ${1:-} in
--short) hours=(0.1 1) ;;
*) hours=("${1:-0.2}" "$(python3 -c "print(${1:-0.2} * 10)")" "$(python3 -c "print(${1:-0.2} * 100)")") ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for h in "${hours[@]}"; do
    "$fathom" generate "$work/$h.gz" --seed 7 --hours "$h" --signal 0.2@1 --quiet >/dev/null
done

python3 - "$fathom" "$work" "${1:-}" "${hours[@]}" <<'PY'
import os, subprocess, sys, time

fathom, work, short, hours = sys.argv[1], sys.argv[2], sys.argv[3] == "--short", sys.argv[4:]
# Growth from the shortest to the longest, KiB. A backtest's report keeps at most some thousand points of its
# curves, which the shortest market does not fill.
BOUND = {"import": 2048, "features": 1024, "backtest": 6144}


def peak(command):
    log = open(f"{work}/log", "wb+")
    p = subprocess.Popen(command, stdout=log, stderr=log)
    most = 0
    while True:
        pid, status, used = os.wait4(p.pid, os.WNOHANG)
        if pid:
            break
        try:
            for line in open(f"/proc/{p.pid}/status"):
                if line.startswith("RssAnon:"):
                    most = max(most, int(line.split()[1]))
        except (FileNotFoundError, ProcessLookupError):
            pass
        time.sleep(0.001)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode:
        log.seek(0)
        sys.exit(f"{' '.join(command)} failed:\n{log.read().decode(errors='replace')}")
    return most, used.ru_utime + used.ru_stime


def commands(h):
    at = f"{work}/{h}"
    yield "import", [fathom, "import", at + ".gz", "--to", at + ".tape", "--quiet"]
    yield "features", [fathom, "features", "run", at + ".tape", "--to", at + ".npy", "--set", "all", "--quiet"]
    yield "backtest", [fathom, "backtest", "examples/real-demo.yaml", "--set", f"data.tape={at}.tape",
                       "--set", "features.set=all", "--to", at + ".run", "--quiet"]


found = {name: [] for name in BOUND}
for h in hours:
    for name, command in commands(h):
        found[name].append(peak(command))
print("peak RssAnon, KiB" + "".join(f"{h + ' h':>12}" for h in hours) + "      growth")
bad = 0
for name, runs in found.items():
    kib = [k for k, _ in runs]
    growth = kib[-1] - kib[0]
    over = growth > BOUND[name] or min(kib) == 0
    bad += over
    print(f"{name:17}" + "".join(f"{k:12}" for k in kib) + f"{growth:12} (bound {BOUND[name]})" + (" TOO MUCH" if over else ""))
print("CPU seconds")
for name, runs in found.items():
    print(f"{name:17}" + "".join(f"{s:12.2f}" for _, s in runs))
sys.exit(1 if bad else 0)
PY
