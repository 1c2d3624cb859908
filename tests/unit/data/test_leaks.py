import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import ColumnUse, Kind, Note, Role
from automl.data.leaks import compute_leaks
from automl.data.task import Task, TaskType

N = 2_000
BINARY = Task(target="y", type=TaskType.BINARY, metric="roc_auc", classes=("0", "1"), positive="1")
CLASSES = Task(target="k", type=TaskType.MULTICLASS, metric="log_loss", classes=("0", "1", "2"))
NUMBER = Task(target="z", type=TaskType.REGRESSION, metric="rmse")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    y = (generator.random(N) < 0.2).astype(int)
    z = generator.lognormal(size=N)
    k = generator.integers(0, 3, N)
    frame = pd.DataFrame({"y": y, "z": z, "k": k, "noise": generator.normal(size=N)})
    frame["many"] = generator.integers(0, 700, N).astype(str)
    frame["useful"] = y + generator.normal(size=N)
    frame["recoded"] = np.where(y == 1, "paid", "open")
    frame["nearly"] = np.where(generator.random(N) < 0.01, 1 - y, y)
    frame["fold"] = (
        np.abs(y - 0.5 + generator.normal(0, 0.01, N)) * generator.choice([-1, 1], N) + 3 * y
    )
    frame["only_then"] = np.where(y == 1, generator.normal(size=N), np.nan)
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(y * 100 + np.arange(N) % 50, "D")
    frame["k_name"] = np.array(["x", "y", "z"])[k]
    frame["z_cm"] = z * 100
    frame["z_noisy"] = z + generator.normal(0, 0.2, N) * z.std()
    return frame


def run(frame: pd.DataFrame, task: Task, *names: str, role: Role = Role.FEATURE) -> dict[str, Note]:
    def kind(name: str) -> Kind:
        if name == "when":
            return Kind.DATETIME
        return Kind.NUMERIC if pd.api.types.is_numeric_dtype(frame[name]) else Kind.CATEGORICAL

    columns = tuple(ColumnUse(name=name, kind=kind(name), role=role) for name in names)
    return {note.column: note for note in compute_leaks(frame, task, columns)}


def test_columns_that_hold_the_answer_are_named_and_marked_to_ignore(frame: pd.DataFrame) -> None:
    names = ("recoded", "nearly", "fold", "only_then", "when", "noise", "useful", "many")
    found = run(frame, BINARY, *names)
    assert set(found) == {"recoded", "nearly", "fold", "only_then", "when"}
    for note in found.values():
        assert note.code == "leak"
        assert note.level == "warning"
    assert found["recoded"].actions == ("ignore", "keep")
    assert "AUC 1.000" in found["recoded"].text


def test_classes_and_numbers(frame: pd.DataFrame) -> None:
    assert set(run(frame, CLASSES, "k_name", "noise", "many")) == {"k_name"}
    found = run(frame, NUMBER, "z_cm", "z_noisy", "noise", "many")
    assert set(found) == {"z_cm", "z_noisy"}
    assert found["z_cm"].actions == ("ignore", "keep")
    assert found["z_noisy"].actions == ("keep", "ignore")


def test_ignored_columns_are_not_looked_at(frame: pd.DataFrame) -> None:
    assert run(frame, BINARY, "recoded", role=Role.IGNORED) == {}
    assert set(run(frame, BINARY, "recoded", role=Role.SENSITIVE)) == {"recoded"}


def test_missing_targets_are_left_out(frame: pd.DataFrame) -> None:
    holes = frame.assign(y=frame["y"].where(np.arange(N) % 3 > 0))
    assert set(run(holes, BINARY, "recoded", "noise")) == {"recoded"}


def test_two_runs_agree(frame: pd.DataFrame) -> None:
    assert run(frame, NUMBER, "z_noisy") == run(frame, NUMBER, "z_noisy")
