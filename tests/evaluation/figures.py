"""One line of the table: a figure, how sure it is, the baseline beside it, and whether it meets its bar."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Bar:
    """`relation` is ">=", "<=" or "in" (low, high)."""
    relation: str
    bound: float | tuple

    def met(self, value):
        if self.relation == "in":
            return self.bound[0] <= value <= self.bound[1]
        return value >= self.bound if self.relation == ">=" else value <= self.bound

    def __str__(self):
        if self.relation == "in":
            return f"{number(self.bound[0])} to {number(self.bound[1])}"
        return f"{self.relation} {number(self.bound)}"


@dataclasses.dataclass(frozen=True)
class Bars:
    """What the claims ask for."""
    recall: float = 0.95
    precision: float = 0.99
    error: float = 0.05           # expected calibration error
    brier_share: float = 0.5      # of the baseline's Brier score
    area: float | None = 0.9      # under the curve of likely legacy
    coverage: tuple | None = (0.75, 0.85)  # of the intervals that say 80 %
    readiness_error: float = 0.05
    won_back: float | None = 0.9  # by the first blockers, of what the best would

    @staticmethod
    def at_least(bound):
        return None if bound is None else Bar(">=", bound)


CLAIMED = Bars()
# What a whole model meets on three small meshes, and a broken one does not.
LOOSE = Bars(recall=0.9, precision=0.98, error=0.2, brier_share=1.5, area=None, coverage=None, readiness_error=0.2,
             won_back=0.7)


@dataclasses.dataclass(frozen=True)
class Figure:
    part: str
    what: str
    value: float | None  # None: could not be measured
    interval: tuple | None = None  # of 95 %, over other meshes like these
    baseline: float | None = None
    bar: Bar | None = None
    note: str = ""

    @property
    def verdict(self):
        """PASS or MISS; a figure with a bar that could not be measured is "not measured"."""
        if self.bar is None:
            return ""
        if self.value is None:
            return "not measured"
        return "PASS" if self.bar.met(self.value) else "MISS"

    def cells(self):
        interval = "" if self.interval is None else f"{number(self.interval[0])}..{number(self.interval[1])}"
        return (self.part, self.what, number(self.value) or "–", interval, number(self.baseline),
                "" if self.bar is None else str(self.bar), self.verdict, self.note)


COLUMNS = ("part", "what", "measured", "95 %", "baseline", "bar", "verdict", "note")


def number(value):
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.1f}"


def text_table(columns, rows):
    """Rows of texts in aligned columns; the last column is as wide as it likes."""
    rows = [columns, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns) - 1)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[-1]]).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])
