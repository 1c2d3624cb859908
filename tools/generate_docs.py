"""Write the pages under docs/ that are made from tables in the code; a test checks that they are current.

``python -m tools.generate_docs`` writes them; ``render_pages`` only returns their text.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from automl.models.catalog import FAMILIES, get_space, get_starts
from automl.settings import Settings
from automl.space.dimensions import Choice, Float, Int, Space, Switch
from fairness.definitions import METRICS, Metric

DOCS = Path(__file__).resolve().parent.parent / "docs"
MADE = "<!-- Made by `make docs` from the code; edit that instead. -->\n"


def render_table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table; pipes inside cells are escaped."""
    head = list(header)
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in rows:
        cells = (str(cell).replace("|", "\\|").replace("\n", " ") for cell in row)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def render_metrics() -> str:
    """Every metric of the registry with its formula, range and what it misses."""
    parts = [
        MADE,
        "# Metrics\n",
        "Names are scikit-learn's and Fairlearn's. A denominator of zero is *not estimable*.\n",
    ]
    for title, task in (
        ("Binary", "binary"),
        ("Multi-class", "multiclass"),
        ("Regression", "regression"),
    ):
        rows = [_metric_row(metric) for metric in METRICS.values() if task in metric.tasks]
        parts += [
            f"## {title}\n",
            render_table(("name", "formula", "better", "range", "reads", "what it says"), rows),
        ]
    return "\n".join(parts)


def _metric_row(metric: Metric) -> tuple[object, ...]:
    low, high = metric.range
    better = {"higher": "higher", "lower": "lower", "none": "–"}[metric.direction]
    scale = f"{low:g} to {high:g}".replace("inf", "∞")
    return (f"`{metric.name}`", metric.formula, better, scale, metric.needs, metric.help)


def render_spaces() -> str:
    """The families with their default spaces on a CPU and a GPU."""
    parts = [
        MADE,
        "# Families and search spaces\n",
        "Presets change sizes, not labels. Below is *balanced*, on a CPU; where a GPU has another range it stands in brackets.\n",
    ]
    for family in FAMILIES.values():
        parts.append(f"## {family.title} (`{family.name}`)\n\n{family.summary}\n")
        if family.source:
            parts.append(f"Source: {family.source}.\n")
        space, wide = get_space(family.name), get_space(family.name, on_gpu=True)
        if not space:
            parts.append("Nothing to search.\n")
            continue
        rows = zip(_flatten(space), _flatten(wide), strict=True)
        parts.append(
            render_table(
                ("label", "values"),
                (
                    (f"`{label}`", text if text == other else f"{text} [{other}]")
                    for (label, text), (_, other) in rows
                ),
            )
        )
        parts.append(f"Configurations tried first: {1 + len(get_starts(family.name))}.\n")
    return "\n".join(parts)


def _flatten(space: Space, prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, dimension in space.items():
        label = f"{prefix}{name}"
        match dimension:
            case Int() | Float():
                scale = ", log" if dimension.log else ""
                step = (
                    f", step {dimension.step}"
                    if isinstance(dimension, Int) and dimension.step > 1
                    else ""
                )
                rows.append((label, f"{dimension.low:g} to {dimension.high:g}{step}{scale}"))
            case Choice():
                rows.append((label, ", ".join(str(option) for option in dimension.options)))
            case Switch():
                rows.append((label, "one of " + ", ".join(dimension.branches)))
                for branch, inner in dimension.branches.items():
                    rows += _flatten(inner, f"{label}.{branch}.")
    return rows


def render_settings() -> str:
    """Every setting with its default and meaning."""
    rows = []
    for name, field in Settings.model_fields.items():
        empty = "what the machine has" if name == "devices" else "none"
        default = field.default if field.default not in ((), "") else empty
        shown = f"{default:,.0f}" if isinstance(default, int | float) else str(default)
        rows.append((f"`FAIRLOOM_{name.upper()}`", shown, field.description or ""))
    return "\n".join(
        [
            MADE,
            "# Settings\n",
            "Read from the environment when a process starts. Sizes are bytes, times seconds.\n",
            render_table(("variable", "default", "meaning"), rows),
        ]
    )


def render_cli() -> str:
    """The help of every command."""
    from automl.__main__ import build_parser

    parser = build_parser()
    commands = next(
        action.choices for action in parser._actions if isinstance(action.choices, Mapping)
    )
    intro = (
        "Run them from the checkout with its environment (`.venv/bin/python`). Exit status: 0 on success, 2 for "
        "bad input with one line on standard error, 1 for a failure.\n"
    )
    parts = [MADE, "# Commands\n", intro]
    for name, command in commands.items():
        parts.append(f"## `python -m automl {name}`\n\n```\n{command.format_help().strip()}\n```\n")
    return "\n".join(parts)


def render_pages() -> dict[str, str]:
    """File name under docs/ → its text."""
    return {
        "metrics.md": render_metrics(),
        "search-spaces.md": render_spaces(),
        "settings.md": render_settings(),
        "cli.md": render_cli(),
    }


def main() -> None:
    for name, text in render_pages().items():
        (DOCS / name).write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
