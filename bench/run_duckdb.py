"""The same bytes from local files by DuckDB's own reader: python run_duckdb.py DATABASE TABLE FILES

Fields of a record become columns; what is nested stays nested. No requests, no tables below the list's own, no keys
and no state: less than a load, so a lower bound.
"""

import sys

import duckdb

database, table, files = sys.argv[1:]
connection = duckdb.connect(database)
connection.execute("create schema bench")
connection.execute(
    f"create table bench.{table} as select unnest(record) from"
    " (select unnest(data) as record from read_json(?, maximum_object_size = 100000000))",
    [files],
)
connection.close()
