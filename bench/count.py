"""Counts the rows of tables: python count.py LIBRARY DATABASE TABLE...

Asks libduckdb through its C interface, so that nothing has to be installed for it. Prints a JSON object.
"""

import ctypes
import json
import sys


class Result(ctypes.Structure):
    """`duckdb_result` of duckdb.h: none of our business, but of this size."""

    _fields_ = [("counts", ctypes.c_uint64 * 3), ("pointers", ctypes.c_void_p * 3)]


def main():
    library, database, *tables = sys.argv[1:]
    duckdb = ctypes.CDLL(library)
    duckdb.duckdb_value_int64.restype = ctypes.c_int64
    duckdb.duckdb_result_error.restype = ctypes.c_char_p
    handle, connection = ctypes.c_void_p(), ctypes.c_void_p()
    if duckdb.duckdb_open(database.encode(), ctypes.byref(handle)):
        sys.exit(f"count: cannot open {database}")
    if duckdb.duckdb_connect(handle, ctypes.byref(connection)):
        sys.exit(f"count: cannot connect to {database}")
    counts = {}
    for table in tables:
        result = Result()
        query = f'select count(*) from bench."{table}"'
        if duckdb.duckdb_query(connection, query.encode(), ctypes.byref(result)):
            sys.exit(f"count: {duckdb.duckdb_result_error(ctypes.byref(result)).decode()}")
        counts[table] = duckdb.duckdb_value_int64(ctypes.byref(result), ctypes.c_uint64(0), ctypes.c_uint64(0))
        duckdb.duckdb_destroy_result(ctypes.byref(result))
    duckdb.duckdb_disconnect(ctypes.byref(connection))
    duckdb.duckdb_close(ctypes.byref(handle))
    print(json.dumps(counts))


main()
