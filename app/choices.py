"""A person's choices about a data set, changed one at a time; every function returns a new ``Setup``."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from automl.data.dataset import Column, Dataset, Kind, Note, Role
from automl.data.setup import ONE_COLUMN, Setup
from automl.data.task import TaskType


def suggest_setup(dataset: Dataset) -> Setup:
    """The choices to begin with: the target that was suggested, as the classes of pictures are."""
    suggested = (c.name for c in dataset.columns if c.suggested_role is Role.TARGET)
    return Setup(target=next(suggested, None))


def get_role(setup: Setup, column: Column) -> Role:
    """What a column is used for: the target, what was chosen, or what was suggested."""
    if column.name == setup.target:
        return Role.TARGET
    role = setup.roles.get(column.name, column.suggested_role)
    return Role.FEATURE if role is Role.TARGET else role


def get_kind(setup: Setup, column: Column) -> Kind:
    """The kind of a column: chosen or inferred."""
    return setup.kinds.get(column.name, column.kind)


def list_with_role(setup: Setup, dataset: Dataset, role: Role) -> list[str]:
    """Names of the columns with that role, in the order of the table."""
    return [column.name for column in dataset.columns if get_role(setup, column) is role]


def with_target(setup: Setup, target: str | None) -> Setup:
    """Another target: what was said about the former one's values is dropped."""
    roles = {name: role for name, role in setup.roles.items() if name != target}
    return replace(
        setup, target=target, roles=roles, task_type=None, metric=None, positive=None, beneficial=None,
        inputs=tuple(name for name in setup.inputs if name != target),
    )  # fmt: skip


def with_target_of(setup: Setup, dataset: Dataset, target: str | None) -> Setup:
    """Another target of a data set; a class of pictures that is no longer the target is no input either."""
    changed = with_target(setup, target)
    suggested = suggest_setup(dataset).target
    if dataset.images is None or suggested is None or suggested == target:
        return changed
    return with_role(changed, suggested, Role.IGNORED)


def with_task_type(setup: Setup, task_type: TaskType | None) -> Setup:
    """Another kind of task; positive and beneficial values belong to binary ones only."""
    return replace(setup, task_type=task_type, metric=None, positive=None, beneficial=None)


def with_role(setup: Setup, name: str, role: Role) -> Setup:
    """One column gets a role; one column only can be the target, keep rows together or weigh them."""
    if role is Role.TARGET:
        return with_target(setup, name)
    base = with_target(setup, None) if name == setup.target else setup
    roles = {
        other: given
        for other, given in base.roles.items()
        if not (role in ONE_COLUMN and given is role)
    }
    kept = tuple(other for other in base.inputs if other != name or role is Role.SENSITIVE)
    return replace(base, roles={**roles, name: role}, inputs=kept)


def without_role(setup: Setup, name: str) -> Setup:
    """Back to what was suggested for a column."""
    roles = {other: role for other, role in setup.roles.items() if other != name}
    return replace(setup, roles=roles, inputs=tuple(n for n in setup.inputs if n != name))


def without_choice(setup: Setup, name: str) -> Setup:
    """Nothing said about a column any more, neither its role nor its kind."""
    kinds = {other: kind for other, kind in setup.kinds.items() if other != name}
    return replace(without_role(setup, name), kinds=kinds)


def with_only(setup: Setup, dataset: Dataset, role: Role, names: Collection[str]) -> Setup:
    """Exactly these columns have that role; others that had it go back to what was suggested."""
    for name in list_with_role(setup, dataset, role):
        if name not in names:
            setup = without_role(setup, name)
    for name in names:
        setup = with_role(setup, name, role)
    return setup


def with_kind(setup: Setup, name: str, kind: Kind) -> Setup:
    """Another kind for one column."""
    return replace(setup, kinds={**setup.kinds, name: kind})


def with_inputs(setup: Setup, dataset: Dataset, *, are_inputs: bool) -> Setup:
    """Whether the models may read the sensitive columns."""
    names = list_with_role(setup, dataset, Role.SENSITIVE) if are_inputs else ()
    return replace(setup, inputs=tuple(names))


def with_pictures(setup: Setup, code: str, *, dropped: bool) -> Setup:
    """The pictures of a finding are left out of searches, or were looked at and stay."""
    base = without_pictures(setup, code)
    if dropped:
        return replace(base, drop_pictures=(*base.drop_pictures, code))
    return replace(base, keep_pictures=(*base.keep_pictures, code))


def without_pictures(setup: Setup, code: str) -> Setup:
    """Nothing said about a finding any more."""
    return replace(
        setup,
        drop_pictures=tuple(other for other in setup.drop_pictures if other != code),
        keep_pictures=tuple(other for other in setup.keep_pictures if other != code),
    )


def is_decided(setup: Setup, note: Note) -> bool:
    """Whether the person has answered a note, by its buttons or in the table."""
    name = note.column
    if note.code in setup.drop_pictures or note.code in setup.keep_pictures:
        return True
    return name in setup.roles or name in setup.kinds or (bool(name) and name == setup.target)


def sort_notes(notes: Iterable[Note], setup: Setup) -> list[Note]:
    """Open warnings first, then what offers an action, then remarks; each text once."""
    unique = {(note.code, note.column, note.text): note for note in notes}
    return sorted(
        unique.values(),
        key=lambda note: (
            is_decided(setup, note) or not note.actions,
            note.level != "warning",
            not note.actions,
        ),
    )


def count_open(notes: Iterable[Note], setup: Setup) -> int:
    """How many notes wait for an answer."""
    return sum(bool(note.actions) and not is_decided(setup, note) for note in notes)
