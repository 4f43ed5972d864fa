#!/usr/bin/env python3
"""Puts libduckdb where dray looks for it: ${XDG_CACHE_HOME:-~/.cache}/dray/duckdb-VERSION/.

The library is the official build that DuckDB's Node bindings carry. Archive and file are pinned by hash.
Does nothing where the right file is already there. Needs python3 and npm.
"""

import base64
import hashlib
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile

VERSION = "1.5.6"
PACKAGE_VERSION = "1.5.6-r.1"
MEMBER = "package/libduckdb.so"

# machine: (package, sha512 of the archive, sha256 of libduckdb.so)
BUILDS = {
    "x86_64": (
        "@duckdb/node-bindings-linux-x64",
        "IXcrZJE6kEqM0Z4wwdVnGBHX/frOS33VPNAwDXQ/Q+Fs84b058Qe94chrCCIcNJlG8Y3UHIUU4eBeCQxW5mN1Q==",
        "3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633",
    ),
    "aarch64": (
        "@duckdb/node-bindings-linux-arm64",
        "3jnUaDil1BrF/6vAZwVaInJ1xoBaWGHB4PDiUnzJWKCo8a8TLx9j7/gPyPl/UGRBftrYIuTihRZSfF4mWMgtWA==",
        "23686593dba4ec22c6e581bb1c843b3964e84c4bc4d0063d8b4daddd2e20e30a",
    ),
}


def digest(path, name):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, name).digest()


def fetch(package, directory):
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("setup-duckdb: npm is not installed; install Node.js, or point DRAY_DUCKDB_LIBRARY at a libduckdb.so")
    # --ignore-scripts: nothing of the package is to run here.
    command = [npm, "pack", f"{package}@{PACKAGE_VERSION}", "--ignore-scripts", "--silent"]
    if subprocess.run(command, cwd=directory, stdout=subprocess.DEVNULL).returncode != 0:
        sys.exit(f"setup-duckdb: npm could not fetch {package}@{PACKAGE_VERSION}")
    archives = list(pathlib.Path(directory).glob("*.tgz"))
    if len(archives) != 1:
        sys.exit(f"setup-duckdb: expected one archive from npm, found {len(archives)}")
    return archives[0]


def main():
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine())
    if platform.system() != "Linux" or machine not in BUILDS:
        sys.exit(
            f"setup-duckdb: no pinned build for {platform.system()} {machine};"
            f" put DuckDB {VERSION}'s library anywhere and set DRAY_DUCKDB_LIBRARY to its path"
        )
    package, sha512, sha256 = BUILDS[machine]
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    target = cache / "dray" / f"duckdb-{VERSION}" / "libduckdb.so"
    if target.is_file() and digest(target, "sha256").hex() == sha256:
        print(f"libduckdb {VERSION} is at {target}")
        return

    target.parent.mkdir(parents=True, exist_ok=True)
    # On the same file system as the target, so that the rename is atomic and nobody ever loads half a library.
    with tempfile.TemporaryDirectory(dir=target.parent) as directory:
        archive = fetch(package, directory)
        if base64.b64encode(digest(archive, "sha512")).decode() != sha512:
            sys.exit(f"setup-duckdb: {package}@{PACKAGE_VERSION} does not have the pinned sha512; nothing was installed")
        library = pathlib.Path(directory) / "libduckdb.so"
        with tarfile.open(archive) as tar, tar.extractfile(MEMBER) as source, open(library, "wb") as out:
            shutil.copyfileobj(source, out)
        if digest(library, "sha256").hex() != sha256:
            sys.exit("setup-duckdb: libduckdb.so does not have the pinned sha256; nothing was installed")
        library.chmod(0o755)
        os.replace(library, target)
    print(f"libduckdb {VERSION} installed at {target}")


if __name__ == "__main__":
    main()
