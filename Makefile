.PHONY: setup

# What a build does not fetch by itself: the DuckDB library that dray loads at run time.
setup:
	@python3 scripts/setup-duckdb.py
