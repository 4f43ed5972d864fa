#!/usr/bin/env python3
"""Prints what the program `dray` is made of: a CycloneDX 1.6 bill of materials in JSON.

Everything that is compiled into it, from Cargo's own data (name, version, licence, hash, who needs whom), and the
DuckDB library that is loaded at run time. The same sources give the same bytes. Needs python3 and cargo.
"""

import json
import pathlib
import runpy
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = "dray-cli"


def metadata():
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def needed(nodes, start):
    """What the program is built from; tests and benchmarks are left out."""
    found, waiting = {}, [start]
    while waiting:
        package = waiting.pop()
        if package in found:
            continue
        found[package] = sorted(
            dependency["pkg"]
            for dependency in nodes[package]["deps"]
            if any(kind["kind"] in (None, "build") for kind in dependency["dep_kinds"])
        )
        waiting.extend(found[package])
    return found


def component(package, hashes):
    name, version = package["name"], package["version"]
    entry = {
        "type": "library",
        "bom-ref": f"pkg:cargo/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:cargo/{name}@{version}",
    }
    if package["license"]:
        entry["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
    if (name, version) in hashes:
        entry["hashes"] = [{"alg": "SHA-256", "content": hashes[name, version]}]
    return entry


def duckdb():
    """The library, one entry a machine, as scripts/setup-duckdb.py pins it."""
    pinned = runpy.run_path(str(ROOT / "scripts" / "setup-duckdb.py"))
    for machine, (package, _, digest) in sorted(pinned["BUILDS"].items()):
        name, version = f"libduckdb ({machine})", pinned["VERSION"]
        yield {
            "type": "library",
            "bom-ref": f"libduckdb-{machine}@{version}",
            "name": name,
            "version": version,
            "purl": f"pkg:npm/{package.replace('@', '%40')}@{pinned['PACKAGE_VERSION']}",
            "licenses": [{"expression": "MIT"}],
            "hashes": [{"alg": "SHA-256", "content": digest}],
        }


def main():
    data = metadata()
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    hashes = {(p["name"], p["version"]): p["checksum"] for p in lock["package"] if "checksum" in p}
    packages = {package["id"]: package for package in data["packages"]}
    nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
    start = next(package["id"] for package in data["packages"] if package["name"] == PROGRAM)
    graph = needed(nodes, start)
    entry = {package: component(packages[package], hashes) for package in graph}
    reference = {package: made["bom-ref"] for package, made in entry.items()}
    libraries = list(duckdb())
    program = entry.pop(start) | {"type": "application"}
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": program},
        "components": sorted(entry.values(), key=lambda made: made["bom-ref"]) + libraries,
        "dependencies": sorted(
            (
                {
                    "ref": reference[package],
                    "dependsOn": [reference[other] for other in others]
                    + ([made["bom-ref"] for made in libraries] if package == start else []),
                }
                for package, others in graph.items()
            ),
            key=lambda made: made["ref"],
        ),
    }
    json.dump(bill, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
