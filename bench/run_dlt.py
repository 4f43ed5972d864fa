"""One load by dlt: python run_dlt.py CONFIG.json FOLDER [parquet]

`parquet` is dlt's fast path into DuckDB; without it the files between its steps are dlt's default.
"""

import json
import os
import sys

import dlt
from dlt.sources.rest_api import rest_api_source


def read(config):
    """The source. dlt 1.31 loses `parallelized` on resources without a parent; it is told again."""
    source = rest_api_source(config)
    for written in config["resources"]:
        resource = source.resources[written["name"]]
        if written.get("parallelized") and not resource.is_transformer:
            resource.parallelize()
    return source


def main():
    path, folder, *file_format = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=os.path.join(folder, "pipelines"),
        destination=dlt.destinations.duckdb(os.path.join(folder, "out.duckdb")),
        dataset_name="bench",
    )
    info = pipeline.run(read(config), loader_file_format=file_format[0] if file_format else None)
    info.raise_on_failed_jobs()


main()
