"""Runs a program as a process of its own and measures it from outside."""

import dataclasses
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import serve
import workloads

HERE = pathlib.Path(__file__).parent

# Longer than any run takes: a program that hangs ends the benchmark, not the patience of who started it.
LIMIT_S = 900


class Failed(Exception):
    """A run that failed or loaded something else than it should."""


class Refused(Failed):
    """The program says that it cannot do this: exit code 2 of dray."""


@dataclasses.dataclass
class Programs:
    dray: str
    # With dlt and DuckDB; none in a quick run.
    python: str | None
    library: str
    # Emptied before each run.
    folder: pathlib.Path
    # The pages as files.
    pages: pathlib.Path


def environment():
    """What the measured programs see: no settings of whoever runs the benchmark."""
    kept = {
        key: os.environ[key] for key in ("PATH", "HOME", "XDG_CACHE_HOME", "DRAY_DUCKDB_LIBRARY") if key in os.environ
    }
    return kept | {"LANG": "C.UTF-8", "RUNTIME__DLTHUB_TELEMETRY": "false"}


def dray_command(programs, workload, config):
    command = [programs.dray, "run", str(config), "--to", f"duckdb:{programs.folder}/out.duckdb"]
    command += ["--dataset", "bench", "--pipeline", "bench", "--quiet"]
    if workload.slow:
        command += ["--set", f"client.concurrency={workloads.CONCURRENCY}"]
    return command, {}


def dlt_command(programs, workload, config, file_format=("parquet",)):
    command = [programs.python, str(HERE / "run_dlt.py"), str(config), str(programs.folder), *file_format]
    more = {"DLT_DATA_DIR": str(programs.folder / "dlt")}
    if workload.slow:
        workers = str(workloads.CONCURRENCY)
        more |= {"EXTRACT__WORKERS": workers, "EXTRACT__MAX_PARALLEL_ITEMS": workers}
    return command, more


def plain_dlt_command(programs, workload, config):
    """With dlt's own settings, as it comes."""
    command, more = dlt_command(programs, workload, config)
    return command, {name: value for name, value in more.items() if not name.startswith("EXTRACT__")}


def duckdb_command(programs, workload, _config):
    files = f"{programs.pages}/{workload.files}/*.json"
    return [programs.python, str(HERE / "run_duckdb.py"), f"{programs.folder}/out.duckdb", workload.files, files], {}


def default_dlt_command(programs, workload, config):
    return dlt_command(programs, workload, config, file_format=())


COMMANDS = {
    "dray": dray_command,
    "dlt": dlt_command,
    "dlt_default": default_dlt_command,
    "dlt_plain": plain_dlt_command,
    "duckdb": duckdb_command,
}


def too_long(_number, _frame):
    raise Failed(f"not done after {LIMIT_S} s")


def wait(process):
    """Waits as the shell's `time` does: CPU time of the process and all that it waited for, memory of the largest."""
    # An alarm, so that this process sleeps: looking again and again would take time from a machine with few cores.
    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LIMIT_S)
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    # Else subprocess would wait for a process that is gone.
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage


def fresh(programs, config):
    """An empty folder with nothing but the configuration in it."""
    shutil.rmtree(programs.folder, ignore_errors=True)
    programs.folder.mkdir(parents=True)
    path = programs.folder / "bench.json"
    path.write_text(json.dumps(config))
    return path


def run(name, programs, workload, server):
    """One measured run of one program, checked."""
    chosen = workload.dlt_config if name.startswith("dlt") and workload.dlt_config else workload.config
    if name == "dlt_plain":
        chosen = workloads.one_by_one(chosen)
    config = fresh(programs, chosen)
    command, more = COMMANDS[name](programs, workload, config)

    before, _ = server.stats()
    log = programs.folder / "log"
    with open(log, "wb") as out:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=programs.folder,
            env=environment() | more,
            preexec_fn=serve.die_with_parent,
        )
        usage = wait(process)
        wall = time.perf_counter() - started
    after, at_once = server.stats()
    if process.returncode != 0:
        said = log.read_text(errors="replace").strip()[-2000:]
        if name == "dray" and process.returncode == 2 and "not supported yet" in said:
            raise Refused(said)
        raise Failed(f"{name} on {workload.id}: exit code {process.returncode}\n{said}")
    check(name, programs, workload)
    return {
        "wall_s": round(wall, 3),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
        "memory_mb": round(usage.ru_maxrss * 1024 / 1e6, 1),
        # The question itself is counted too.
        "requests": after - before - 1,
        "at_once": at_once,
    }


def check(name, programs, workload):
    """A benchmark of a wrong result is worth nothing: every table has the rows that were served."""
    expected = {table: rows for table, rows in workload.tables.items() if rows}
    if name == "duckdb":
        expected = {workload.files: workload.tables[workload.files]}
    command = [sys.executable, str(HERE / "count.py"), programs.library, f"{programs.folder}/out.duckdb", *expected]
    counted = subprocess.run(command, capture_output=True, text=True)
    if counted.returncode != 0:
        raise Failed(f"{name} on {workload.id}: {counted.stderr.strip()}")
    found = json.loads(counted.stdout)
    if found != expected:
        raise Failed(f"{name} on {workload.id}: the tables hold {found}, {expected} was served")
