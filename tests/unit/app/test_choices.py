"""Choices change one at a time and never contradict each other."""

from hypothesis import given
from hypothesis import strategies as st

from app import choices
from automl.data.dataset import Column, Dataset, Kind, Note, Role
from automl.data.setup import Setup, build_columns
from automl.data.task import TaskType

NAMES = ("id", "age", "sex", "income", "house")
DATASET = Dataset(
    id="0" * 64, name="people", n_rows=100, n_test_rows=0,
    columns=tuple(
        Column(
            name=name, kind=Kind.NUMERIC, reason="numbers", n_missing=0, n_distinct=9,
            suggested_role=Role.IGNORED if name == "id" else Role.FEATURE,
        )
        for name in NAMES
    ),
)  # fmt: skip
STEPS = st.one_of(
    st.tuples(st.just("target"), st.sampled_from(NAMES)),
    st.tuples(st.sampled_from([role.value for role in Role]), st.sampled_from(NAMES)),
    st.tuples(st.just("undo"), st.sampled_from(NAMES)),
    st.tuples(st.just("inputs"), st.sampled_from(NAMES)),
    st.tuples(st.just("only"), st.lists(st.sampled_from(NAMES), unique=True)),
)


def apply(setup: Setup, step: tuple[str, object]) -> Setup:
    action, value = step
    match action:
        case "only":
            names = [name for name in value if name != setup.target]  # type: ignore[attr-defined]
            return choices.with_only(setup, DATASET, Role.SENSITIVE, names)
        case "undo":
            return choices.without_choice(setup, str(value))
        case "inputs":
            return choices.with_inputs(setup, DATASET, are_inputs=True)
        case "target":
            return choices.with_target(setup, str(value))
        case _:
            return choices.with_role(setup, str(value), Role(action))


@given(st.lists(STEPS, max_size=12))
def test_any_sequence_of_choices_gives_columns_the_engine_takes(
    steps: list[tuple[str, object]],
) -> None:
    setup = Setup()
    for step in steps:
        setup = apply(setup, step)
    uses = build_columns(DATASET, setup)
    assert [use.role for use in uses].count(Role.TARGET) == (setup.target is not None)
    for role in (Role.GROUP, Role.TIME, Role.WEIGHT):
        assert [use.role for use in uses].count(role) <= 1
    for column, use in zip(DATASET.columns, uses, strict=True):
        assert choices.get_role(setup, column) is use.role
        assert use.role is Role.SENSITIVE or not use.is_input
        assert column.name not in setup.inputs or use.role is Role.SENSITIVE


def test_another_target_forgets_the_values_of_the_former() -> None:
    setup = Setup(
        target="income", positive=">50K", beneficial=">50K", task_type=TaskType.BINARY,
        roles={"sex": Role.SENSITIVE}, inputs=("sex",),
    )  # fmt: skip
    changed = choices.with_target(setup, "sex")
    assert changed == Setup(target="sex")


def test_only_these_are_sensitive_and_the_others_go_back() -> None:
    setup = choices.with_only(Setup(), DATASET, Role.SENSITIVE, ["id", "sex"])
    setup = choices.with_only(setup, DATASET, Role.SENSITIVE, ["sex"])
    assert choices.list_with_role(setup, DATASET, Role.SENSITIVE) == ["sex"]
    assert choices.get_role(setup, DATASET.columns[0]) is Role.IGNORED


def test_open_warnings_come_first_and_repeated_notes_once() -> None:
    remark = Note(code="duplicate_rows", text="24 rows repeat.")
    leak = Note(code="leak", column="house", text="leaks", level="warning", actions=("ignore",))
    answered = Note(code="id", column="id", text="an id", level="warning", actions=("keep",))
    setup = Setup(roles={"id": Role.FEATURE})
    notes = (remark, answered, leak, leak)
    assert choices.sort_notes(notes, setup)[0] == leak
    assert len(choices.sort_notes(notes, setup)) == 3
    assert choices.count_open(choices.sort_notes(notes, setup), setup) == 1
