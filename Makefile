# The commands of this project. `make demo` and `make test` work in a fresh clone.
#
# Needed: a Rust toolchain (1.95 or newer), python3 and npm (for `setup`). cargo-nextest is used where it is installed.

.PHONY: setup demo test prove fuzz soak bench bench-quick compat instructions keys check audit sbom doc

# Cargo reads a relative CARGO_TARGET_DIR from the folder it runs in, and `demo` runs in another one.
ifneq ($(CARGO_TARGET_DIR),)
export CARGO_TARGET_DIR := $(abspath $(CARGO_TARGET_DIR))
endif

# What a build does not fetch by itself: the DuckDB library that dray loads at run time.
setup:
	@python3 scripts/setup-duckdb.py

# Loads two simulated APIs into new DuckDB files in demo/ and prints the tables.
demo: setup
	cargo build --release --locked --package dray-cli --bin dray
	@rm -rf demo && mkdir demo
	cd demo && cargo run --quiet --release --locked --package dray-cli --bin dray -- demo stripe
	cd demo && cargo run --quiet --release --locked --package dray-cli --bin dray -- demo orb

# All tests. `cargo test` runs the doctests too; nextest does not.
test: setup
	@if cargo nextest --version >/dev/null 2>&1; then \
		set -ex; \
		cargo nextest run --workspace --locked; \
		cargo test --workspace --locked --doc; \
	else \
		echo "cargo-nextest is not installed: running the tests with cargo test"; \
		set -ex; \
		cargo test --workspace --locked; \
	fi

# Every proof in full; writes docs/reliability.md and reliability.json. `make test` runs a share of each.
prove: setup
	cargo run --release --locked --package dray-prove -- --write .

# The fuzzer, for so many seconds a target. FUZZ_FROM is the number of the first input: another one for each day, so that
# each day tries new ones. Inputs that fail are kept in target/fuzz/fuzz/, and what is printed runs them again.
FUZZ_SECONDS ?= 600
FUZZ_FROM ?= $(shell date +%Y%m%d)000000000
fuzz: setup
	cargo run --profile fuzz --locked --package dray-prove -- R17 --seconds $(FUZZ_SECONDS) --from $(FUZZ_FROM)

# Loads that are killed at random while their lists grow, for so many seconds.
SOAK_SECONDS ?= 600
soak: setup
	cargo run --release --locked --package dray-prove -- R3 --seconds $(SOAK_SECONDS)

# The release build, wherever cargo puts it.
TARGET := $(or $(CARGO_TARGET_DIR),target)
ifeq ($(BENCH),quick)
BENCH_ARGUMENTS := --quick
endif

# dray, dlt and DuckDB's own reader on the same lists; writes docs/benchmarks.md, its plots and bench/results.json. Takes
# about 20 minutes; Python 3.11 to 3.13 is needed. `make bench-quick` or `BENCH=quick`: whether it works, in a minute.
bench: setup
	cargo build --release --locked --package dray-cli --bin dray
	@python3 bench --dray $(TARGET)/release/dray $(BENCH_ARGUMENTS)

bench-quick:
	@$(MAKE) --no-print-directory bench BENCH=quick

# What dlt does in the cases of compat/, recorded anew in compat/goldens, and docs/compatibility.md. CASES="GROUP GROUP/NAME":
# these only. Python 3.11 to 3.13 is needed.
compat: setup
	@python3 compat/record.py $(CASES)
	DRAY_COMPAT_WRITE=1 cargo test --locked --package dray-cli --test it compat::the_list

# Instructions of the hot path, held against bench/instructions.json. Needs valgrind; says so where it is not there.
instructions:
	@python3 bench/instructions.py $(INSTRUCTIONS)

# The reference of all keys, and the same for editors: written from the table in crates/dray/src/config/keys/.
keys:
	cargo run --quiet --locked --package dray-cli --bin dray -- keys > docs/reference.md
	cargo run --quiet --locked --package dray-cli --bin dray -- keys --json-schema > docs/dray.schema.json

# What a change must pass beside the tests.
check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

# Licences, sources and known holes of everything that is built upon. Needs cargo-deny and cargo-audit, and the network
# for the database of advisories.
audit:
	cargo deny --locked check
	cargo audit

# What the program is made of, as CycloneDX JSON in dray.cdx.json.
sbom:
	python3 scripts/sbom.py > dray.cdx.json

# The documentation of the library, ARCHITECTURE.md included.
doc:
	cargo doc --workspace --no-deps --locked
