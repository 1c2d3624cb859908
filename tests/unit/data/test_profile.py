from collections import Counter
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import Dataset
from automl.data.profile import load_profile
from automl.errors import DataError
from automl.settings import Workspace

Import = Callable[..., Dataset]


def build_defects() -> str:
    """One planted defect of each kind."""
    generator = np.random.default_rng(1)
    n = 300
    frame = pd.DataFrame({"good": generator.normal(size=n).round(6)})
    frame["account_id"] = np.arange(n) * 7 + 3
    frame["constant"] = "x"
    frame["empty"] = None
    frame["copy"] = frame["good"]
    frame["far"] = generator.normal(size=n).round(6)
    frame.loc[17, "far"] = 500.0
    frame["holes"] = generator.normal(size=n).round(6)
    frame.loc[:150, "holes"] = np.nan
    frame["mixed"] = [str(i % 9) if i % 2 else "abc" for i in range(n)]
    frame["notes"] = [f"somebody wrote the remark number {i // 2} at length here" for i in range(n)]
    frame["infinite"] = generator.normal(size=n).round(6).astype(str)
    frame.loc[4, "infinite"] = "inf"
    frame = pd.concat([frame, frame.iloc[[20]]])
    return frame.to_csv(index=False)


def test_each_planted_defect_is_listed_once(import_text: Import, workspace: Workspace) -> None:
    dataset = import_text(build_defects())
    profile = load_profile(workspace, dataset.id)
    found = Counter((n.code, n.column) for n in (*dataset.notes, *profile.notes))
    assert found == {
        ("delimiter", ""): 1,
        ("infinite", "infinite"): 1,
        ("mixed_types", "mixed"): 1,
        ("duplicate_rows", ""): 1,
        ("identifier", "account_id"): 1,
        ("constant", "constant"): 1,
        ("empty_column", "empty"): 1,
        ("duplicate_column", "copy"): 1,
        ("outliers", "far"): 1,
        ("many_missing", "holes"): 1,
        ("high_cardinality", "notes"): 1,
    }
    assert profile.n_duplicate_rows == 1
    for note in profile.notes:
        assert note.actions or note.code == "duplicate_rows"


@pytest.mark.parametrize(
    ("name", "values", "count"),
    [
        ("fnlwgt", [1, 2, 3, 5], 1),
        ("person_weight", [0.5, 2, 3, 5], 1),
        ("weight", [61, 72, 83, 75], 0),  # as often that of a body
        ("fnlwgt", [1, -2, 3, 5], 0),
        ("fnlwgt", [1, "", 3, 5], 0),
    ],
)
def test_weights_are_told_by_name_and_values(
    import_text: Import, workspace: Workspace, name: str, values: list[object], count: int
) -> None:
    text = f"{name},other\n" + "".join(f"{values[row % 4]},{row}\n" for row in range(80))
    profile = load_profile(workspace, import_text(text).id)
    codes = [note.code for note in profile.notes if note.column == name]
    assert codes.count("weight") == count


def test_counts_and_distribution(import_text: Import, workspace: Workspace) -> None:
    dataset = import_text(
        "x,c\n" + "".join(f"{i % 10},{'ab'[i % 2]}\n" for i in range(100)) + ",\n"
    )
    profile = load_profile(workspace, dataset.id)
    number, label = profile.column("x"), profile.column("c")
    assert number is not None
    assert label is not None
    assert (number.n_missing, number.n_distinct) == (1, 10)
    assert number.missing_share == pytest.approx(1 / 101)
    assert number.quantiles is not None
    assert (number.quantiles["min"], number.quantiles["median"], number.quantiles["max"]) == (
        0,
        4.5,
        9,
    )
    assert sum(item.count for item in number.histogram) == 100
    assert [(item.value, item.count) for item in label.values] == [("a", 50), ("b", 50)]
    assert number.values[0].value == "0"
    assert profile.n_rows_with_missing == 1


def test_a_missing_cell_is_no_zero(import_text: Import, workspace: Workspace) -> None:
    dataset = import_text("x,c,d\n0,a,0.0\n,a,\n0,a,0.0\n,a,\n1,b,2.5\n")
    assert load_profile(workspace, dataset.id).n_duplicate_rows == 2


def test_extreme_numbers_do_not_break_the_profile(
    import_text: Import, workspace: Workspace
) -> None:
    cells = ["1e308", "-1e308", "1.7e308", *[f"{i}.5" for i in range(40)]]
    dataset = import_text("x,c\n" + "".join(f"{cell},a\n" for cell in cells))
    column = load_profile(workspace, dataset.id).column("x")
    assert column is not None
    assert column.quantiles is not None
    assert np.isfinite(list(column.quantiles.values())).all()


def test_a_profile_that_is_gone_is_named(workspace: Workspace) -> None:
    with pytest.raises(DataError, match="no readable profile"):
        load_profile(workspace, "0" * 64)
