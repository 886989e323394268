#!/usr/bin/env python3
"""`fathom tape info|verify|cut|merge|export` on a generated recording: contract, damage, exit codes.

Each test is a sentence; the last line counts them.
"""
import ast, csv, json, os, pathlib, shutil, struct, subprocess, sys, tempfile, zipfile

FATHOM = os.environ.get("FATHOM", "build/fathom")
TMP = pathlib.Path(tempfile.mkdtemp(prefix="fathom-tape-"))
SEED = "20240808"


def run(*args, ok=(0,)):
    p = subprocess.run([FATHOM, *map(str, args)], capture_output=True, text=True)
    assert p.returncode in ok, f"fathom {' '.join(map(str, args))}: exit {p.returncode}: {p.stderr.strip()}"
    return p


def js(*args, ok=(0,)):
    return json.loads(run(*args, "--json", ok=ok).stdout)


def tape():
    """The generated recording as a tape, made once."""
    path = TMP / "tape"
    if not path.exists():
        run("generate", TMP / "raw.gz", "--seed", SEED, "--hours", "0.1")
        run("import", TMP / "raw.gz", "--to", path)
    return path


def copy(name):
    to = TMP / name
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(tape(), to)
    return to, to / "00000000.tape"


def info_has_the_keys_of_the_contract_and_the_generators_counts():
    i = js("tape", "info", tape())
    truth = json.loads((TMP / "raw.truth.json").read_text())
    assert {"events", "bytes", "bytes_per_event", "first_local_ns", "last_local_ns", "hash", "instruments"} <= i.keys()
    one = i["instruments"][0]
    for key in ("tick_size", "lot_size", "trade_volume", "trade_value", "taker_buy_volume"):
        assert isinstance(one[key], str) and float(one[key]) > 0, key
    assert one["trades"] == truth["trades"] and one["depth_messages"] == truth["depth_messages"]
    assert i["bytes"] == sum(f.stat().st_size for f in tape().iterdir())
    assert i["first_local_ns"] < i["last_local_ns"] and i["bytes_per_event"] < 12


def a_whole_tape_is_valid():
    v = js("tape", "verify", tape())
    assert v["valid"] and v["torn_bytes"] == 0 and v["damaged"] == []
    assert v["events"] == js("tape", "info", tape())["events"]


def a_tape_cut_in_two_and_merged_has_the_same_hash():
    i = js("tape", "info", tape())
    middle = (i["first_local_ns"] + i["last_local_ns"]) // 2
    a = js("tape", "cut", tape(), "--to", middle, "--out", TMP / "a")
    b = js("tape", "cut", tape(), "--from", middle, "--out", TMP / "b", "--raw")
    assert a["events"] + b["events"] == i["events"] and min(a["events"], b["events"]) > 0
    assert js("tape", "info", TMP / "a")["last_local_ns"] < middle <= js("tape", "info", TMP / "b")["first_local_ns"]
    m = js("tape", "merge", TMP / "b", TMP / "a", "--out", TMP / "m")
    assert m["hash"] == i["hash"] and js("tape", "verify", TMP / "m")["valid"]


def an_existing_tape_is_replaced_only_by_force():
    before = js("tape", "info", TMP / "a")["hash"]
    p = run("tape", "merge", tape(), "--out", TMP / "a", ok=(2,))
    assert "--force" in p.stderr and js("tape", "info", TMP / "a")["hash"] == before
    run("tape", "merge", tape(), "--out", TMP / "a", "--force")
    assert js("tape", "info", TMP / "a")["hash"] == js("tape", "info", tape())["hash"]


def a_flipped_bit_is_named_with_its_place_and_stops_readers():
    to, file = copy("flip")
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 4
    file.write_bytes(raw)
    v = js("tape", "verify", to, ok=(1,))
    assert not v["valid"] and v["damaged"][0]["offset"] <= len(raw) // 2 and v["damaged"][0]["reason"]
    p = run("tape", "info", to, ok=(3,))
    assert "00000000.tape, byte" in p.stderr and "--quarantine" in p.stderr
    q = run("tape", "merge", to, "--quarantine", "--out", TMP / "saved")
    assert "damaged places" in q.stderr and js("tape", "verify", TMP / "saved")["valid"]


def a_cut_tape_is_torn_readable_before_it_and_repairable():
    events = js("tape", "info", tape())["events"]
    to, file = copy("torn")
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    v = js("tape", "verify", to, ok=(1,))
    assert v["torn_bytes"] > 0 and v["events"] < events
    p = run("tape", "info", to)
    assert "torn" in p.stderr
    run("tape", "merge", to, "--out", TMP / "never", ok=(3,))
    assert not (TMP / "never").exists()
    run("tape", "verify", to, "--repair")
    assert js("tape", "verify", to) == {**v, "valid": True, "torn_bytes": 0}


def csv_has_a_line_an_event():
    run("tape", "export", tape(), "--to", TMP / "t.csv", "--format", "csv")
    with open(TMP / "t.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    i = js("tape", "info", tape())
    assert len(rows) == i["events"] and rows[-1]["sequence"] == str(i["events"] - 1)
    trades = [r for r in rows if r["kind"] == "trade" and "X" not in r["flags"]]
    assert len(trades) == i["instruments"][0]["trades"]
    assert abs(sum(float(r["qty"]) for r in trades) - float(i["instruments"][0]["trade_volume"])) < 1e-6
    assert int(rows[0]["local_ns"]) == i["first_local_ns"]


def array_of(path, name):
    """(descr, rows, bytes) of a member of an npz file, by numpy's format 1.0."""
    raw = zipfile.ZipFile(path).read(name)
    assert raw[:8] == b"\x93NUMPY\x01\x00"
    n = struct.unpack("<H", raw[8:10])[0]
    assert (10 + n) % 64 == 0
    head = ast.literal_eval(raw[10 : 10 + n].decode())
    return head["descr"], head["shape"][0], raw[10 + n :]


def arrays_hold_every_event():
    run("tape", "export", tape(), "--to", TMP / "t.npz", "--format", "npz")
    descr, rows, data = array_of(TMP / "t.npz", "events.npy")
    i = js("tape", "info", tape())
    assert rows == i["events"] and len(data) == 64 * rows and descr[1] == ("local_ns", "<i8")
    assert struct.unpack_from("<q", data, 8)[0] == i["first_local_ns"]
    words = array_of(TMP / "t.npz", "words.npy")
    assert words[1] >= i["instruments"][0]["mark_prices"] and len(words[2]) == 64 * words[1]
    run("tape", "export", tape(), "--to", TMP / "h.npz", "--format", "hftbacktest")
    descr, rows, data = array_of(TMP / "h.npz", "data.npy")
    one = i["instruments"][0]
    assert rows == one["depth_levels"] + one["snapshot_levels"] + 2 * one["snapshots"] + one["trades"]
    assert [d[0] for d in descr] == ["ev", "exch_ts", "local_ts", "px", "qty", "order_id", "ival", "fval"]


def wrong_words_and_missing_things_have_the_documented_exit_codes():
    run("tape", "info", TMP / "nothing", ok=(4,))
    run("tape", "verify", TMP / "raw.gz", ok=(3,))
    run("tape", "verify", TMP / "nothing", "--repair", ok=(4,))
    assert not (TMP / "nothing").exists()
    (TMP / "folder").mkdir()
    run("tape", "verify", TMP / "folder", "--repair", ok=(3,))
    assert list((TMP / "folder").iterdir()) == []
    run("tape", "cut", tape(), "--from", "5", "--to", "5", "--out", TMP / "x", ok=(2,))
    run("tape", "cut", tape(), ok=(2,))
    p = run("tape", "export", tape(), "--to", TMP / "x", "--format", "cvs", ok=(2,))
    assert "csv" in p.stderr and not (TMP / "x").exists()


TESTS = [
    info_has_the_keys_of_the_contract_and_the_generators_counts,
    a_whole_tape_is_valid,
    a_tape_cut_in_two_and_merged_has_the_same_hash,
    an_existing_tape_is_replaced_only_by_force,
    a_flipped_bit_is_named_with_its_place_and_stops_readers,
    a_cut_tape_is_torn_readable_before_it_and_repairable,
    csv_has_a_line_an_event,
    arrays_hold_every_event,
    wrong_words_and_missing_things_have_the_documented_exit_codes,
]


def main():
    failed = 0
    print(f"seed {SEED}")
    for t in TESTS:
        try:
            t()
            print(f"ok      {t.__name__}")
        except Exception as why:
            failed += 1
            print(f"FAILED  {t.__name__}: {type(why).__name__} {why}")
    shutil.rmtree(TMP, ignore_errors=True)
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
