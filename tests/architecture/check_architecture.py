#!/usr/bin/env python3
"""Checks the sources against one rule of the architecture, or against all: exit 1 and a line for each violation."""
import argparse
import sys

import rules


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", required=True, help="the root of the repository")
    parser.add_argument("rule", nargs="*", help=f"of {', '.join(rules.ALL)}; all when none is named")
    arguments = parser.parse_args()
    unknown = set(arguments.rule) - set(rules.ALL)
    if unknown:
        parser.error(f"no such rule: {', '.join(sorted(unknown))}")

    tree = rules.Tree(arguments.root)
    violations = [f"[{name}] {line}" for name in arguments.rule or rules.ALL for line in rules.ALL[name](tree)]
    print("\n".join(violations))
    print(f"{len(tree.files)} files, {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
