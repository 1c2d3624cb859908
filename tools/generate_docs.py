"""Write the pages under docs/ that are made from tables in the code; a test checks that they are current.

``python -m tools.generate_docs`` writes them; ``render_pages`` only returns their text.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from automl.data.task import TaskType
from automl.models.catalog import FAMILIES, get_space, get_starts
from automl.models.image.backbones import BACKBONES
from automl.models.image.classic_space import CLASSICS, FEW_PICTURES
from automl.models.tabular.loss_config import SpaceFacts, build_loss_space
from automl.models.tabular.target_encoding import MIN_LEVELS, build_encoding_space
from automl.search.offers import PRUNERS, SAMPLERS
from automl.settings import Settings
from automl.space.dimensions import Choice, Float, Int, Space, Switch
from fairness.definitions import METRICS, Metric, Outcomes, compute_metrics, list_metrics

DOCS = Path(__file__).resolve().parent.parent / "docs"
MACRO = """A network is a stem, two to four stages and a head. A stage first changes the width and halves the map (a
convolution with pooling), then repeats one kind of block; `early_pool` = False keeps the first map whole.

- `stem`: `whiten` are fixed filters that whiten 2 × 2 patches, fitted to the training pictures; `conv3` is learnt.
  From 96 px on the stem shrinks the picture by 2, from 192 px by 4; networks of tokens see at most 16 × 16 of them.
- `block`: `plain` convolutions, `residual` and `bottleneck` (pre-activation), `separable` (MobileNet V1), `inverted`
  (MobileNet V2), `dense` (DenseNet-B), `inception`, `attention`, `mixer`; `last` puts attention or mixing into the
  last stage alone.
- `squeeze`: the ratio of squeeze-excitation, 0 for none. `head.scale` multiplies the logits.
- `stage3` and `stage4` exist only behind their switches. Tiny pictures are halved less often.
"""
LOSSES = """Networks for tables also choose what they minimise, where there is a choice. The plain loss is cross-entropy on raw
outputs, or the squared error of the standardised target; every loss takes weights of rows.

- Metrics that rank or judge probabilities (AUC, log loss, Brier score, calibration error) keep the plain
  cross-entropy. Class weights are offered where a class has less than a fifth of its equal share (of two classes: under
  10 % of the rows) and the metric does not judge probabilities; they have mean 1 over the training rows.
- Robust losses of numbers are offered where a target lies far out (more than three times the width of the middle 90 %
  outside of it), and with metrics of absolute errors, then with the absolute error itself. `pinball` is known too, for a `spec.json` that wants another
  quantile than the middle: `{"type": "switch", "branches": {"pinball": {"tau": {"type": "choice", "options": [0.9]}}}}`.
"""
ENCODING = f"""Offered where a categorical input has more than {MIN_LEVELS} levels. Such a column is then also read as the mean target
of its level, drawn towards the overall mean by ten rows; of several classes the ten most frequent have a column each. A
training row is encoded by the other four of five folds, so that no row sees its own target; all other rows by all
training rows. Trees begin with it; a network with it trains alone, in no pack.
"""
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
        "How often each kind of interval holds the true value is measured in [Intervals](intervals.md).\n",
    ]
    for title, task in (
        ("Binary", "binary"),
        ("Multi-class", "multiclass"),
        ("Regression", "regression"),
    ):
        methods = _name_intervals(task)
        rows = [(*_metric_row(METRICS[name]), method) for name, method in methods.items()]
        header = ("name", "formula", "better", "range", "reads", "what it says", "interval")
        parts += [f"## {title}\n", render_table(header, rows)]
    return "\n".join(parts)


def _name_intervals(task: str) -> dict[str, str]:
    """How the interval of each metric of a task is made, as the code that makes it says."""
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 3 if task == "multiclass" else 2, 60)
    examples = {
        "binary": Outcomes("binary", truth, None, generator.random(60)),
        "multiclass": Outcomes("multiclass", truth, None, generator.dirichlet(np.ones(3), 60)),
        "regression": Outcomes("regression", generator.normal(9, 1, 60), generator.normal(9, 1, 60)),
    }  # fmt: skip
    found = compute_metrics([metric.name for metric in list_metrics(task)], examples[task])
    return {
        name: re.sub(r", [\d,]+ draws$", "", estimate.method) if estimate.has_interval else "none"
        for name, estimate in found.items()
    }


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
        parts.append(render_table(("label", "values"), _join_spaces(space, wide)))
        parts.append(f"Configurations tried first: {1 + len(get_starts(family.name))}.\n")
        if family.name == "cnn":
            parts.append(MACRO)
        if family.name == "classic":
            parts.append(_render_classics())
        if family.name == "pretrained":
            parts.append(_render_backbones())
    parts.append(_render_losses())
    labels = ((f"`{label}`", values) for label, values in _flatten(build_encoding_space()))
    encoding = render_table(("label", "values"), labels)
    parts.append(f"## Wide categories\n\n{encoding}\n{ENCODING}")
    return "\n".join(parts)


def _render_losses() -> str:
    """The losses of networks for tables, by type of task, at their widest."""
    rows: dict[str, str] = {}
    for task_type, metric in ((TaskType.BINARY, "f1"), (TaskType.REGRESSION, "mae")):
        facts = SpaceFacts(task_type=task_type, metric=metric, class_shares=(0.95, 0.05))
        name = "numbers" if task_type is TaskType.REGRESSION else "classes"
        for label, values in _flatten(build_loss_space(facts)):
            rows[f"`{label}`, {name}"] = values
    return f"## Losses\n\n{render_table(('label', 'values'), rows.items())}\n{LOSSES}"


def _join_spaces(space: Space, wide: Space) -> list[tuple[str, str]]:
    """Label and values on a CPU, a GPU's in brackets; what only a GPU has stands in brackets alone."""
    narrow, other = dict(_flatten(space)), dict(_flatten(wide))
    rows = []
    for label in {**other, **narrow}:
        cpu, gpu = narrow.get(label, ""), other.get(label, "nothing")
        rows.append((f"`{label}`", cpu if cpu == gpu else f"{cpu} [{gpu}]".strip()))
    return rows


def _render_classics() -> str:
    rows = [
        (f"`{name}`", classic.title, classic.source, "yes" if classic.learns_slowly else "")
        for name, classic in CLASSICS.items()
    ]
    remark = (
        f"Networks marked in the last column usually fall behind convolutional ones when trained from scratch on fewer "
        f"than {FEW_PICTURES:,} pictures. Swin and other large transformers are offered with their pretrained weights only.\n"
    )
    header = ("name", "network", "source", "needs many pictures")
    return "\n".join([render_table(header, rows), remark])


def _render_backbones() -> str:
    """All backbones, small to large; a preset offers those that fit its time."""
    rows = [
        (f"`{tag}`", backbone.title, f"{backbone.millions:g}", backbone.licence)
        for tag, backbone in sorted(BACKBONES.items(), key=lambda item: item[1].millions)
    ]
    remark = (
        "A file of weights is called like its tag, with `.safetensors`. Licences are those of the weights, as timm states "
        "them; what the pictures behind them allow is another question.\n"
    )
    header = ("weights", "network", "million parameters", "licence of the weights")
    return "\n".join([render_table(header, rows), remark])


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


def render_offers() -> str:
    """Who may propose configurations and who may end trials."""
    header = ("name", "called", "what it does", "needs", "source")
    parts = [
        MADE,
        "# Samplers and pruners\n",
        (
            "What is not valid for a search is not offered for it, and the reason is shown. Every family has a study of its "
            "own; who goes on at a rung is judged over all families. Only networks are ended early.\n"
        ),
    ]
    for title, offers in (("Samplers", SAMPLERS), ("Pruners", PRUNERS)):
        rows = [
            (f"`{each.name}`", each.title, each.summary, each.needs or "–", each.source or "–")
            for each in offers.values()
        ]
        parts.append(f"## {title}\n\n{render_table(header, rows)}")
    return "\n".join(parts)


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
        "samplers.md": render_offers(),
        "settings.md": render_settings(),
        "cli.md": render_cli(),
    }


def main() -> None:
    os.environ["COLUMNS"] = "100"  # argparse wraps at the width of the terminal otherwise
    for name, text in render_pages().items():
        (DOCS / name).write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
