#!/usr/bin/env python3
"""Sums up a JUnit file of CTest: test-summary.py FILE CTEST_EXIT_CODE.

Names the tests that failed or were skipped, then prints "N passed, N failed" as the last line. Exits with CTest's code,
or with 1 when that code hides a failure or nothing passed.
"""
import re
import sys
import xml.etree.ElementTree as ElementTree


def reason(output):
    """Why a test skipped itself, as GoogleTest, unittest or a script of ours says it; else its last words."""
    for pattern in (r"^.*: Skipped\n(.+)$", r"skipped ['\"](.+)['\"]$", r"^skipped: (.+)$", r"(\S.*)\s*\Z"):
        match = re.search(pattern, output or "", re.MULTILINE)
        if match:
            return match[1]
    return "no reason given"


def main(path, ctest_code):
    passed, failed = 0, []
    skipped = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name, status = case.get("name"), case.get("status")
        mark = case.find("skipped")
        why = mark.get("message", "") if mark is not None else ""
        if status == "run":
            passed += 1
        elif status == "disabled" or why.startswith("SKIP_"):
            skipped.append((name, reason(case.findtext("system-out"))))
        else:
            # CTest also says "notrun" of a test whose program is missing: that is a failure, not a skip.
            failed.append(f"{name}: {why}" if why else name)

    for name, why in skipped:
        print(f"skipped: {name}: {why}")
    for name in failed:
        print(f"failed: {name}")
    if passed == 0:
        print("test: no test passed, so nothing is proved")
    print(f"{passed} passed, {len(failed)} failed", flush=True)
    return ctest_code or (1 if failed or passed == 0 else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
