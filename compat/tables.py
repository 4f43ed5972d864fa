"""The tables of a dataset in a form that two programs can agree on: what differs from load to load is left out.

Nested rows stand inside their parents, so that ids appear as what they mean. `crates/dray-cli/tests/it/compat/tables.rs`
is its twin.
"""

import json

import duckdb

# The names that stand for ids in a row; what is as it must be is left out.
IDS = ("_dlt_id", "_dlt_parent_id", "_dlt_root_id", "_dlt_list_idx", "_dlt_load_id")


def shown(name, kind):
    """How a column is read: as text that does not depend on the machine."""
    quoted = '"' + name.replace('"', '""') + '"'
    if kind == "TIMESTAMP WITH TIME ZONE":
        quoted = f"make_timestamp(epoch_us({quoted}))"
    if kind == "BLOB":
        quoted = f"hex({quoted})"
    return f"CAST({quoted} AS VARCHAR)"


def read(database, dataset, runs):
    """All tables but dlt's own: columns with types, and rows; `runs` are the loads of each run."""
    with duckdb.connect(database, read_only=True) as connection:
        found = connection.execute(
            "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
            "WHERE table_schema = ? ORDER BY table_name, ordinal_position",
            [dataset],
        ).fetchall()
        tables = {}
        for table, column, kind, nullable in found:
            if not table.startswith(("_dlt_", "_dray_")):
                tables.setdefault(table, {})[column] = kind + ("" if nullable == "YES" else " NOT NULL")
        read_rows = {}
        for table, columns in tables.items():
            listed = ", ".join(shown(name, kind.removesuffix(" NOT NULL")) for name, kind in columns.items())
            rows = connection.execute(f'SELECT {listed} FROM "{dataset}"."{table}"').fetchall()
            read_rows[table] = [dict(zip(columns, row)) for row in rows]
    return assembled(tables, read_rows, runs)


def assembled(tables, rows, runs):
    nested = {table for table, columns in tables.items() if "_dlt_parent_id" in columns}
    children = {}
    for table in sorted(nested):
        for row in rows[table]:
            children.setdefault(row["_dlt_parent_id"], []).append((table, row))
    used = set()

    def whole(table, row, root):
        entry = {}
        for column, value in row.items():
            if column in IDS or value is None:
                continue
            if tables[table][column].startswith("JSON"):
                value = json.dumps(json.loads(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            entry[column] = value
        if row.get("_dlt_root_id") not in (None, root):
            entry["_dlt_root_id"] = "of another row"
        if len(runs) > 1 and "_dlt_load_id" in row:
            of = [str(number) for number, loads in enumerate(runs, 1) if row["_dlt_load_id"] in loads]
            entry["_dlt_load_id"] = of[0] if of else "of no load"
        below = sorted(children.get(row["_dlt_id"], []), key=lambda child: (child[0], int(child[1]["_dlt_list_idx"])))
        for name, child in below:
            used.add(id(child))
            place = entry.setdefault(name, [])
            made = whole(name, child, root)
            if int(child["_dlt_list_idx"]) != len(place):
                made["_dlt_list_idx"] = child["_dlt_list_idx"]
            place.append(made)
        return entry

    result = {}
    for table in sorted(tables):
        result[table] = {"columns": dict(sorted(tables[table].items()))}
        if table not in nested:
            result[table]["rows"] = sorted((whole(table, row, row["_dlt_id"]) for row in rows[table]), key=in_order)
    for table in sorted(nested):
        lost = [whole(table, row, None) for row in rows[table] if id(row) not in used]
        if lost:
            result[table]["orphans"] = sorted(lost, key=in_order)
    return result


def in_order(row):
    return json.dumps(row, sort_keys=True)
