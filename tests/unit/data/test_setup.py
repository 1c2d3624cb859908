from collections.abc import Callable

import pytest

from automl.data.dataset import Dataset, Kind, Role
from automl.data.profile import load_profile
from automl.data.setup import Setup, build_columns, infer_task
from automl.data.task import Task, TaskType
from automl.errors import DataError, FairloomError, SpecError
from automl.settings import Workspace

Import = Callable[..., Dataset]
Infer = Callable[..., Task]
N = 60


@pytest.fixture
def infer(import_text: Import, workspace: Workspace) -> Infer:
    """The task for a target column ``y`` with these cells."""

    def run(cells: list[str], **choices: object) -> Task:
        rows = "".join(f"{i * 0.37},{cell}\n" for i, cell in enumerate(cells))
        dataset = import_text(f"x,y\n{rows}")
        return infer_task(
            dataset,
            load_profile(workspace, dataset.id),
            Setup(target="y", **choices),  # type: ignore[arg-type]
        )

    return run


@pytest.mark.parametrize(
    ("cells", "task_type", "classes"),
    [
        ([str(i % 2) for i in range(N)], TaskType.BINARY, ("0", "1")),
        (["True", "False"] * 30, TaskType.BINARY, ("0", "1")),
        ([str(i % 2 + 1) for i in range(N)], TaskType.BINARY, ("1", "2")),
        (["no", "yes"] * 30, TaskType.BINARY, ("no", "yes")),
        ([f"c{i % 7}" for i in range(N)], TaskType.MULTICLASS, tuple(f"c{i}" for i in range(7))),
        ([str(i % 12) for i in range(N)], TaskType.MULTICLASS, tuple(map(str, range(12)))),
        ([str(i % 3 / 2) for i in range(N)], TaskType.REGRESSION, ()),
        ([str(i % 30) for i in range(N)], TaskType.REGRESSION, ()),
        ([f"{i}.25" for i in range(N)], TaskType.REGRESSION, ()),
    ],
)
def test_tasks_are_told(
    infer: Infer, cells: list[str], task_type: TaskType, classes: tuple[str, ...]
) -> None:
    task = infer(cells)
    assert (task.type, task.classes) == (task_type, classes)
    assert task.reason


def test_the_rarer_class_is_positive_and_said(infer: Infer) -> None:
    task = infer(["no"] * 40 + ["yes"] * 20)
    assert task.positive == "yes"
    assert "'yes' is taken as positive because it is the rarer" in task.reason
    assert infer(["no"] * 20 + ["yes"] * 40).positive == "no"
    assert infer(["no"] * 20 + ["yes"] * 40, positive="yes").positive == "yes"


def test_true_names_the_one_of_a_boolean(infer: Infer) -> None:
    assert infer(["True", "False"] * 30, positive="True", beneficial="false").positive == "1"


def test_a_number_may_be_named_in_any_form(infer: Infer) -> None:
    assert infer([str(i % 2 + 1) for i in range(N)], positive="2.0").positive == "2"


def test_overrides_are_kept_and_said(infer: Infer) -> None:
    task = infer([str(i % 12) for i in range(N)], task_type=TaskType.REGRESSION)
    assert task.type is TaskType.REGRESSION
    assert "chosen by you" in task.reason
    assert infer([str(i % 30) for i in range(N)], task_type="multiclass").classes[:3] == (
        "0",
        "1",
        "2",
    )


BAD = {
    "one class": (["a"] * N, {}, "one class only: every value is 'a'"),
    "all missing": ([""] * N, {}, "Every value of the target 'y' is missing"),
    "a class with one row": (["a"] * N + ["b"], {}, "class 'b' of 'y' has 1 row"),
    "dates": ([f"2024-01-{i % 28 + 1:02d}" for i in range(N)], {}, "holds dates"),
    "few rows": (["a", "b"] * 5, {}, "10 rows have a value"),
    "free text": ([f"text {i} is long" for i in range(300)], {}, "300 different values"),
    "binary of three": (["a", "b", "c"] * 20, {"task_type": "binary"}, "3 different values"),
    "regression of text": (["a", "b", "c"] * 20, {"task_type": "regression"}, "is no number"),
    "unknown positive": (["a", "b"] * 30, {"positive": "q"}, "'q' is not a value of 'y'"),
    "unknown beneficial": (["a", "b"] * 30, {"beneficial": "q"}, "'q' is not a value of 'y'"),
    "positive of three": (list("abc") * 20, {"positive": "a"}, "3 classes, none of them positive"),
    "positive number": ([f"{i}.5" for i in range(N)], {"positive": "1"}, "is a regression target"),
}


@pytest.mark.parametrize("case", BAD)
def test_targets_that_cannot_be_learned(infer: Infer, case: str) -> None:
    cells, choices, message = BAD[case]
    with pytest.raises(FairloomError, match=message) as caught:
        infer(cells, **choices)
    assert caught.value.hint


def test_no_target_and_an_unknown_one(import_text: Import, workspace: Workspace) -> None:
    dataset = import_text("x,y\n1,2\n3,4\n")
    profile = load_profile(workspace, dataset.id)
    with pytest.raises(SpecError, match="No target"):
        infer_task(dataset, profile, Setup())
    with pytest.raises(SpecError, match="no column 'zzz'"):
        infer_task(dataset, profile, Setup(target="zzz"))


def test_roles_kinds_and_inputs(import_text: Import) -> None:
    dataset = import_text("x,sex,y,k\n" + "".join(f"{i},m,{i % 2},c\n" for i in range(5)))
    setup = Setup(
        target="y",
        roles={"sex": Role.SENSITIVE, "x": Role.TARGET},
        kinds={"x": Kind.CATEGORICAL},
        inputs=("sex",),
    )
    uses = {use.name: use for use in build_columns(dataset, setup)}
    assert uses["y"].role is Role.TARGET
    assert uses["x"].role is Role.FEATURE  # an earlier target
    assert uses["x"].kind is Kind.CATEGORICAL
    assert (uses["sex"].role, uses["sex"].is_input) == (Role.SENSITIVE, True)
    assert uses["k"].role is Role.IGNORED
    with pytest.raises(SpecError, match="no column 'nope'"):
        build_columns(dataset, Setup(roles={"nope": Role.IGNORED}))


def test_unknown_words_are_refused() -> None:
    with pytest.raises(SpecError, match="'protected' is not a valid Role"):
        Setup(roles={"x": "protected"})  # type: ignore[dict-item]


def test_a_target_of_mostly_missing_numbers_is_no_data_error(infer: Infer) -> None:
    assert infer(["", *[f"{i}.5" for i in range(N)]]).type is TaskType.REGRESSION
    with pytest.raises(DataError):
        infer(["", "", *[f"{i}.5" for i in range(5)]])
