"""Data sets that come with the product, imported by the same path as any upload."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from automl.data.dataset import DataKind, Role
from automl.data.loans import build_loans
from automl.data.setup import Setup
from automl.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A sample: what it is called, what it is, and choices that make it run at once."""

    name: str
    title: str
    description: str
    setup: Setup = field(default_factory=Setup)
    kind: DataKind = DataKind.TABLE


_ALL = (
    Sample(
        name="loans",
        title="Loan approvals",
        description="5,000 made-up applications with a known gap: two groups of equal merit, one "
        "approved 20 points less often. For trying the audit.",
        setup=Setup(
            target="approved",
            roles={"group": Role.SENSITIVE, "sex": Role.SENSITIVE},
            positive="yes",
            beneficial="yes",
        ),
    ),
    Sample(
        name="wine",
        title="Wine cultivars",
        description="178 Italian wines by 13 chemical measures; which of three cultivars is it?",
        setup=Setup(target="cultivar"),
    ),
    Sample(
        name="breast_cancer",
        title="Breast cancer (Wisconsin)",
        description="569 tissue samples by 30 measures of cell nuclei; malignant or benign?",
        setup=Setup(target="diagnosis", positive="malignant"),
    ),
    Sample(
        name="diabetes",
        title="Diabetes progression",
        description="442 patients by age, sex, body mass and blood measures; progression after one "
        "year, a number.",
        setup=Setup(target="progression"),
    ),
    Sample(
        name="digits",
        title="Handwritten digits",
        description="1,797 pictures of 8 × 8 grey pixels, one folder per digit; which of ten is it?",
        setup=Setup(target="label"),
        kind=DataKind.IMAGES,
    ),
)
SAMPLES: Mapping[str, Sample] = MappingProxyType({sample.name: sample for sample in _ALL})


def write_sample(name: str, folder: Path) -> Path:
    """Write ``<name>.csv``, or ``.zip`` for pictures, into ``folder`` (created) and return its path.

    An unknown name is a ``DataError``.
    """
    if name not in SAMPLES:
        raise DataError(
            f"There is no sample {name!r}.", hint=f"Choose one of {', '.join(SAMPLES)}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    if SAMPLES[name].kind is DataKind.IMAGES:
        from automl.data.digits import write_digits

        path = folder / f"{name}.zip"
        write_digits(path)
        return path
    path = folder / f"{name}.csv"
    frame = build_loans() if name == "loans" else _load_bundled(name)
    frame.to_csv(path, index=False, lineterminator="\n")
    return path


def _load_bundled(name: str) -> "pd.DataFrame":
    """The samples inside scikit-learn, with target values in words where it has them."""
    import pandas as pd
    from sklearn import datasets

    if name == "diabetes":
        bunch: Any = datasets.load_diabetes(scaled=False)
    else:
        bunch = getattr(datasets, f"load_{name}")()
    names = [str(column).replace(" ", "_") for column in bunch.feature_names]
    frame = pd.DataFrame(bunch.data, columns=names)
    if name == "wine":
        frame["cultivar"] = [str(bunch.target_names[code]) for code in bunch.target]
    elif name == "breast_cancer":
        frame["diagnosis"] = [str(bunch.target_names[code]) for code in bunch.target]
    else:
        frame["sex"] = frame["sex"].astype(int)
        frame["progression"] = bunch.target
    return frame
