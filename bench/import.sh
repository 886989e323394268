#!/usr/bin/env bash
# CPU time of `fathom import` from a packed recording to a tape on disk.
#   bench/import.sh [RECORDING.gz [ROUNDS]]     default: a generated market of half an hour, 20 rounds
# Prints the input's sum, the tape's event hash (equal in every round, else exit 1), the least CPU seconds of the
# odd and of the even rounds (their ratio is the A/A noise), events a second and bytes an event on disk.
set -euo pipefail
cd "$(dirname "$0")/.."
fathom=${FATHOM:-build/fathom}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
input=${1:-}
if [ -z "$input" ]; then
    input=$work/market.gz
    "$fathom" generate "$input" --seed 7 --hours 0.5 --quiet >/dev/null
fi
echo "== import"
python3 - "$fathom" "$work" "$input" "${2:-20}" <<'PY'
import hashlib, json, os, subprocess, sys

fathom, work, source, rounds = *sys.argv[1:4], int(sys.argv[4])
tape, facts, times, rss = work + "/tape", None, ([], []), 0
for i in range(rounds):
    p = subprocess.Popen([fathom, "import", source, "--to", tape, "--force", "--quiet"], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode:
        sys.exit(f"import.sh: the import failed ({p.returncode})")
    times[i % 2].append((used.ru_utime + used.ru_stime, used.ru_utime))
    rss = max(rss, used.ru_maxrss)
    info = json.loads(subprocess.run([fathom, "tape", "info", tape, "--json"], capture_output=True, check=True).stdout)
    now = (info["hash"], info["events"], info["bytes"])
    if facts not in (None, now):
        sys.exit(f"import.sh: round {i + 1} gave another tape: {facts} and {now}")
    facts = now
a, b = (min(t) for t in times)
cpu, user = min(a, b)
digest = hashlib.sha256(open(source, "rb").read()).hexdigest()[:16]
print(f"input      {os.path.basename(source)}, {os.path.getsize(source)} bytes, sha256 {digest}...")
print(f"result     {facts[1]} events, hash {facts[0]}, {facts[2] / facts[1]:.3f} bytes an event on disk")
print(f"time       {cpu:.3f} s CPU ({user:.3f} user), {facts[1] / cpu / 1e6:.2f} M events/s, least of {rounds} runs; "
      f"A/A {a[0] / b[0]:.3f}")
print(f"memory     peak RSS {rss} KiB")
PY
