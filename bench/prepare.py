"""What the benchmark needs beside this repository: Python packages in a virtual environment of their own."""

import fcntl
import hashlib
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
REQUIREMENTS = HERE / "requirements.txt"


def cache():
    """A folder that outlives a run: packages and pages are made once."""
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = pathlib.Path(base) / "dray" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def alone(folder):
    """Holds the folder until this process ends: two benchmarks at once would measure each other."""
    held = open(folder / "lock", "w", encoding="utf-8")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit("bench: another benchmark is running")
    return held


def duckdb_library():
    """libduckdb, where dray looks for it after `make setup`."""
    if os.environ.get("DRAY_DUCKDB_LIBRARY"):
        return pathlib.Path(os.environ["DRAY_DUCKDB_LIBRARY"])
    found = sorted(cache().parent.glob("duckdb-*/libduckdb.so"))
    if not found:
        sys.exit("bench: libduckdb is not there: run `make setup`")
    return found[-1]


def packages(folder):
    """The Python that has dlt, DuckDB and pyarrow in the pinned versions."""
    environment = folder / "python"
    python = environment / "bin" / "python"
    # Whole only with this stamp: an installation that was interrupted is made anew.
    stamp = environment / "installed"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + platform.python_version().encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return python
    print("bench: installing what dray is compared with", file=sys.stderr, flush=True)
    shutil.rmtree(environment, ignore_errors=True)
    for command in (
        [sys.executable, "-m", "venv", str(environment)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS)],
    ):
        if subprocess.run(command, stdout=sys.stderr).returncode != 0:
            sys.exit(f"bench: failed: {' '.join(command[1:])} (Python 3.11 to 3.13 with venv and pip is needed)")
    stamp.write_text(wanted)
    return python


def busy(seconds=2.0):
    """Share of the processors' time that others use. The load average would still know the build of a minute ago."""

    def times():
        with open("/proc/stat", encoding="utf-8") as file:
            spent = [int(value) for value in file.readline().split()[1:9]]
        # The fourth and fifth are idle, and idle while a disk works.
        return sum(spent), spent[3] + spent[4]

    total, idle = times()
    time.sleep(seconds)
    total_after, idle_after = times()
    return 1 - (idle_after - idle) / max(total_after - total, 1)


def machine():
    """What the numbers were measured on; nothing that tells whose machine it is."""
    model = memory = None
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = round(int(file.readline().split()[1]) / 2**20)
    kernel = platform.release().split("-")[0]
    return {
        "cpu": model or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": memory,
        "system": f"{platform.system()} {kernel}",
    }


def versions(dray):
    pins = dict(line.split("==") for line in REQUIREMENTS.read_text().split() if "==" in line)
    named = subprocess.run([dray, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    git = ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True).stdout.strip()
    return {"dray": named, "commit": commit, **pins, "python": platform.python_version()}
