#!/usr/bin/env python3
"""Every C++ file of the repository is as clang-format, of the version that .clang-format is written for, leaves it."""
import argparse
import os
import re
import shutil
import subprocess
import sys

VERSION = 14  # Debian 12's; others break lines elsewhere
SKIPPED = 77
FOLDERS = ("common", "dbschema", "ingestor", "queue", "server", "tests")


def formatter():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        program = shutil.which(name)
        if program and re.search(rf"version {VERSION}\.", subprocess.check_output([program, "--version"], text=True)):
            return program
    return None


def sources(root):
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(root, folder)):
            yield from (os.path.join(path, name) for name in names if name.endswith((".cpp", ".h")))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True)
    root = parser.parse_args().root
    program = formatter()
    if program is None:
        print(f"skipped: clang-format {VERSION} is not installed (deploy/install-deps.sh test)")
        return SKIPPED
    found = subprocess.run([program, "--dry-run", "--Werror", *sorted(sources(root))], stderr=subprocess.PIPE,
                           text=True, check=False)
    unformatted = sorted({line.split(":")[0] for line in found.stderr.splitlines() if "clang-format-violations" in line})
    for path in unformatted:
        print(f"{os.path.relpath(path, root)}: run clang-format -i on it")
    return 1 if unformatted or found.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
