"""What is measured: the lists, the configurations that load them, and the rows that must come out.

A configuration is one mapping in dlt's format. dray gets it as a JSON file, dlt as a Python value. Where one of the two
needs another one to do its best, the workload has both.
"""

import dataclasses

import server

# Requests side by side, where the API is slow; dlt gets as many workers.
CONCURRENCY = 16
SLOW_MS = 50


@dataclasses.dataclass
class Workload:
    id: str
    title: str
    # Of dray; of dlt as well where that has none of its own.
    config: dict
    # Rows of each table.
    tables: dict
    dlt_config: dict | None = None
    # The list whose files DuckDB's read_json loads; none where that would be no comparison.
    files: str | None = None
    slow: bool = False
    # Bytes of JSON.
    bytes: int = 0
    # A run that dray refuses is noted and left out.
    optional: bool = False
    # Measured once: beside a workload that is measured in full.
    once: bool = False

    @property
    def rows(self):
        return max(self.tables.values())


def source(base, resources, disposition):
    return {
        "client": {"base_url": base},
        "resource_defaults": {"primary_key": "id", "write_disposition": disposition},
        "resources": resources,
    }


def offset(limit, **more):
    return {"type": "offset", "limit": limit, "total_path": "total", **more}


CHARGES = {
    "name": "charges",
    "endpoint": {
        "path": "charges",
        "params": {"limit": 100},
        "data_selector": "data",
        "paginator": {
            "type": "cursor",
            "cursor_path": "data[-1].id",
            "cursor_param": "starting_after",
            "has_more_path": "has_more",
        },
    },
}
ROWS = {"name": "rows", "endpoint": {"path": "rows", "data_selector": "data", "paginator": offset(1000)}}
INVOICES = {
    "name": "invoices",
    "endpoint": {
        "path": "invoices",
        "params": {"limit": 50},
        "data_selector": "data",
        "paginator": {
            "type": "cursor",
            "cursor_param": "cursor",
            "cursor_path": "pagination_metadata.next_cursor",
        },
    },
}
ONE = {"name": "one", "endpoint": {"path": "one", "data_selector": "data", "paginator": "single_page"}}


def growth(total):
    paginator = offset(1000, maximum_offset=total)
    return {"name": "growth", "endpoint": {"path": "growth", "data_selector": "data", "paginator": paginator}}


def bulk(lists, base, resource, disposition, title, once=False):
    name = resource["name"]
    return Workload(
        id=f"{name}-{disposition}",
        title=f"{lists[name]['records']:,} {title}, {disposition}",
        config=source(base, [resource], disposition),
        tables=lists[name]["tables"],
        files=None if once else name,
        bytes=lists[name]["bytes"],
        once=once,
    )


def bulk_workloads(lists, base):
    """What the programs themselves cost: the server answers at once."""
    return [
        bulk(lists, base, CHARGES, "merge", "Stripe charges"),
        bulk(lists, base, ROWS, "append", "flat rows"),
        bulk(lists, base, INVOICES, "merge", "invoices with line items"),
        bulk(lists, base, CHARGES, "append", "Stripe charges", once=True),
        bulk(lists, base, ROWS, "merge", "flat rows", once=True),
        bulk(lists, base, INVOICES, "append", "invoices with line items", once=True),
    ]


def start(lists, base):
    return Workload(
        id="start",
        title="One row: start to end",
        config=source(base, [ONE], "append"),
        tables=lists["one"]["tables"],
        bytes=lists["one"]["bytes"],
    )


def growth_workload(lists, base, total):
    share = total / lists["growth"]["records"]
    return Workload(
        id=f"growth-{total}",
        title=f"{total:,} flat rows, append",
        config=source(base, [growth(total)], "append"),
        tables={"growth": total},
        bytes=int(lists["growth"]["bytes"] * share),
    )


def slow_list(base):
    endpoint = {"path": "list", "data_selector": "data", "paginator": offset(server.LIST_LIMIT)}
    return Workload(
        id="slow-list",
        title=f"{server.LIST_PAGES} offset pages",
        config=source(base, [{"name": "items", "endpoint": endpoint}], "append"),
        tables={"items": server.LIST_PAGES * server.LIST_LIMIT},
        slow=True,
    )


def slow_children(base):
    parents = {"path": "parents", "data_selector": "data", "paginator": offset(server.PARENTS_LIMIT)}
    children = {
        "path": "parents/{resources.parents.id}/children",
        "data_selector": "data",
        "paginator": "single_page",
    }
    resources = [{"name": "parents", "endpoint": parents}, {"name": "children", "endpoint": children}]
    side_by_side = [resources[0], resources[1] | {"parallelized": True}]
    return Workload(
        id="slow-children",
        title=f"{server.PARENTS:,} parents, a page of children each",
        config=source(base, resources, "append"),
        dlt_config=source(base, side_by_side, "append"),
        tables={"parents": server.PARENTS, "children": server.PARENTS * server.CHILDREN},
        slow=True,
    )


def slow_windows(base):
    """dlt has no windows; one resource a window, all into one table, is the nearest that it can be told."""
    first, days = server.FIRST_DAY, server.DAYS
    page = {"path": "events", "data_selector": "data", "paginator": offset(server.EVENTS_A_DAY)}
    incremental = {
        "cursor_path": "created",
        "start_param": "created[gte]",
        "end_param": "created[lt]",
        "initial_value": first,
        "end_value": first + days * server.DAY,
        "format": "unix",
        "window": "1d",
    }

    def one_day(day):
        start = first + day * server.DAY
        params = {"created[gte]": start, "created[lt]": start + server.DAY}
        endpoint = page | {"params": params}
        return {"name": f"events_{day:02}", "table_name": "events", "parallelized": True, "endpoint": endpoint}

    events = {"name": "events", "endpoint": page | {"incremental": incremental}}
    return Workload(
        id="slow-windows",
        title=f"{days} time windows",
        config=source(base, [events], "append"),
        dlt_config=source(base, [one_day(day) for day in range(days)], "append"),
        tables={"events": days * server.EVENTS_A_DAY},
        slow=True,
        optional=True,
    )


def one_by_one(config):
    """As people write it for dlt: nothing is told to be parallelized."""
    plain = [{key: value for key, value in resource.items() if key != "parallelized"} for resource in config["resources"]]
    return config | {"resources": plain}


def slow_workloads(base):
    """What waiting costs: every answer comes after SLOW_MS, so only requests side by side help."""
    return [slow_list(base), slow_children(base), slow_windows(base)]
