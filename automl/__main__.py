"""The shell: ``python -m automl search | audit | predict | threshold | learning-rate | worker``.

Exit status 0 on success, 2 for bad input (one line on standard error), 1 for a failure.
"""

import argparse
import contextlib
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from automl.arguments import parse_count, parse_duration, parse_names, parse_range
from automl.errors import JobError, LeaseLost, SearchFailed
from automl.progress_line import ProgressLine
from automl.search.offers import PRUNERS, SAMPLERS
from automl.threshold_command import add_threshold
from fairness.errors import FairloomError

OK, FAILURE, BAD_INPUT = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    given = build_parser().parse_args(arguments)
    try:
        status: int = given.run(given)
    except (SearchFailed, JobError, LeaseLost) as error:
        return _say_error(error, FAILURE)
    except FairloomError as error:
        return _say_error(error, BAD_INPUT)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return FAILURE
    return status


def _say_error(error: FairloomError, status: int) -> int:
    print("error: " + " ".join(str(error).split()), file=sys.stderr)
    return status


class _Parser(argparse.ArgumentParser):
    """Bad usage is bad input: one line, status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"error: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """All commands and their flags."""
    parser = _Parser(
        prog="python -m automl", description="Search, audit and predict from the shell."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    _add_search(
        commands.add_parser("search", help="find the best model for a table or for pictures")
    )
    _add_audit(commands.add_parser("audit", help="audit decisions that are already in a file"))
    _add_predict(commands.add_parser("predict", help="predict rows or pictures with a bundle"))
    add_threshold(
        commands.add_parser("threshold", help="choose from which probability on a model says yes")
    )
    _add_learning_rate(
        commands.add_parser("learning-rate", help="how far the loss falls at 32 learning rates")
    )
    worker = commands.add_parser("worker", help="run a worker alone")
    worker.set_defaults(run=_run_worker)
    return parser


def _add_search(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "file",
        metavar="FILE",
        help="CSV, TSV, Parquet or XLSX (text also gzipped); pictures as a ZIP or a folder; or sample:NAME",
    )
    add("--target", metavar="COL", help="the column to predict; for pictures label unless named")
    add("--test", metavar="FILE", help="a test file with the same columns")
    add("--task", choices=("binary", "multiclass", "regression"))
    add("--metric", metavar="NAME", help="what to optimise, e.g. roc_auc, accuracy, log_loss, rmse")
    add("--positive", metavar="VALUE", help="the value whose probability is the score")
    add("--beneficial", metavar="VALUE", help="the outcome that is good for the person")
    add("--sensitive", metavar="COL", action="append", default=[], help="audited, not an input")
    add("--ignore", metavar="COL", action="append", default=[], help="a column to leave out")
    add("--time", metavar="COL", help="a date or number: the oldest rows train, the newest test")
    add("--weight", metavar="COL", help="how many cases each row stands for")
    add("--budget", metavar="TIME", type=parse_duration, help="e.g. 180s, 10m, 1h")
    add("--trials", metavar="N", type=int, help="search trials beside the baselines")
    add("--seed", type=int, help="default 0")
    add("--preset", choices=("quick", "balanced", "thorough"), help="2, 10 or 60 minutes")
    add(
        "--families",
        metavar="A,B",
        type=parse_names,
        default=(),
        help="default: all that fit the data",
    )
    add(
        "--sampler", metavar="NAME", help=f"who proposes trials: {', '.join(SAMPLERS)}; default tpe"
    )
    add(
        "--pruner",
        metavar="NAME",
        help=f"who ends weak networks early: {', '.join(PRUNERS)}; default successive_halving",
    )
    add("--folds", metavar="N", help="compare models on N folds; auto (5 on few rows) or none")
    add(
        "--range",
        metavar="FAMILY.LABEL=LOW..HIGH",
        action="append",
        type=parse_range,
        default=[],
        help="narrow a search space, e.g. mlp.depth=1..2; may be repeated",
    )
    add(
        "--objective",
        action="append",
        default=[],
        choices=("score", "latency", "parameters", "macs"),
        help="weighed against the score; may be repeated",
    )
    add("--max-parameters", metavar="N", type=parse_count, help="e.g. 1M, 500k; of trees: nodes")
    add(
        "--max-latency-ms",
        metavar="MS",
        type=float,
        help="for one picture, or for 1,000 rows of a table; measured here",
    )
    pictures = parser.add_argument_group("pictures")
    add = pictures.add_argument
    add(
        "--method",
        choices=("plain", "weight_sharing", "both"),
        help="train every network alone, or let a supernet propose",
    )
    add("--max-macs", metavar="N", type=parse_count, help="multiply-adds of one picture")
    add(
        "--weights",
        metavar="DIR|hub",
        help="pretrained weights: a folder of safetensors, or timm's hub",
    )
    add(
        "--mirror",
        choices=("yes", "no"),
        help="may pictures be mirrored; default: not where classes look like digits, letters or sides",
    )
    add = parser.add_argument
    add("--spec", metavar="FILE.json", help="repeat the spec.json of an earlier search")
    add("--out", metavar="DIR", required=True, help="where the results go")
    parser.set_defaults(run=_run_search)


def _add_audit(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", metavar="FILE")
    add("--truth", metavar="COL", required=True, help="what really happened")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--prediction", metavar="COL", help="the decision")
    what.add_argument(
        "--score", metavar="COL", help="any finite number; outside [0, 1] it only ranks"
    )
    add("--threshold", metavar="T", type=float, help="score ≥ T is positive; default 0.5")
    add("--positive", metavar="VALUE", help="the positive value of truth and decision")
    add("--beneficial", metavar="VALUE", help="the outcome that is good for the person")
    add("--sensitive", metavar="COL", action="append", required=True)
    add("--out", metavar="DIR", required=True)
    parser.set_defaults(run=_run_audit)


def _add_predict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", metavar="BUNDLE", help="a bundle folder or its ZIP")
    parser.add_argument(
        "file", metavar="FILE", help="a table; or pictures: a ZIP, a folder or one file"
    )
    parser.add_argument("--out", metavar="FILE", required=True, help="ends in .csv or .parquet")
    parser.add_argument(
        "--coverage",
        type=float,
        metavar="SHARE",
        help="prediction sets, or intervals, that hold the truth in this share of rows: 0.8, 0.9 or 0.95",
    )
    parser.set_defaults(run=_run_predict)


def _add_learning_rate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", metavar="FILE", help="a table, or sample:NAME")
    add("--result", metavar="DIR", help="what a search of this file wrote: tests its best network")
    add("--family", choices=("mlp", "resnet"), help="tests its default network; default mlp")
    add("--target", metavar="COL", help="the column to predict")
    add("--test", metavar="FILE", help="a test file with the same columns")
    add("--task", choices=("binary", "multiclass", "regression"))
    add("--sensitive", metavar="COL", action="append", default=[], help="not an input")
    add("--ignore", metavar="COL", action="append", default=[], help="a column to leave out")
    add("--time", metavar="COL", help="a date or number: the oldest rows train")
    add("--weight", metavar="COL", help="how many cases each row stands for")
    add("--seed", type=int, help="default 0")
    add("--out", metavar="DIR", required=True, help="where learning_rates.json goes")
    parser.set_defaults(run=_run_learning_rate)


def _run_search(given: argparse.Namespace) -> int:
    from automl.api import SearchCall, run_search
    from automl.search.spec import Preset

    progress = ProgressLine(sys.stdout, sys.stderr)
    with _stop_on_interrupt() as interrupted, contextlib.closing(progress):
        result = run_search(
            SearchCall(
                file=given.file,
                out=Path(given.out),
                target=given.target,
                test=given.test,
                task=given.task,
                metric=given.metric,
                positive=given.positive,
                beneficial=given.beneficial,
                sensitive=tuple(given.sensitive),
                ignore=tuple(given.ignore),
                time=given.time,
                weight=given.weight,
                budget_seconds=given.budget,
                trials=given.trials,
                seed=given.seed,
                preset=None if given.preset is None else Preset(given.preset),
                families=given.families,
                sampler=given.sampler,
                pruner=given.pruner,
                folds=given.folds,
                ranges=tuple(given.range),
                method=given.method,
                objectives=tuple(given.objective),
                max_parameters=given.max_parameters,
                max_macs=given.max_macs,
                max_latency_ms=given.max_latency_ms,
                weights=given.weights,
                mirror=given.mirror,
                spec=None if given.spec is None else _read_text(given.spec),
                listen=progress.show,
                should_stop=lambda: bool(interrupted),
            )
        )
    for warning in result["warnings"]:
        progress.warn(warning)
    print(render_summary(result, given.out))
    return OK


def _read_text(name: str) -> str:
    from automl.errors import SpecError

    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"The spec {name!r} cannot be read: {error}.") from error


def _run_audit(given: argparse.Namespace) -> int:
    from automl.api import AuditCall, run_audit

    audit = run_audit(
        AuditCall(
            file=Path(given.file),
            out=Path(given.out),
            truth=given.truth,
            prediction=given.prediction,
            score=given.score,
            threshold=given.threshold,
            positive=given.positive,
            beneficial=given.beneficial,
            sensitive=tuple(given.sensitive),
        )
    )
    for warning in audit["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    print(f"Audited {audit['overall']['n']:,} rows; wrote {Path(given.out) / 'report.html'}")
    return OK


def _run_predict(given: argparse.Namespace) -> int:
    from automl.api import PredictCall, run_predict

    done = run_predict(
        PredictCall(
            bundle=Path(given.bundle),
            file=Path(given.file),
            out=Path(given.out),
            coverage=given.coverage,
        )
    )
    for note in done["notes"]:
        print(f"{note['level']}: {note['text']}", file=sys.stderr)
    rows = "row" if done["n_rows"] == 1 else "rows"
    cut = "" if done["threshold"] is None else f" at a threshold of {done['threshold']:g}"
    print(f"Predicted {done['n_rows']:,} {rows}{cut}; wrote {given.out}")
    return OK


def _run_learning_rate(given: argparse.Namespace) -> int:
    from automl.learning_rates import LearningRateCall, run_learning_rates

    progress = ProgressLine(sys.stdout, sys.stderr)
    with contextlib.closing(progress):
        found = run_learning_rates(
            LearningRateCall(
                file=given.file,
                out=Path(given.out),
                result=None if given.result is None else Path(given.result),
                family=given.family,
                target=given.target,
                test=given.test,
                task=given.task,
                sensitive=tuple(given.sensitive),
                ignore=tuple(given.ignore),
                time=given.time,
                weight=given.weight,
                seed=given.seed,
                listen=progress.show,
            )
        )
    print(render_rates(found, given.out))
    return OK


def render_rates(found: Mapping[str, Any], out: str) -> str:
    """What a learning-rate test found, in three lines."""
    suggested = "none" if found["suggested"] is None else f"{found['suggested']:.2g}"
    lines = [
        f"{found['network']}: {found['reason']}",
        f"Suggested: {suggested} (chosen: {found['chosen']:.2g})",
        f"{len(found['rates'])} rates, {len(found['losses'][0])} steps each, n = {found['n_rows']:,} training rows",
        f"Results in {out}",
    ]
    return "\n".join(lines)


def _run_worker(_given: argparse.Namespace) -> int:
    from automl.worker.__main__ import main as run_worker

    run_worker()
    return OK


@contextlib.contextmanager
def _stop_on_interrupt() -> Iterator[list[int]]:
    """The first Ctrl-C is noted in the list (stop and keep the best), the second one interrupts."""
    noted: list[int] = []

    def note(number: int, _frame: object) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.append(number)

    previous = signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, previous)


def render_summary(result: Mapping[str, Any], out: str) -> str:
    """What was found, in a few lines."""
    metric = result["metric"]
    test = result["test"].get(metric) or {}
    lines = [f"Winner: {result['winner']['name']} ({result['winner']['architecture']})"]
    if test.get("value") is not None:
        interval = ""
        if test.get("low") is not None and test.get("high") is not None:
            interval = f" [{test['low']:.4f}, {test['high']:.4f}]"
        lines.append(f"Test {metric}: {test['value']:.4f}{interval} on {test['n']:,} rows")
    if (result.get("worth") or {}).get("sentence"):
        lines.append(result["worth"]["sentence"])
    lines += render_front(result)
    lines.append(f"Looks at this test part so far: {result['looks']}")
    lines.append(f"{result['wall_seconds']:.0f} s; results in {out}")
    return "\n".join(lines)


def render_front(result: Mapping[str, Any]) -> list[str]:
    """The networks on the front, one per line; nothing with one objective."""
    front = [row for row in result.get("pareto", ()) if row["on_front"]]
    lines = ["Front (nobody is better in everything):"] if front else []
    for row in front:
        values = (
            f"{each['value']:.6g} {each['unit']}" if each["unit"] else f"{name} {each['value']:.4g}"
            for name, each in row["values"].items()
        )
        lines.append(f"  {row['name']}: {', '.join(values)}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
