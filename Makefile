# The commands of this project. `make demo` and `make test` work in a fresh clone.
#
# Needed: a Rust toolchain (1.95 or newer), python3 and npm (for `setup`). cargo-nextest is used where it is installed.

.PHONY: setup demo test prove fuzz soak check audit sbom doc

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
