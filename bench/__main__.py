"""The benchmark: dray, dlt and DuckDB's own reader on the same lists. `make bench`, or `make bench-quick`.

Programs take turns (A B A B ...), every run is a process of its own, and after each the tables are counted. Results go
to bench/results.json, docs/benchmarks.md, the plots beside it and the README.
"""

import argparse
import datetime
import json
import pathlib
import shutil
import signal
import sys
import time

HERE = pathlib.Path(__file__).parent
# Started as `python3 bench`: its files import each other by name.
sys.dont_write_bytecode = True

import generate  # noqa: E402
import measure  # noqa: E402
import prepare  # noqa: E402
import report  # noqa: E402
import serve  # noqa: E402
import spent  # noqa: E402
import workloads  # noqa: E402

RESULTS = HERE / "results.json"
GROWTH = [10_000, 100_000, 1_000_000, 5_000_000]
# Beyond this many rows dlt takes minutes and shows nothing new.
GROWTH_DLT = 1_000_000
# dlt's default path is slower than its fast one and shows the same; it is measured on a tenth of each list.
DEFAULT_PATH = 10


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    def __init__(self, programs, runs):
        self.programs = programs
        self.runs = runs
        self.results = []

    def measure(self, group, workload, server, names, runs=None, warm=1):
        """The programs by turns, so that what else the machine does falls on all of them."""
        runs = runs or self.runs
        say(f"{workload.title} ({', '.join(names)})")
        taken = {name: [] for name in names}
        result = {
            "group": group,
            "id": workload.id,
            "title": workload.title,
            "rows": workload.rows,
            "bytes": workload.bytes,
            "runs": taken,
        }
        for turn in range(-warm, runs):
            for name in names:
                if taken[name] is None:
                    continue
                try:
                    run = measure.run(name, self.programs, workload, server)
                except measure.Refused as refused:
                    if not workload.optional:
                        raise
                    result["note"] = "dray does not do this yet"
                    say(f"  {name} refuses it: {str(refused).splitlines()[0]}")
                    taken[name] = None
                    continue
                if turn >= 0:
                    taken[name].append(run)
                say(
                    f"  {name:12} {run['wall_s']:8.2f} s wall {run['cpu_s']:8.2f} s CPU"
                    f" {run['memory_mb']:7.0f} MB {run['requests']:6} requests{'' if turn >= 0 else '  (warm-up)'}"
                )
        result["runs"] = {name: runs for name, runs in taken.items() if runs}
        self.results.append(result)


    def profile(self, workload):
        """What the CPU time of the last measured workload was spent on."""
        if spent.available():
            self.results[-1]["profile"] = spent.shares(self.programs, workload)


def quick(bench, lists, pages):
    """Whether all of it works, on a tenth of everything, without dlt."""
    for workload in workloads.bulk_workloads(lists, f"{pages.url}/tenth/"):
        bench.measure("bulk", workload, pages, ["dray"], warm=0)
    bench.measure("start", workloads.start(lists, f"{pages.url}/tenth/"), pages, ["dray"], warm=0)
    for total in GROWTH:
        workload = workloads.growth_workload(lists, f"{pages.url}/tenth/", total // 10)
        bench.measure("growth", workload, pages, ["dray"], warm=0)
    with serve.slow_server(workloads.SLOW_MS) as slow:
        for workload in workloads.slow_workloads(slow.url):
            bench.measure("slow", workload, slow, ["dray"], warm=0)


def full(bench, lists, tenth, pages):
    for workload in workloads.bulk_workloads(lists, f"{pages.url}/full/"):
        if workload.once:
            bench.measure("once", workload, pages, ["dray", "dlt"], runs=1, warm=0)
        else:
            bench.measure("bulk", workload, pages, ["dray", "dlt", "duckdb"])
            bench.profile(workload)
    bench.measure("start", workloads.start(lists, f"{pages.url}/full/"), pages, ["dray", "dlt"])
    with serve.slow_server(workloads.SLOW_MS) as slow:
        for workload in workloads.slow_workloads(slow.url):
            bench.measure("slow", workload, slow, ["dray", "dlt"], warm=0)
            # It takes a minute and hardly varies.
            bench.measure("plain", workload, slow, ["dlt_plain"], runs=1, warm=0)
    for total in GROWTH:
        workload = workloads.growth_workload(lists, f"{pages.url}/full/", total)
        bench.measure("growth", workload, pages, ["dray"], runs=3)
        if total <= GROWTH_DLT:
            bench.measure("growth", workload, pages, ["dlt"], runs=1, warm=0)
    for workload in workloads.bulk_workloads(tenth, f"{pages.url}/tenth/"):
        if not workload.once:
            bench.measure("default_path", workload, pages, ["dlt_default"], runs=1, warm=0)


def stopped(_number, _frame):
    """Unwinds, so that servers are stopped."""
    raise KeyboardInterrupt


def programs(dray, cache, scale, with_others):
    return measure.Programs(
        dray=str(pathlib.Path(dray).resolve()),
        python=str(prepare.packages(cache)) if with_others else None,
        library=str(prepare.duckdb_library()),
        folder=cache / "run",
        pages=cache / "pages" / scale,
    )


def run(arguments, cache):
    """All measurements; what is stored of them, nothing for a quick run."""
    scale = "tenth" if arguments.quick else "full"
    measured = programs(arguments.dray, cache, scale, not arguments.quick)
    tenth = generate.generate(cache / "pages", "tenth")
    lists = tenth if arguments.quick else generate.generate(cache / "pages", "full")
    busy = prepare.busy()
    if busy > 0.05 and not arguments.quick:
        say(f"bench: others use {busy:.0%} of the processors: the numbers will show it")
    bench = Bench(measured, 1 if arguments.quick else arguments.runs)
    try:
        with serve.pages_server(cache / "pages", cache / "nginx") as server:
            if arguments.quick:
                quick(bench, lists, server)
                return None
            full(bench, lists, tenth, server)
    finally:
        shutil.rmtree(measured.folder, ignore_errors=True)
    return {
        "date": datetime.date.today().isoformat(),
        "machine": prepare.machine(),
        "versions": prepare.versions(measured.dray),
        "server": server.name,
        "busy_before": round(busy, 3),
        "runs": arguments.runs,
        "concurrency": workloads.CONCURRENCY,
        "slow_ms": workloads.SLOW_MS,
        "default_path_share": DEFAULT_PATH,
        "results": bench.results,
    }


def main():
    arguments = argparse.ArgumentParser(prog="bench", description=__doc__)
    arguments.add_argument("--dray", required=True, help="the program, built in release")
    arguments.add_argument("--quick", action="store_true", help="a tenth of everything, once, without dlt")
    arguments.add_argument("--runs", type=int, default=5, help="runs of each program (5)")
    arguments = arguments.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stopped)

    began = time.monotonic()
    cache = prepare.cache()
    lock = prepare.alone(cache)
    try:
        results = run(arguments, cache)
    except measure.Failed as failed:
        sys.exit(f"bench: {failed}")
    except KeyboardInterrupt:
        sys.exit("bench: stopped; nothing was written")
    finally:
        lock.close()
    took = time.monotonic() - began
    if results is None:
        say(f"bench: all of it works, in {took:.0f} s; a quick run is no measurement and is not kept")
        return
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    report.write(results)
    say(f"bench: docs/benchmarks.md is written; it took {took / 60:.0f} minutes")


main()
