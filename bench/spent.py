"""Where dray's CPU time goes: samples of `perf` by thread and function, put into a few kinds of work.

Linux with perf only; where there is none, the report says so.
"""

import re
import shutil
import subprocess

import measure

# Samples a second.
RATE = 2000

# The first pattern that a sample's library and function meet says what it was; in this order.
KINDS = [
    ("asking and receiving (HTTP, kernel)", r"^tokio\S* \S*(kernel|libc|vdso)|^tokio\S* \S*dray\S* .*(hyper|reqwest|tokio|h2::|rustls|http)"),
    ("parsing pages, finding records and tokens", r"dray::json|dray::extract|simdutf8|^tokio"),
    ("values into columns", r"dray::(normalize|schema|timestamp)|arrow_|dec2flt|fast_float|core::num|core::str"),
    ("DuckDB packs columns for the file", r"libduckdb\S* .*(ompress|fsst|FSST|Dictionary|Analy|Checkpoint|RLE|BitPack|Alp|Roaring|ZSTD|WriteToDisk|Partial|MetadataWriter)"),
    ("DuckDB takes rows in", r"libduckdb\S* .*(Arrow|Append|StringHeap|Utf8|Vector|ColumnData|Validity|StringStats|HyperLogLog|Hash|Statistics|TableScan|Copy|Cast)"),
    ("DuckDB, all else (statements, catalog, log)", r"libduckdb"),
    ("memory: copying, allocating, pages of the kernel", r"libc|libstdc|kernel|vdso"),
    ("starting (loading the programs)", r"ld-linux"),
    ("ids of nested rows (SHA-3, as dlt makes them)", r"keccak|sha3|Shake|digest"),
    ("the rest of dray", r""),
]


def available():
    return shutil.which("perf") is not None


def kind(sample):
    return next(name for name, pattern in KINDS if re.search(pattern, sample))


def shares(programs, workload):
    """Share of each kind of work, in the order above; none where perf refuses."""
    config = measure.fresh(programs, workload.config)
    data = programs.folder / "perf.data"
    command, _ = measure.dray_command(programs, workload, config)
    recorded = subprocess.run(
        ["perf", "record", "--quiet", "-F", str(RATE), "-o", str(data), "--", *command],
        env=measure.environment() | {"DRAY_DUCKDB_LIBRARY": programs.library},
        capture_output=True,
        check=False,
    )
    if recorded.returncode != 0:
        return None
    told = subprocess.run(
        ["perf", "script", "-i", str(data), "-F", "comm,ip,sym,dso"],
        capture_output=True,
        text=True,
        errors="replace",
        check=True,
    ).stdout
    counts = dict.fromkeys((name for name, _ in KINDS), 0)
    for line in told.splitlines():
        found = re.match(r"\s*(\S+)\s+[0-9a-f]+ (.*) \((\S+)\)$", line)
        if found:
            thread, function, library = found.groups()
            counts[kind(f"{thread} {library} {function}")] += 1
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items()} if total else None
