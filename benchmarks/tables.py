"""The tables of the benchmarks: the shared ones, scikit-learn's own, generated ones, and those of any folder.

A folder of your own is named by a manifest, a JSON file beside its tables::

    {"tables": [{"name": "houses", "file": "houses.csv", "target": "price"}]}

Each entry has ``name``, ``file`` and ``target``, and may have ``test`` (a file with the test rows), ``inputs`` (a list of
columns; all without it), ``task`` (``binary``, ``multiclass`` or ``regression``), ``metric`` and ``about``. Files lie beside the manifest.
"""

import dataclasses
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.data.samples import write_sample
from benchmarks import generated
from tests.conftest import find_data

if TYPE_CHECKING:
    import pandas as pd

SHARED, SKLEARN, GENERATED, MANIFEST = "shared", "scikit-learn", "generated", "manifest"


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchTable:
    """A table with its target. ``write`` makes the file where ``folder`` has none.

    ``is_in_suite`` False: only run when it is named.
    """

    name: str
    target: str
    file: str = ""
    test: str = ""
    inputs: tuple[str, ...] = ()
    task: str = ""
    metric: str = ""
    about: str = ""
    origin: str = MANIFEST
    folder: Path | None = None
    write: Callable[[Path], None] | None = None
    is_in_suite: bool = True


def list_tables() -> dict[str, BenchTable]:
    """All tables by name; the shared ones only where their folder is there."""
    known = (*list_shared(find_data()), *SKLEARN_TABLES, *GENERATED_TABLES)
    return {table.name: table for table in known}


def list_shared(folder: Path | None) -> tuple[BenchTable, ...]:
    """The shared tables, with the folder they lie in; none without a folder."""
    if folder is None:
        return ()
    return tuple(dataclasses.replace(table, folder=folder) for table in SHARED_TABLES)


def read_manifest(path: Path) -> tuple[BenchTable, ...]:
    """The tables of a manifest. Raises ``ValueError`` with what is wrong in it."""
    content = json.loads(path.read_text())
    if "tables" not in content:
        raise ValueError(f"{path.name} has no list 'tables'.")
    return tuple(_read_entry(path, entry) for entry in content["tables"])


def _read_entry(path: Path, entry: Mapping[str, Any]) -> BenchTable:
    allowed = ("name", "file", "target", "test", "inputs", "task", "metric", "about")
    unknown = sorted(set(entry) - set(allowed))
    missing = [key for key in allowed[:3] if not entry.get(key)]
    if unknown or missing:
        raise ValueError(f"{path.name}: an entry has unknown keys {unknown} and lacks {missing}.")
    table = BenchTable(**{**entry, "inputs": tuple(entry.get("inputs", ()))}, folder=path.parent)
    for name in filter(None, (table.file, table.test)):
        if not (path.parent / name).is_file():
            raise ValueError(f"{path.name}: there is no file {name!r} beside it.")
    return table


def place_table(table: BenchTable, folder: Path) -> list[str]:
    """Put a table's files into ``folder`` and return what the shell's search is told of it."""
    file = folder / f"{table.name}.csv"
    if table.write is not None:
        table.write(file)
    else:
        _copy(table, table.file, file)
    arguments = [str(file), "--target", table.target]
    if table.test:
        test = folder / f"{table.name}_test.csv"
        _copy(table, table.test, test)
        arguments += ["--test", str(test)]
    for flag, value in (("--task", table.task), ("--metric", table.metric)):
        arguments += [flag, value] if value else []
    return arguments


def _copy(table: BenchTable, name: str, to: Path) -> None:
    """The file as it is; with ``inputs`` those columns and the target only, cell by cell as written."""
    if table.folder is None:
        raise ValueError(f"{table.name} has neither a folder nor a way to be made.")
    source = table.folder / name
    if not table.inputs:
        shutil.copyfile(source, to)
        return
    read_cells(source)[[*table.inputs, table.target]].to_csv(to, index=False)


def read_cells(path: Path) -> "pd.DataFrame":
    """A CSV file as text, nothing converted and nothing missing."""
    import pandas as pd

    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _write_sample(name: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        write_sample(name, path.parent / "sample").rename(path)

    return write


def _write_frame(build: Callable[[], "pd.DataFrame"]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        build().to_csv(path, index=False)

    return write


def _load_numbered(name: str) -> Callable[[], "pd.DataFrame"]:
    """Iris, or digits as a table of their 64 pixels; the class as a word."""

    def load() -> "pd.DataFrame":
        from sklearn import datasets

        bunch = getattr(datasets, f"load_{name}")(as_frame=True)
        frame = bunch.data.copy()
        frame["y"] = [f"class {bunch.target_names[code]}" for code in bunch.target]
        return frame

    return load


SHARED_TABLES = (
    BenchTable(name="adult", origin=SHARED, file="adult_train.csv", test="adult_test.csv", target="income", about="32,561 and 16,281 × 15, the official files"),
    BenchTable(name="california", origin=SHARED, file="california_housing.csv", target="median_house_value", about="20,640 × 10"),
    BenchTable(
        name="compas", origin=SHARED, file="compas_two_years.csv", target="two_year_recid", about="7,214 × 10, without scores and what came later",
        inputs=("age", "sex", "race", "juv_fel_count", "juv_misd_count", "juv_other_count", "priors_count", "c_charge_degree", "c_charge_desc"),
    ),
    BenchTable(name="telco", origin=SHARED, file="telco_churn.csv", target="Churn", about="7,043 × 21"),
    BenchTable(name="german", origin=SHARED, file="german_credit.csv", target="class-label", about="1,000 × 22"),
    BenchTable(name="titanic", origin=SHARED, file="titanic.csv", target="Survived", about="891 × 12"),
)  # fmt: skip

SKLEARN_TABLES = (
    BenchTable(name="wine", origin=SKLEARN, target="cultivar", write=_write_sample("wine"), about="178 × 14, three classes"),
    BenchTable(name="breast_cancer", origin=SKLEARN, target="diagnosis", write=_write_sample("breast_cancer"), about="569 × 31"),
    BenchTable(name="diabetes", origin=SKLEARN, target="progression", write=_write_sample("diabetes"), about="442 × 11, a number"),
    BenchTable(name="iris", origin=SKLEARN, target="y", write=_write_frame(_load_numbered("iris")), about="150 × 5, three classes"),
    BenchTable(name="digits", origin=SKLEARN, target="y", write=_write_frame(_load_numbered("digits")), about="1,797 × 65, ten classes"),
)  # fmt: skip

_BUILDERS = {
    "friedman": generated.build_friedman,
    "corners": generated.build_corners,
    "products": generated.build_products,
    "steps": generated.build_steps,
    "waves": generated.build_waves,
    "shops": generated.build_shops,
    "rare": generated.build_rare,
    "gaps": generated.build_gaps,
    "large": generated.build_large,
}


def _describe(build: Callable[[], "pd.DataFrame"]) -> str:
    return (build.__doc__ or "").strip().splitlines()[0]


GENERATED_TABLES = (
    BenchTable(name="loans", origin=GENERATED, target="approved", write=_write_sample("loans"), about="The product's own sample: 5,000 made-up applications."),
    *(BenchTable(
        name=name,
        origin=GENERATED,
        target="y",
        write=_write_frame(build),
        about=_describe(build),
        is_in_suite=build is not generated.build_large,
    ) for name, build in _BUILDERS.items()),
)  # fmt: skip
