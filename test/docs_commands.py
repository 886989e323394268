#!/usr/bin/env python3
"""Runs every command of the fenced `sh` blocks of README.md and docs/**/*.md, in a scratch copy.

A block marked ```sh no-test: REASON``` is left out (the reason is printed). The blocks of one page run in order in
one folder, so that a later one may use what an earlier one made; each has LIMIT seconds and must exit 0. In the
scratch copy build/fathom is the built program, examples/ and docs/ are there, ../shared is what lies beside the tree.
"""
import os, pathlib, re, shutil, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT = 180
FENCE = re.compile(r"^```sh([^\n]*)\n(.*?)^```", re.S | re.M)
REASON = re.compile(r"^\s*no-test:\s*\S")


def pages():
    return [p for p in [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))] if p.exists()]


def blocks(page):
    text = page.read_text()
    for hit in FENCE.finditer(text):
        yield text[: hit.start()].count("\n") + 1, hit[1].strip(), hit[2]


def scratch(parent, program):
    tree = parent / "fathom"
    tree.mkdir()
    (tree / "build").mkdir()
    (tree / "build" / "fathom").symlink_to(program)
    for name in ("examples", "docs", "tools", "fuzz", "include"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, tree / name, symlinks=True)
    if (ROOT.parent / "shared").exists():
        (parent / "shared").symlink_to(ROOT.parent / "shared")
    return tree


def run_block(text, tree, env):
    start = time.monotonic()
    try:
        r = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=tree, env=env, capture_output=True, text=True,
                           timeout=LIMIT, stdin=subprocess.DEVNULL, errors="replace")
        return r.returncode, r.stdout[-2000:] + r.stderr[-2000:], time.monotonic() - start
    except subprocess.TimeoutExpired:
        return 124, f"longer than {LIMIT} s", LIMIT


def needs_shared(text):
    return "../shared" in text and not (ROOT.parent / "shared").exists()


def main():
    program = pathlib.Path(os.environ.get("FATHOM", ROOT / "build" / "fathom")).resolve()
    env = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    passed = failed = skipped = 0
    for page in pages():
        name = page.relative_to(ROOT)
        with tempfile.TemporaryDirectory(prefix="fathom-docs-") as folder:
            tree = scratch(pathlib.Path(folder), program)
            for line, mark, text in blocks(page):
                if mark and not REASON.match(mark):
                    print(f"{name}:{line}: `sh {mark}` gives no reason (write `sh no-test: why`)")
                    failed += 1
                elif mark:
                    print(f"{name}:{line}: left out: {mark.split(':', 1)[1].strip()}")
                elif needs_shared(text):
                    print(f"skipped: {name}:{line} needs ../shared")
                    skipped += 1
                else:
                    code, out, seconds = run_block(text, tree, env)
                    print(f"{name}:{line}: exit {code} ({seconds:.1f} s)")
                    passed += code == 0
                    failed += code != 0
                    if code:
                        print(text + out)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


sys.exit(main())
