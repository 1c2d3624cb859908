"""The learning-rate test from Python: of the best network of a search, or of a family's default."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl.api import SearchCall, build_spec, import_file, render_plain, require_ended_well
from automl.data.dataset import Dataset
from automl.deploy.delivery import require_folder
from automl.errors import SpecError
from automl.files import load_json
from automl.jobs.records import JobKind, NewJob
from automl.models.catalog import get_family
from automl.own_worker import Listen, open_own_worker
from automl.search.spec import SearchSpec
from automl.settings import Settings
from automl.space.dimensions import Config
from automl.training.learning_rates import find_obstacle
from automl.worker.rates_handler import OUT, RatesSpec, plan_test, render_rates_spec

DEFAULT_FAMILY = "mlp"


@dataclass(frozen=True, kw_only=True, slots=True)
class LearningRateCall:
    """What ``run_learning_rates`` is asked; the fields are the shell's flags.

    ``file`` is a table, or ``sample:NAME``. ``result`` is the folder that a search of the same file wrote: its best
    network is tested on the rows it learned from. Without one it is the default network of ``family`` (``mlp`` or
    ``resnet``), and the other fields mean what they mean for a search.
    """

    file: str
    out: Path
    result: Path | None = None
    family: str | None = None
    target: str | None = None
    test: str | None = None
    task: str | None = None
    sensitive: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    time: str | None = None
    weight: str | None = None
    seed: int | None = None
    listen: Listen = field(default=lambda _progress: None)


def run_learning_rates(call: LearningRateCall, settings: Settings | None = None) -> dict[str, Any]:
    """Test 32 learning rates, write ``call.out/learning_rates.json``, return what it holds (``RateTest``).

    Bad input, and a network that trains alone, are a ``DataError`` or ``SpecError``.
    """
    settings = settings or Settings()
    require_folder(call.out)
    family = call.family or DEFAULT_FAMILY
    searched = None if call.result is None else _read_search(call, call.result)
    if searched is None:
        _require_testable(family, get_family(family).default)
    request = _build_call(call, family)
    with open_own_worker(settings) as session:
        dataset = import_file(session, request)
        if searched is None:
            asked = _plan_default(family, build_spec(session, request, dataset, None))
        else:
            asked = _require_same(searched, dataset)
        job = session.run(
            NewJob(
                kind=JobKind.RATES,
                title=f"{dataset.name}: {asked.name}",
                dataset=dataset.id,
                spec=render_rates_spec(asked),
            ),
            call.listen,
        )
        require_ended_well(job)
        target = call.out / "learning_rates.json"
        shutil.copyfile(settings.workspace.job(job.id) / OUT, target)
    found: dict[str, Any] = load_json(target)
    return found


def _read_search(call: LearningRateCall, folder: Path) -> RatesSpec:
    """The test of the best network in a result folder; it decides everything but the file."""
    for name in ("family", "target", "task", "sensitive", "ignore", "time", "weight", "seed"):
        value = getattr(call, name)
        if value is not None and value != ():
            raise SpecError(
                f"--{name} {value!r} was given, but the search in {str(folder)!r} decides that.",
                hint=f"Leave out --{name}, or --result.",
            )
    try:
        spec, result = (load_json(folder / f"{name}.json") for name in ("spec", "result"))
    except (OSError, ValueError) as error:
        raise SpecError(
            f"There is no finished search in {str(folder)!r}: {error}.",
            hint="Name the folder that a search wrote with --out.",
        ) from error
    asked = plan_test(spec, result)
    if asked is None:
        raise SpecError(
            f"The search in {str(folder)!r} has trained no network.",
            hint="Leave out --result, and name a --family.",
        )
    _require_testable(asked.family, asked.config)
    return asked


def _require_same(asked: RatesSpec, dataset: Dataset) -> RatesSpec:
    """The same, unless the file is not the one that was searched."""
    if asked.spec.get("data") != dataset.id:
        raise SpecError(
            f"The search was of {str(asked.spec.get('data_name'))!r}, but {dataset.name!r} has other content "
            f"({dataset.id[:12]}).",
            hint="Name the file (and the test file) that was searched, or leave out --result.",
        )
    return asked


def _plan_default(family: str, spec: SearchSpec) -> RatesSpec:
    return RatesSpec(
        spec=render_plain(spec),
        family=family,
        config=get_family(family).default,
        name=f"{get_family(family).title} (default)",
        seed=spec.seed,
    )


def _require_testable(family: str, config: Config) -> None:
    if obstacle := find_obstacle(family, config):
        raise SpecError(obstacle, hint="Test an MLP or a ResNet.")


def _build_call(call: LearningRateCall, family: str) -> SearchCall:
    """What to import, and how its columns are used, as a search would be asked."""
    return SearchCall(
        file=call.file,
        out=call.out,
        test=call.test,
        target=call.target,
        task=call.task,
        sensitive=call.sensitive,
        ignore=call.ignore,
        time=call.time,
        weight=call.weight,
        seed=call.seed,
        families=(family,),
        listen=call.listen,
    )
