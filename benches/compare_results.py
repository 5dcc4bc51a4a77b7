#!/usr/bin/env python3
"""Compares the numbers of two result.json files, as two versions of the program made them.

usage: compare_results.py BEFORE.json AFTER.json [TOLERANCE]

Prints every measured value that differs by more than TOLERANCE (default 1e-3) of the larger one, every row whose
verdict or reason differs, and a summary by table. Exit code 1 where there is any.
"""
import json
import sys

TABLES = {
    "measurements": (("visit", "region", "metric"), ("value",), ("reason",)),
    "changes": (
        ("visit", "region", "metric"),
        ("baseline", "follow_up", "change_percent", "ci95_percent"),
        ("verdict", "reason"),
    ),
    "quality": (("visit", "region", "check"), ("value",), ("status",)),
    "alignment": (("visit", "region"), ("residual_median_px", "residual_p95_px"), ("status",)),
}


def numbers(value):
    return value if isinstance(value, list) else [value]


def differs(a, b, tolerance):
    if (a is None) != (b is None):
        return True
    return a is not None and abs(a - b) > tolerance * max(abs(a), abs(b))


def main(before, after, tolerance):
    found = 0
    for table, (keys, values, words) in TABLES.items():
        rows = [{tuple(r[k] for k in keys): r for r in t[table]} for t in (before, after)]
        moved, changed = 0, 0
        for key in sorted(set(rows[0]) | set(rows[1]), key=str):
            a, b = (r.get(key) for r in rows)
            if a is None or b is None:
                print(table, *key, "only", "after" if a is None else "before")
                changed += 1
                continue
            for v in values:
                pairs = list(zip(numbers(a[v]), numbers(b[v])))
                if (a[v] is None) != (b[v] is None) or any(differs(x, y, tolerance) for x, y in pairs):
                    print(table, *key, v, a[v], "->", b[v])
                    moved += 1
            for w in words:
                if a[w] != b[w]:
                    print(table, *key, w, a[w], "->", b[w])
                    changed += 1
        print(f"{table}: {len(rows[0])} rows, {moved} values moved, {changed} words changed")
        found += moved + changed
    return 1 if found else 0


if __name__ == "__main__":
    paths, tolerance = sys.argv[1:3], float(sys.argv[3]) if len(sys.argv) > 3 else 1e-3
    sys.exit(main(*(json.load(open(p)) for p in paths), tolerance))
