#!/usr/bin/env python3
"""`fathom dataset`, `train` and `models` on a generated market: same bytes twice, refusals, a planted signal found.

Each test is a sentence; the last line counts them.
"""
import json, os, pathlib, shutil, subprocess, sys, tempfile

FATHOM = os.environ.get("FATHOM", "build/fathom")
TMP = pathlib.Path(tempfile.mkdtemp(prefix="fathom-learn-"))
SEED = "7"


def run(*args, ok=(0,)):
    p = subprocess.run([FATHOM, *map(str, args)], capture_output=True, text=True)
    assert p.returncode in ok, f"fathom {' '.join(map(str, args))}: exit {p.returncode}: {p.stderr.strip()}"
    return p


def js(*args, ok=(0,)):
    return json.loads(run(*args, "--json", ok=ok).stdout)


def train(to, *options, ok=(0,)):
    return js("train", "--dataset", TMP / "data", "--to", TMP / to, "--set", "model.kind=logistic", "--set",
              "study.bootstrap=100", *options, ok=ok)


def metric(study, name):
    return next(m for m in study["metrics"] if m["id"] == name)


def a_market_with_a_planted_signal_becomes_a_dataset():
    run("generate", TMP / "m.gz", "--seed", SEED, "--hours", "1.5", "--signal", "0.3@1")
    run("import", TMP / "m.gz", "--to", TMP / "tape")
    d = js("dataset", TMP / "tape", "--to", TMP / "data", "--set", "core", "--label", "next=1")
    assert d["rows"] > 5000 and d["labelled"] == d["rows"] - 1 and d["bucket"] == "time=1"
    assert sum(d["classes"].values()) == d["labelled"]
    assert len(d["missing"]) == d["columns"]
    assert d["tape_hash"] == js("tape", "info", TMP / "tape")["hash"]
    manifest = json.loads((TMP / "data" / "manifest.json").read_text())
    assert manifest["hash"] == d["hash"] and manifest["rows"] == d["rows"]
    size = (TMP / "data" / "features.npy").stat().st_size
    assert size == 384 + 4 * d["rows"] * d["columns"]


def the_same_tape_gives_the_same_dataset_and_an_existing_one_is_kept():
    again = js("dataset", TMP / "tape", "--to", TMP / "data2")
    assert again["hash"] == json.loads((TMP / "data" / "manifest.json").read_text())["hash"]
    assert "--force" in run("dataset", TMP / "tape", "--to", TMP / "data2", ok=(2,)).stderr
    run("dataset", TMP / "tape", "--to", TMP / "data2", "--force")


def the_signal_is_found_and_training_twice_gives_the_same_model():
    a, b = train("model"), train("model2")
    ic = metric(a["study"], "ic")
    assert ic["value"] > 0.2 and ic["lo"] > 0 and ic["p"] < 0.05, ic
    assert a["predictions_hash"] == b["predictions_hash"]
    for name in ("logistic.json", "manifest.json"):
        assert (TMP / "model" / name).read_bytes() == (TMP / "model2" / name).read_bytes()


def shuffled_labels_leave_nothing():
    m = train("shuffled", "--set", "study.shuffle_labels=true")["study"]
    ic = metric(m, "ic")
    assert ic["null_lo"] <= ic["value"] <= ic["null_hi"], ic


def a_saved_model_trades_only_the_buckets_it_knows_and_says_when_it_is_in_sample():
    args = ["backtest", "--set", f"data.tape={TMP / 'tape'}", "--set", f"model.path={TMP / 'model'}", "--set", "strategy.kind=model"]
    p = run(*args, "--set", "bucket.spec=time=5", "--to", TMP / "run5", ok=(3,))
    assert "time=5" in p.stderr and "bucket.spec=time=1" in p.stderr, p.stderr
    run(*args, "--to", TMP / "run")
    report = json.loads((TMP / "run" / "report.json").read_text())
    assert any("in-sample" in w for w in report["warnings"]), report["warnings"]


def a_forest_is_listed_shown_and_verified():
    train("forest", "--set", "model.kind=lightgbm", "--set", "model.trees=20", "--set", "model.target=classes")
    show = js("models", "show", TMP / "forest")
    assert show["kind"] == "lightgbm" and show["output"] == "classes" and show["trees"] == 60
    found = [pathlib.Path(m["model"]).name for m in js("models", "list", TMP)]  # datasets beside them are no models
    assert found == ["forest", "model", "model2", "shuffled"], found
    assert all(m["valid"] for m in js("models", "verify", TMP / "forest", TMP / "model"))


def a_changed_model_is_refused_with_its_file():
    for name in ("model.txt", "manifest.json"):
        copy = TMP / f"damaged-{name}"
        shutil.copytree(TMP / "forest", copy)
        data = bytearray((copy / name).read_bytes())
        data[len(data) // 2] ^= 1
        (copy / name).write_bytes(data)
        p = run("models", "verify", copy, ok=(3,))
        assert name in p.stderr, p.stderr
        assert js("models", "verify", copy, ok=(3,))[0]["valid"] is False
    assert "manifest.json" in run("models", "show", TMP, ok=(3,)).stderr


def wrong_words_are_usage_errors():
    assert "label" in run("dataset", TMP / "tape", "--to", TMP / "x", "--label", "next=0", ok=(2,)).stderr
    assert "nonsense" in run("dataset", TMP / "tape", "--to", TMP / "x", "--set", "nonsense", ok=(2,)).stderr
    assert "--to" in run("dataset", TMP / "tape", ok=(2,)).stderr
    assert "model.kind" in run("train", "--set", "model.kind=none", "--to", TMP / "x", ok=(2,)).stderr
    assert "data.tape" in run("train", "--set", "model.kind=logistic", "--to", TMP / "x", ok=(2,)).stderr
    run("dataset", TMP / "nowhere", "--to", TMP / "x", ok=(3, 4))
    run("train", "--dataset", TMP / "nowhere", "--set", "model.kind=logistic", "--to", TMP / "x", ok=(3,))
    assert not (TMP / "x").exists()


def main():
    tests = [
        a_market_with_a_planted_signal_becomes_a_dataset,
        the_same_tape_gives_the_same_dataset_and_an_existing_one_is_kept,
        the_signal_is_found_and_training_twice_gives_the_same_model,
        shuffled_labels_leave_nothing,
        a_saved_model_trades_only_the_buckets_it_knows_and_says_when_it_is_in_sample,
        a_forest_is_listed_shown_and_verified,
        a_changed_model_is_refused_with_its_file,
        wrong_words_are_usage_errors,
    ]
    failed = 0
    print(f"seed {SEED}")
    for test in tests:
        try:
            test()
            print("ok  ", test.__name__.replace("_", " "))
        except Exception as why:
            failed += 1
            print("FAIL", test.__name__.replace("_", " "), "-", repr(why))
    shutil.rmtree(TMP, ignore_errors=True)
    print(f"{len(tests) - failed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
