#!/usr/bin/env python3
"""Runs the cases of this folder under real dlt and writes what it did: python3 compat/record.py [GROUP[/NAME]]...

`make compat` calls it. It installs the pinned dlt into the cache folder first, where it is not there.
"""

import hashlib
import importlib.metadata
import json
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
DATASET = "test_dataset"
# Of the lines of a golden.
WIDTH = 110

# Nothing of the machine and nothing that waits: one worker, so that the order is defined, and no pauses before retries.
SETTINGS = {
    "EXTRACT__WORKERS": "1",
    "EXTRACT__NEXT_ITEM_MODE": "fifo",
    "NORMALIZE__WORKERS": "1",
    "LOAD__WORKERS": "1",
    "LOAD__RAISE_ON_MAX_RETRIES": "1",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__REQUEST_BACKOFF_FACTOR": "0",
    "RUNTIME__REQUEST_MAX_ATTEMPTS": "2",
    "RUNTIME__REQUEST_TIMEOUT": "5",
    "RUNTIME__LOG_LEVEL": "CRITICAL",
}


def digest(text):
    """Of a case without its list of differences, which may change without a new recording."""
    return hashlib.sha3_256(text.split("\ndiffers:", 1)[0].rstrip().encode()).hexdigest()[:16]


def plain_loader():
    """YAML as version 1.2 reads it: `on` and dates are text."""
    import re

    import yaml

    class Plain(yaml.SafeLoader):
        pass

    Plain.yaml_implicit_resolvers = {}
    for kind, pattern, first in (
        ("bool", r"^(?:true|false)$", "tf"),
        ("null", r"^(?:null|~|)$", ["n", "~", ""]),
        ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
        ("float", r"^[-+]?[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?$", "-+0123456789"),
    ):
        Plain.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(pattern), list(first))
    return Plain


def cause(error):
    """The error that began it, and in which step."""
    step = str(getattr(error, "step", "config"))
    while True:
        inner = getattr(error, "exception", None) or error.__cause__ or error.__context__
        if inner is None or not isinstance(inner, BaseException):
            return {"step": step, "kind": type(error).__name__}
        error = inner


def once(api, case, database, folder, run):
    """One run of a case: what was asked for, and the error if there was one, and its loads."""
    import dlt
    from dlt.sources.rest_api import rest_api_source

    api.run = run
    api.ledger.clear()
    loads, error = [], None
    pipeline = dlt.pipeline(
        pipeline_name="test",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(database)),
        dataset_name=DATASET,
    )
    try:
        source = rest_api_source(json.loads(api.placed(json.dumps(case["config"]))))
        loads = pipeline.run(source).loads_ids
    except BaseException as raised:
        if isinstance(raised, KeyboardInterrupt):
            raise
        error = cause(raised)
    finally:
        pipeline.deactivate()
    written = {"requests": list(api.ledger)}
    return written if error is None else {**written, "error": error}, loads


def laid_out(value, indent=0, before=0):
    """JSON with a line for what fits into one."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or not value or indent + before + len(line) <= WIDTH:
        return line
    inner = " " * (indent + 2)
    if isinstance(value, list):
        items = [laid_out(item, indent + 2) for item in value]
    else:
        named = [(json.dumps(key, ensure_ascii=False) + ": ", item) for key, item in value.items()]
        items = [key + laid_out(item, indent + 2, len(key)) for key, item in named]
    opened, closed = "[]" if isinstance(value, list) else "{}"
    return opened + "\n" + ",\n".join(inner + item for item in items) + "\n" + " " * indent + closed


def record(case, text):
    from api import Api
    from tables import read

    api = Api(case["api"])
    runs, loads = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        database = folder / "out.duckdb"
        try:
            for run in range(1, case.get("runs", 1) + 1):
                made, ids = once(api, case, database, folder, run)
                runs.append(made)
                loads.append(ids)
            tables = read(str(database), DATASET, loads) if database.exists() else {}
        finally:
            api.close()
        tables = json.loads(api.unplaced(json.dumps(tables)))
    versions = {package: importlib.metadata.version(package) for package in ("dlt", "duckdb")}
    return {"versions": versions, "case": digest(text), "runs": runs, "tables": tables}


def in_the_environment():
    """Goes on in the Python that has dlt; the benchmark has the same one."""
    sys.path.insert(0, str(HERE.parent / "bench"))
    from prepare import cache, packages

    python = packages(cache())
    if pathlib.Path(sys.prefix) != python.parent.parent:
        os.execv(python, [str(python), str(HERE / "record.py"), *sys.argv[1:]])


def main():
    in_the_environment()
    import yaml

    wanted = sys.argv[1:]
    os.environ.update(SETTINGS)
    loader = plain_loader()
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = os.environ["DLT_DATA_DIR"] = home
        os.chdir(home)
        for path in sorted((HERE / "cases").glob("*/*.yaml")):
            name = f"{path.parent.name}/{path.stem}"
            if wanted and name not in wanted and path.parent.name not in wanted:
                continue
            text = path.read_text(encoding="utf-8")
            golden = record(yaml.load(text, loader), text)
            target = HERE / "goldens" / f"{name}.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(laid_out(golden) + "\n", encoding="utf-8")
            failed = [run["error"] for run in golden["runs"] if "error" in run]
            print(f"{name}: {sum(len(run['requests']) for run in golden['runs'])} requests", *failed, flush=True)


if __name__ == "__main__":
    main()
