"""The report: the table, the same by kind of mesh, each case, and what went wrong, as text and as Markdown."""
import os

from capability_figures import CASE_COLUMNS, GROUP_COLUMNS, case_cells, group_rows
import readiness_figures
from figures import COLUMNS, text_table


def _sections(figures, good):
    yield "Figures", COLUMNS, [figure.cells() for figure in figures]
    yield "By kind of mesh (error, Brier and area: relays)", GROUP_COLUMNS, list(group_rows(good))
    yield "By case", CASE_COLUMNS, [case_cells(measurement) for measurement in good]
    forecast = [measurement for measurement in good if measurement.readiness]
    if forecast:
        yield "Switch readiness by case", readiness_figures.CASE_COLUMNS, [
            readiness_figures.case_cells(measurement) for measurement in forecast]


def _misses(figures, failures):
    for figure in figures:
        if figure.verdict in ("MISS", "not measured"):
            value = figure.cells()[2]
            yield f"{figure.verdict}: {figure.part}, {figure.what}: {value}, asked for is {figure.bar} ({figure.note})"
    for failure in failures:
        yield f"FAILED: {failure.case.name}: {failure.failure}"


def as_text(figures, good, failures):
    parts = [f"{title}\n{text_table(columns, rows)}" for title, columns, rows in _sections(figures, good)]
    misses = list(_misses(figures, failures))
    passed = sum(figure.verdict == "PASS" for figure in figures)
    parts.append("\n".join([f"{passed} bars met, {len(misses)} not", *misses]))
    return "\n\n".join(parts)


def write_markdown(path, heading, figures, good, failures, plots):
    lines = [f"# {heading}", ""]
    misses = list(_misses(figures, failures))
    if misses:
        lines += ["What misses its bar:", "", *(f"- {miss}" for miss in misses), ""]
    for title, columns, rows in _sections(figures, good):
        lines += [f"## {title}", "", _row(columns), _row(["---"] * len(columns)), *map(_row, rows), ""]
    for file, title in plots:
        lines += [f"## {title}", "", f"![{title}]({file})", ""]
    unfinished = f"{path}.tmp"
    with open(unfinished, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    os.replace(unfinished, path)


def _row(cells):
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
