"""From bench/results.json to docs/benchmarks.md, its plots, and the section `Speed` of the README.

`make bench` calls it; `python3 bench/report.py` writes the same again from stored results.
"""

import json
import math
import pathlib
import statistics

import plot

ROOT = pathlib.Path(__file__).parent.parent
DOCS = ROOT / "docs"
BEGIN, END = "<!-- speed: written by bench/report.py -->", "<!-- end of speed -->"

PROGRAMS = {"dray": "dray", "dlt": "dlt", "duckdb": "read_json"}
KEYS = {"wall_s": ("Wall time", "s"), "cpu_s": ("CPU time", "s"), "memory_mb": ("Largest memory", "MB")}

METHOD = """\
## How it is measured

`make bench` does all of it: it builds dray, installs dlt and DuckDB in a virtual environment in `~/.cache/dray/bench`,
makes the pages (1.3 GB, there too) and serves them from this machine, and writes this file. It takes about 20 minutes on
two cores and needs Python 3.11 to 3.13; nginx is used where it is installed. `make bench-quick` runs a tenth without
dlt, to see that all of it works. Nothing else should run on the machine.

- A run is a process of its own, from its start to its end, into a new database. The programs take turns. A table gives
  the median, with the smallest and the largest run in brackets. A ratio is taken between the two runs of one turn, and
  the median of those is given in the same way.
- CPU time is user and system time of the process and of all that it started. Memory is the largest resident set of one
  process.
- After every run the rows of every table are counted and held against what was served. A wrong count ends the
  benchmark.
- Both load by the same configuration, with their defaults. dlt goes by Parquet files (`loader_file_format="parquet"`),
  its fastest way into DuckDB; its default way is at the end.
- `read_json` is DuckDB's own reader: `create table ... as select` from the same pages as local files, in the Python
  package of the same version that dray loads. It sends no requests, makes no tables of nested lists, checks no keys
  and keeps no state: a lower bound rather than a rival.
"""


NOISY = "The machine had other work to do: wall times are too long and spread wide, CPU times hold better."


def noisy(results):
    return results["busy_before"] > 0.1


def lower(name):
    """A name of a measure inside a sentence."""
    return name if name.startswith("CPU") else name[0].lower() + name[1:]


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def cell(runs, key):
    values = sorted(run[key] for run in runs)
    middle = plot.number(statistics.median(values))
    if values[0] == values[-1]:
        return middle
    return f"{middle} ({plot.number(values[0])}–{plot.number(values[-1])})"


def ratios(result, name, key):
    """How many times what dray needs, of each pair that ran one after the other; none where one was not measured."""
    pairs = zip(result["runs"].get(name, []), result["runs"].get("dray", []))
    return [theirs[key] / mine[key] for theirs, mine in pairs]


def times(value):
    return f"{value:.1f}×" if value < 20 else f"{value:.0f}×"


def ratio_cell(found):
    if not found:
        return ""
    middle = times(statistics.median(found))
    return middle if len(found) == 1 else f"{middle} ({times(min(found))}–{times(max(found))})"


def group(results, name):
    return [result for result in results["results"] if result["group"] == name]


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def label(result):
    # A small list is told by its rows.
    size = result["bytes"] / 1e6
    return f"{result['title']} ({size:.0f} MB)" if size >= 1 else result["title"]


def compared(results, others, key):
    """A table of one measure: dray, and each of the others with its ratio."""
    name, unit = KEYS[key]
    header = [f"{name}, {unit}", "dray"]
    for other in others:
        header += [PROGRAMS[other], f"{PROGRAMS[other]} / dray"]
    rows = []
    for result in results:
        row = [label(result), cell(result["runs"]["dray"], key) if "dray" in result["runs"] else result.get("note", "")]
        for other in others:
            runs = result["runs"].get(other)
            row += [cell(runs, key) if runs else "", ratio_cell(ratios(result, other, key))]
        rows.append(row)
    return table(header, rows)


def requests(results):
    rows = []
    for result in results:
        row = [label(result)]
        for key in ("requests", "at_once"):
            row += [cell(result["runs"][name], key) if name in result["runs"] else "" for name in ("dray", "dlt")]
        rows.append(row)
    return table(
        ["As the server counted", "dray: requests", "dlt: requests", "dray: most at once", "dlt: most at once"], rows
    )


def waiting(results, slow, at_once):
    """What waiting alone takes, and what dlt takes where nothing is told to be parallelized."""
    plain = {result["id"]: result["runs"]["dlt_plain"] for result in group(results, "plain")}
    if not plain:
        return []
    rows = []
    for result in slow:
        dray, other = result["runs"]["dray"], plain[result["id"]]
        rounds = math.ceil(median(dray, "requests") / at_once)
        least = rounds * results["slow_ms"] / 1000
        mine, theirs = median(dray, "wall_s"), median(other, "wall_s")
        rows.append([label(result), f"{least:.2f}", f"{mine:.3g}", f"{theirs:.3g}", f"{theirs / mine:.1f}×"])
    words = (
        f"Nobody can be faster than the waiting: {at_once} requests at a time take {results['slow_ms']} ms a round. The last"
        " columns are dlt with the configuration as people write it, where nothing is `parallelized`, once; the tables below"
        " are dlt at its best.\n"
    )
    return [words, table(["Wall time, s", "waiting alone", "dray", "dlt, one by one", "dlt, one by one / dray"], rows)]


def growth(results):
    """Runs of one size come as two results: dray's and dlt's."""
    sizes = {}
    for result in group(results, "growth"):
        sizes.setdefault(result["rows"], {}).update(result["runs"])
    return sizes


def growth_table(results):
    rows = []
    for size, runs in growth(results).items():
        row = [f"{size:,}"]
        for name in ("dray", "dlt"):
            row += [cell(runs[name], key) if name in runs else "" for key in KEYS]
        rows.append(row)
    header = ["Rows"]
    for name in ("dray", "dlt"):
        header += [f"{name}: {lower(text)}, {unit}" for text, unit in KEYS.values()]
    return table(header, rows)


def default_path(results):
    share = results["default_path_share"]
    start = next(iter(group(results, "start")))["runs"]["dlt"]
    rows = []
    for result in group(results, "default_path"):
        runs = result["runs"]["dlt_default"]
        # What a run costs that has nothing to do comes once, however long the list.
        fixed = {key: median(start, key) for key in KEYS}
        whole = (fixed[key] + (median(runs, key) - fixed[key]) * share for key in ("wall_s", "cpu_s"))
        rows.append([label(result), *(cell(runs, key) for key in KEYS), *(f"about {value:.0f}" for value in whole)])
    header = ["A tenth of the list", *(f"{text}, {unit}" for text, unit in KEYS.values())]
    return table([*header, "Whole list: wall time, s", "Whole list: CPU time, s"], rows)


def spread(results):
    """The widest (largest - smallest) / median of a measure, over all that was run more than once."""
    widest = {}
    for result in results["results"]:
        for name, runs in result["runs"].items():
            for key in ("wall_s", "cpu_s"):
                values = [run[key] for run in runs]
                share = (max(values) - min(values)) / statistics.median(values)
                if len(values) > 1 and share > widest.get(key, (0,))[0]:
                    widest[key] = (share, name, result["title"])
    return [
        f"- Spread of {lower(KEYS[key][0])}, widest: {share:.0%} of the median ({name}, {title})."
        for key, (share, name, title) in widest.items()
    ]


def not_better(results):
    """Every case in which dray needs more than another, and what it cannot do yet."""
    found = []
    for result in results["results"]:
        if "note" in result:
            found.append(f"- {result['title']}: {result['note']}; only dlt was measured.")
        for other in ("dlt", "duckdb"):
            for key, (text, unit) in KEYS.items():
                pairs = ratios(result, other, key)
                if pairs and statistics.median(pairs) < 1:
                    mine, theirs = (plot.number(median(result["runs"][n], key)) for n in ("dray", other))
                    found.append(
                        f"- {result['title']}: {lower(text)} {mine} {unit}, {PROGRAMS[other]} {theirs} {unit}."
                    )
    sizes = growth(results)
    if len(sizes) > 1:
        first, last = min(sizes), max(sizes)
        small, large = (median(sizes[size]["dray"], "memory_mb") for size in (first, last))
        if large > small * 1.1:
            text = f"{plot.number(small)} MB at {first:,} rows, {plot.number(large)} MB at {last:,}"
            found.append(f"- Memory is not the same for any number of rows: {text}.")
    return found or ["Nowhere in what is measured here."]


def setting(results):
    machine, versions = results["machine"], results["versions"]
    rows = [
        ["Date", results["date"]],
        ["Machine", f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gib']} GiB, {machine['system']}"],
        ["Used by others before the first run", f"{results['busy_before']:.0%} of the processors"],
        ["dray", f"{versions['dray']} ({versions['commit']})"],
        ["dlt", f"{versions['dlt']}, Python {versions['python']}, pyarrow {versions['pyarrow']}"],
        ["DuckDB", f"{versions['duckdb']}, for all"],
        ["Server of the pages", f"{results['server']}, on the same machine"],
        ["Runs", f"{results['runs']} by turns after one that does not count, where nothing else is said"],
    ]
    return table(["", ""], rows)


SPENT = """\
What dray's own CPU time is spent on, in milliseconds: samples of the running program, put into kinds by their functions.

{table}
Most of it is DuckDB's: every value is copied into its own columns once, and packed once for the file. That is what any
way of loading into a DuckDB file costs; dray asks for it once a row, in transactions large enough to need no log. Parsing
and building touch every byte once.
"""


def spent(bulk):
    """Where the time goes; nothing where perf was not there."""
    shown = [result for result in bulk if result.get("profile")]
    if not shown:
        return "What dray's own CPU time is spent on was not measured: `perf` was not there.\n"
    rows = []
    for name in shown[0]["profile"]:
        row = [name]
        for result in shown:
            milliseconds = 1000 * median(result["runs"]["dray"], "cpu_s") * result["profile"][name]
            row.append(f"{milliseconds:.0f} ({result['profile'][name]:.0%})")
        rows.append(row)
    return SPENT.format(table=table(["CPU time of dray, ms", *(result["title"] for result in shown)], rows))


def document(results):
    bulk, slow, at_once = group(results, "bulk"), group(results, "slow"), results["concurrency"]
    parts = ["# Benchmarks\n", "`make bench` writes this file from `bench/results.json`.\n", setting(results)]
    if noisy(results):
        parts += [f"**{NOISY}**\n"]
    parts += [
        "## An API that answers at once\n",
        "What the programs cost themselves.\n",
        "![Wall time](bench-wall.svg)\n",
    ]
    parts += [compared(bulk, ["dlt", "duckdb"], key) for key in KEYS]
    parts += [spent(bulk)]
    parts += ["![Memory](bench-memory.svg)\n", "The same lists with the other write disposition, once:\n"]
    parts += [compared(group(results, "once"), ["dlt"], key) for key in KEYS]
    parts += [
        "## An API that takes its time\n",
        f"Every answer comes {results['slow_ms']} ms after its request. `client.concurrency` is {at_once}; dlt has"
        f" {at_once} workers and `parallelized` resources.\n"
        "For time windows, which dlt does not know, it has one resource a window.\n",
    ]
    parts += waiting(results, slow, at_once)
    parts += [compared(slow, ["dlt"], key) for key in KEYS] + [requests(slow)]
    parts += ["## One row\n", "What a run costs that has nothing to do.\n"]
    parts += [compared(group(results, "start"), ["dlt"], key) for key in KEYS]
    parts += ["## More rows\n", "Flat rows, append. dray three times, dlt once and up to a million.\n"]
    parts += ["![Growth](bench-growth.svg)\n", growth_table(results)]
    parts += ["## Where dray is not better\n", "\n".join(not_better(results)) + "\n"]
    parts += [
        "## dlt's default way\n",
        "Without `loader_file_format`, once, a tenth of each list. The last two columns are not measured but reckoned:"
        f" {results['default_path_share']} times what the tenth took beyond a run of one row, and that run.\n",
        default_path(results),
    ]
    parts += [METHOD, "\n".join(spread(results)) + "\n"]
    return "\n".join(parts).rstrip() + "\n"


def short_table(results):
    rows = []
    for result in group(results, "bulk"):
        row = [label(result)]
        for key, (_, unit) in KEYS.items():
            mine, theirs = (plot.number(median(result["runs"][name], key)) for name in ("dray", "dlt"))
            row.append(f"{mine} {unit}, {theirs} {unit}")
        rows.append(row)
    return table(["dray, dlt", *(lower(name) for name, _ in KEYS.values())], rows)


def readme(results):
    machine, versions = results["machine"], results["versions"]
    most = max(growth(results))
    note = f"\n{NOISY}\n" if noisy(results) else ""
    text = f"""\
{BEGIN}

Whole runs into DuckDB from a server on the same machine ({machine["cores"]} cores), dray and dlt {versions["dlt"]} by
turns, medians of {results["runs"]}; dlt by way of Parquet files, its fastest:

{short_table(results)}{note}
![Wall time of dray, dlt and DuckDB's own reader](docs/bench-wall.svg)

[docs/benchmarks.md](docs/benchmarks.md) has the spread, slow APIs, growth to {most:,} rows, every case in which dray is
not better, and how to run it: `make bench`.

{END}"""
    path = ROOT / "README.md"
    old = path.read_text(encoding="utf-8")
    before, rest = old.split(BEGIN)
    after = rest.split(END)[1]
    path.write_text(before + text + after, encoding="utf-8")


def plots(results):
    shown = [result for name in ("bulk", "slow", "start") for result in group(results, name)]

    def groups(key, chosen):
        names = [name for name in plot.COLOURS]
        return [(r["title"], {n: median(r["runs"][n], key) for n in names if n in r["runs"]}) for r in chosen]

    (DOCS / "bench-wall.svg").write_text(
        plot.bars("Wall time, seconds on a logarithmic axis: shorter is better", "s", groups("wall_s", shown), True)
    )
    (DOCS / "bench-memory.svg").write_text(
        plot.bars("Largest memory: shorter is better", "MB", groups("memory_mb", shown), False)
    )
    panels = []
    for title, unit, key, logarithmic in (
        ("Wall time", "s", "wall_s", True),
        ("Largest memory", "MB", "memory_mb", False),
    ):
        series = {}
        for size, runs in sorted(growth(results).items()):
            for name in runs:
                series.setdefault(name, []).append((size, median(runs[name], key)))
        panels.append((title, unit, series, logarithmic))
    (DOCS / "bench-growth.svg").write_text(plot.lines("From ten thousand flat rows to millions", panels))


def write(results):
    (DOCS / "benchmarks.md").write_text(document(results), encoding="utf-8")
    plots(results)
    readme(results)


if __name__ == "__main__":
    write(json.loads((ROOT / "bench" / "results.json").read_text()))
