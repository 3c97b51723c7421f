"""What was measured, beside its budget and the ceiling of the same run."""
import dataclasses
import json
import os
import statistics


@dataclasses.dataclass
class Result:
    """One figure. `target` is ("<=" or ">=", bound) on the figure, or on its ratio to the ceiling when there is one."""
    part: str
    what: str
    value: float
    unit: str
    ceiling: float | None = None
    target: tuple | None = None
    load: str = ""
    note: str = ""

    @property
    def ratio(self):
        return self.value / self.ceiling if self.ceiling else None

    @property
    def met(self):
        """None when there is no budget for it."""
        if self.target is None:
            return None
        relation, bound = self.target
        figure = self.value if self.ceiling is None else self.ratio
        return figure <= bound if relation == "<=" else figure >= bound

    @property
    def budget(self):
        if self.target is None:
            return ""
        relation, bound = self.target
        return f"{relation} {number(bound)} {'x ceiling' if self.ceiling is not None else self.unit}"


def number(value):
    if value is None:
        return ""
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def median(values):
    return statistics.median(values)


def percentile(values, share):
    """The smallest value that at least `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


class Report:
    """Collects results; prints each as it comes, and all of them as a table at the end."""

    _COLUMNS = ("part", "what", "measured", "ceiling", "ratio", "budget", "met", "load", "note")

    def __init__(self, machine):
        self.machine = machine
        self.results = []
        self.failures = []

    def add(self, *arguments, **options):
        result = Result(*arguments, **options)
        self.results.append(result)
        print("  ".join(cell for cell in self._cells(result) if cell), flush=True)
        return result

    def fail(self, part, text):
        self.failures.append({"part": part, "text": text})
        print(f"{part}: FAILED: {text}", flush=True)

    def _cells(self, result):
        met = {None: "", True: "yes", False: "NO"}[result.met]
        return (result.part, result.what, f"{number(result.value)} {result.unit}".strip(), number(result.ceiling),
                number(result.ratio), result.budget, met, result.load, result.note)

    def table(self):
        rows = [self._COLUMNS, *(self._cells(result) for result in self.results)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(self._COLUMNS) - 1)]
        lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[-1]]).rstrip() for row in rows]
        return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])

    def write(self, path):
        content = {
            "machine": self.machine,
            "results": [{**dataclasses.asdict(result), "ratio": result.ratio, "met": result.met}
                        for result in self.results],
            "failures": self.failures,
        }
        temporary = f"{path}.tmp"
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
        os.replace(temporary, path)
