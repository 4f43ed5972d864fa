"""Counts the instructions of the hot path and holds them against bench/instructions.json.

    make instructions                          checks: a case that needs 3% more than stored is a failure
    make instructions INSTRUCTIONS=--renew     stores what is counted now; say in the commit why it changed

Time depends on what else a machine does, instructions hardly do. They do depend on the compiler: with another one than
stored the counts are printed and nothing fails. (And on the processor, where code looks for its vector instructions.)
Needs valgrind; where it is not installed that is said and nothing fails.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
STORED = HERE / "instructions.json"
# More than this share above what is stored is a failure, and so much below it is worth storing.
TOLERANCE = 0.03
# The difference between two numbers of times leaves out what comes before and after.
FEW, MANY = 1, 3


def build():
    command = ["cargo", "bench", "--locked", "--package", "dray", "--bench", "instructions", "--no-run"]
    built = subprocess.run([*command, "--message-format=json"], cwd=HERE.parent, stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        sys.exit("instructions: the bench does not build")
    messages = (json.loads(line) for line in built.stdout.splitlines() if line.startswith("{"))
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "instructions")


def count(program, case, times):
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    ran = subprocess.run([*command, program, case, str(times)], capture_output=True, text=True)
    found = re.search(r"I\s+refs:\s+([\d,]+)", ran.stderr)
    if ran.returncode != 0 or not found:
        sys.exit(f"instructions: valgrind failed on {case}:\n{ran.stderr[-2000:]}")
    return int(found[1].replace(",", ""))


def once(program, case):
    return (count(program, case, MANY) - count(program, case, FEW)) // (MANY - FEW)


def verdict(before, change):
    if not before:
        return "new: renew"
    if change > TOLERANCE:
        return "more"
    return "less: renew" if change < -TOLERANCE else "as stored"


def main():
    arguments = argparse.ArgumentParser(prog="instructions", description=__doc__)
    arguments.add_argument("--renew", action="store_true", help="store what is counted now")
    renew = arguments.parse_args().renew
    if not shutil.which("valgrind"):
        print("instructions: SKIPPED, valgrind is not installed: nothing was counted")
        return
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    program = build()
    cases = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        counts = dict(zip(cases, pool.map(lambda case: once(program, case), cases)))
    if renew:
        STORED.write_text(json.dumps({"rustc": compiler, "instructions": counts}, indent=1) + "\n")
        print(f"instructions: stored {len(counts)} cases in {STORED.name}")
        return
    stored = json.loads(STORED.read_text())
    same = stored["rustc"] == compiler
    failed = False
    for case in cases:
        before = stored["instructions"].get(case)
        change = counts[case] / before - 1 if before else 0.0
        failed |= same and (not before or change > TOLERANCE)
        print(f"{case:20} {counts[case]:14,} instructions {change:+7.2%}  {verdict(before, change)}")
    if not same:
        print(f"instructions: stored with rustc {stored['rustc']}, this is {compiler}: compare nothing, renew")
    if failed:
        sys.exit("instructions: the hot path needs more than stored; mend it, or renew and say why")


main()
