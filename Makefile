# The commands of a developer; each does its own set-up first. Try: make demo, then make check.
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)

.PHONY: build demo check bench fuzz soak-sim bench-peers bench-peers-features soak-features install clean setup format

build: setup
	@cmake --preset release > build.log 2>&1 || { cat build.log; exit 1; }
	@cmake --build build -j $(JOBS) --target fathom
	@rm -f build.log; echo "built: build/fathom"

setup:
	@tools/setup

# The main job twice: a real recording and a generated market of known truth; prints where the report is.
demo: build
	@tools/demo

# Set-up, build, every test and gate; the last line is `N passed, N failed[, N skipped]`.
check:
	@tools/check

# Every stage's cost on this machine; docs/performance.md says how to read it.
bench: build
	@cmake --build build -j $(JOBS) --target all_benches > build/bench.log 2>&1 || { cat build/bench.log; exit 1; }
	@build/fathom bench
	@bench/import.sh
	@bench/instructions.sh || [ $$? = 77 ]
	@bench/memory.sh

# Each parser under its corpus and new inputs; SECONDS each.
fuzz: setup
	@tools/fuzz $(SECONDS)

# The simulated exchange beside hftbacktest on one recording in one run (fetches it into build/peers): equal fills, both rates.
bench-peers: build
	@cmake --build build -j $(JOBS) --target sim_bench > build/bench.log 2>&1 || { cat build/bench.log; exit 1; }
	@bench/peers/hftbacktest/run.sh || [ $$? = 77 ]

# Ten features by pandas, by numba and by fathom in one run (fetches the peers into build/peers).
bench-peers-features: build
	@cmake --build build -j $(JOBS) --target feature_bench > build/bench.log 2>&1 || { cat build/bench.log; exit 1; }
	@bench/peers/features/run.sh

# Every feature after 1e8 events equals the one of a stream that began late; half a minute.
soak-features: setup
	@cmake --preset release > build.log 2>&1 || { cat build.log; exit 1; }
	@cmake --build build -j $(JOBS) --target feature_drift_test && rm -f build.log
	@FATHOM_DRIFT_EVENTS=1e8 build/tests/feature_drift_test

# The simulated exchange against its slow model on a million random markets; SEQUENCES, SEED change that.
soak-sim: setup
	@cmake --preset release > build.log 2>&1 || { cat build.log; exit 1; }
	@cmake --build build -j $(JOBS) --target sim_property_test > build.log 2>&1 || { cat build.log; exit 1; }
	@rm -f build.log
	@FATHOM_SEQUENCES=$${SEQUENCES:-1000000} FATHOM_SEED=$${SEED:-1234567} build/tests/sim_property_test

install: build
	@cmake --build build -j $(JOBS) --target fathom_share fathom_core
	@cmake --install build --prefix "$(PREFIX)"

format:
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

clean:
	@rm -rf build build-debug build-asan build-tsan build-clang build.log
