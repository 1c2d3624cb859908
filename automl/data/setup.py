"""A person's choices about a data set, and the task that follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from automl.data.dataset import Column, ColumnUse, Dataset, Kind, Role
from automl.data.images.findings import DROPPABLE
from automl.data.task import DEFAULT_METRIC, Task, TaskType
from automl.data.values import is_same_number, sort_labels
from automl.errors import DataError, SpecError

if TYPE_CHECKING:
    from automl.data.profile import ColumnProfile, Profile

MAX_INTEGER_CLASSES = 20
MAX_CLASSES = 200
MIN_ROWS = 20
ONE_COLUMN = (Role.GROUP, Role.TIME, Role.WEIGHT)  # roles that one column at most may have
MIN_CLASS_ROWS = 4  # one for each part of the split
KINDS_OF_ROLES = {
    Role.TIME: (Kind.DATETIME, Kind.NUMERIC),
    Role.WEIGHT: (Kind.NUMERIC, Kind.BOOLEAN),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Setup:
    """Choices made so far; what is absent follows from the data.

    ``kinds`` and ``roles`` override what was inferred, by column name; ``inputs`` are sensitive columns a
    model may read as well. ``drop_pictures`` are findings about pictures (``Note.code``) whose rows a search
    leaves out, ``keep_pictures`` those that were looked at and stay.
    """

    target: str | None = None
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    task_type: TaskType | None = None
    metric: str | None = None
    positive: str | None = None
    beneficial: str | None = None
    drop_pictures: tuple[str, ...] = ()
    keep_pictures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Plain text from the shell or a page becomes the words of this package."""
        try:
            kinds = {name: Kind(kind) for name, kind in self.kinds.items()}
            roles = {name: Role(role) for name, role in self.roles.items()}
            task_type = None if self.task_type is None else TaskType(self.task_type)
        except ValueError as error:
            raise SpecError(f"{error}.", hint="See the list of kinds, roles and tasks.") from error
        object.__setattr__(self, "kinds", kinds)
        object.__setattr__(self, "roles", roles)
        object.__setattr__(self, "task_type", task_type)
        for code in (*self.drop_pictures, *self.keep_pictures):
            if code not in DROPPABLE:
                raise SpecError(
                    f"There is no finding {code!r} about pictures.",
                    hint=f"Choose among {', '.join(DROPPABLE)}.",
                )


def build_columns(dataset: Dataset, setup: Setup) -> tuple[ColumnUse, ...]:
    """How every column is used, in the order of the table.

    The target is the target whatever else was said. Naming a column that is not there, or ticking a
    column as input that is not sensitive, is a ``SpecError``; so is any input beside the pictures.
    """
    named = [*([setup.target] if setup.target else []), *setup.kinds, *setup.roles, *setup.inputs]
    for name in named:
        if dataset.column(name) is None:
            raise SpecError(
                f"The table {dataset.name!r} has no column {name!r}.",
                hint=f"Its columns are {_list(tuple(c.name for c in dataset.columns))}.",
            )
    uses = tuple(_build_use(column, setup) for column in dataset.columns)
    return uses if dataset.images is None else _require_pictures_alone(uses)


def _require_pictures_alone(uses: tuple[ColumnUse, ...]) -> tuple[ColumnUse, ...]:
    """The pictures are the input; a label that is not the target describes them like other columns."""
    for use in uses:
        is_read = use.role is Role.FEATURE or use.is_input
        if use.role in (Role.TIME, Role.WEIGHT):
            raise SpecError(
                f"{use.name!r} cannot be the {use.role} of pictures.",
                hint="Leave it ignored; rows of a table can have a time and weights.",
            )
        if use.kind is Kind.IMAGE and not is_read:
            raise SpecError(
                f"{use.name!r} holds the pictures and cannot be {use.role}.",
                hint="Leave its role; a model needs the pictures.",
            )
        if is_read and use.kind is not Kind.IMAGE:
            raise SpecError(
                f"{use.name!r} cannot be an input: networks for pictures read the pictures only.",
                hint="Make it sensitive or a group, or leave it ignored; as a table it could be an input.",
            )
    return uses


def _build_use(column: Column, setup: Setup) -> ColumnUse:
    role = setup.roles.get(column.name, column.suggested_role)
    if column.name == setup.target:
        role = Role.TARGET
    elif role is Role.TARGET:
        # an earlier target, or the classes of pictures: only one is named now
        role = Role.IGNORED if column.suggested_role is Role.TARGET else Role.FEATURE
    return ColumnUse(
        name=column.name,
        kind=setup.kinds.get(column.name, column.kind),
        role=role,
        is_input=role is Role.SENSITIVE and column.name in setup.inputs,
    )


def infer_task(dataset: Dataset, profile: "Profile", setup: Setup) -> Task:
    """The task for the chosen target, with the reason in words.

    Two values are a binary task; text, or up to 20 different whole numbers, a multiclass one; any other
    numbers a regression. ``setup.task_type`` overrides that where the values allow it. The positive class
    is the named one, else the rarer. Targets nothing can be learned from are a ``DataError``.
    """
    if setup.target is None:
        raise SpecError("No target is chosen.", hint="Choose the column to predict.")
    column, found = dataset.column(setup.target), profile.column(setup.target)
    if column is None or found is None:
        raise SpecError(
            f"The table {dataset.name!r} has no column {setup.target!r} to predict.",
            hint=f"Its columns are {_list(tuple(c.name for c in dataset.columns))}.",
        )
    _require_values(dataset, column, found)
    if dataset.images is not None:
        return _infer_picture_task(column, found, setup)
    kind = setup.kinds.get(column.name, column.kind)
    guessed, reason = _guess_type(column, kind, found)
    task_type = setup.task_type or guessed
    if task_type is not guessed:
        reason = f"chosen by you; it would be {guessed} because of {reason}"
    if task_type is TaskType.REGRESSION:
        return _build_regression(column, setup, reason)
    return _build_classification(column, found, setup, task_type, reason)


def _infer_picture_task(column: Column, found: "ColumnProfile", setup: Setup) -> Task:
    """Classes only, numbers as classes too (the digits 0 to 9)."""
    if column.kind is Kind.IMAGE or column.name.startswith("picture_"):
        raise SpecError(
            f"{column.name!r} is {column.reason} and cannot be predicted.",
            hint="Choose the column with the classes.",
        )
    is_number = column.kind is Kind.NUMERIC and column.n_distinct > MAX_INTEGER_CLASSES
    if setup.task_type is TaskType.REGRESSION or column.kind is Kind.DATETIME or is_number:
        raise SpecError(
            f"{column.name!r} would be predicted as a number; from pictures only classes are predicted.",
            hint="Choose a column with classes, or put the numbers into classes first.",
        )
    guessed = TaskType.BINARY if column.n_distinct == 2 else TaskType.MULTICLASS
    reason = f"{column.n_distinct:,} classes, {column.reason}"
    task_type = setup.task_type or guessed
    if task_type is not guessed:
        reason = f"chosen by you; it would be {guessed} because of {reason}"
    return _build_classification(column, found, setup, task_type, reason)


def _require_values(dataset: Dataset, column: Column, found: "ColumnProfile") -> None:
    n_present = dataset.n_rows - column.n_missing
    if n_present == 0:
        raise DataError(
            f"Every value of the target {column.name!r} is missing.",
            hint="Choose another target, or a file in which it is filled in.",
        )
    if column.n_distinct == 1:
        value = found.values[0].value if found.values else ""
        raise DataError(
            f"The target {column.name!r} has one class only: every value is {value!r}.",
            hint="Choose another target, or add rows with other values.",
        )
    if n_present < MIN_ROWS:
        raise DataError(
            f"{n_present} rows have a value of {column.name!r}; at least {MIN_ROWS} are needed.",
            hint="Add rows, or choose another target.",
        )


def _guess_type(column: Column, kind: Kind, found: "ColumnProfile") -> tuple[TaskType, str]:
    count = column.n_distinct
    if kind is Kind.DATETIME:
        raise DataError(
            f"The target {column.name!r} holds dates, which cannot be predicted.",
            hint="Choose another target, or a column with the number of days.",
        )
    if count == 2:
        values = " and ".join(repr(v) for v in sort_labels(item.value for item in found.values))
        return TaskType.BINARY, f"two values, {values}"
    if kind is not Kind.NUMERIC:
        return TaskType.MULTICLASS, f"{count} different values that are not numbers on a scale"
    is_whole = bool(found.values) and all(
        "." not in v.value and "e" not in v.value for v in found.values
    )
    if is_whole and count <= MAX_INTEGER_CLASSES:
        return (
            TaskType.MULTICLASS,
            f"{count} different whole numbers, at most {MAX_INTEGER_CLASSES}",
        )
    return TaskType.REGRESSION, f"numbers with {count:,} different values"


def _build_regression(column: Column, setup: Setup, reason: str) -> Task:
    is_number = column.kind in (Kind.NUMERIC, Kind.BOOLEAN) or column.reason.startswith(
        "two values only"
    )
    if not is_number and setup.kinds.get(column.name) is not Kind.NUMERIC:
        raise SpecError(
            f"The target {column.name!r} is no number ({column.reason}), so it cannot be a "
            "regression target.",
            hint="Choose multiclass, or another target.",
        )
    _refuse_outcomes(column, setup, "a regression target")
    return Task(
        target=column.name,
        type=TaskType.REGRESSION,
        metric=setup.metric or DEFAULT_METRIC[TaskType.REGRESSION],
        reason=reason,
    )


def _refuse_outcomes(column: Column, setup: Setup, what: str) -> None:
    for label, value in (("positive", setup.positive), ("beneficial", setup.beneficial)):
        if value is not None:
            raise SpecError(
                f"{label} value {value!r} was given, but {column.name!r} is {what}.",
                hint="Leave it out, or choose a binary task.",
            )


def _build_classification(
    column: Column, found: "ColumnProfile", setup: Setup, task_type: TaskType, reason: str
) -> Task:
    count = column.n_distinct
    if count > MAX_CLASSES or len(found.values) < count:
        raise DataError(
            f"The target {column.name!r} has {count:,} different values; at most {MAX_CLASSES} "
            "classes can be told apart.",
            hint="Choose regression if they are numbers, or another target.",
        )
    if task_type is TaskType.BINARY and count != 2:
        raise SpecError(
            f"The target {column.name!r} has {count} different values; a binary task needs two.",
            hint="Choose multiclass.",
        )
    classes = sort_labels(item.value for item in found.values)
    metric = setup.metric or DEFAULT_METRIC[task_type]
    if task_type is TaskType.MULTICLASS:
        _refuse_outcomes(column, setup, f"a target with {count} classes, none of them positive")
        return Task(
            target=column.name, type=task_type, metric=metric, classes=classes, reason=reason
        )
    counts = {item.value: item.count for item in found.values}
    rarer = min(reversed(classes), key=lambda label: counts[label])
    if counts[rarer] < MIN_CLASS_ROWS:
        rows = "row" if counts[rarer] == 1 else "rows"
        raise DataError(
            f"The class {rarer!r} of {column.name!r} has {counts[rarer]} {rows}; at least "
            f"{MIN_CLASS_ROWS} are needed, one for each part of the split.",
            hint="Add rows of that class, or choose another target.",
        )
    positive = _match_label(setup.positive, column, classes)
    if positive is None:
        positive = rarer
        reason += f"; {positive!r} is taken as positive because it is the rarer value"
    return Task(
        target=column.name,
        type=task_type,
        metric=metric,
        classes=classes,
        positive=positive,
        beneficial=_match_label(setup.beneficial, column, classes),
        reason=reason,
    )


def _match_label(named: str | None, column: Column, classes: tuple[str, ...]) -> str | None:
    """The class a person means; ``True`` and ``False`` name 1 and 0 of a boolean column."""
    if named is None:
        return None
    wanted = named.strip()
    if column.kind is Kind.BOOLEAN:
        wanted = {"true": "1", "false": "0"}.get(wanted.lower(), wanted)
    if wanted not in classes:
        wanted = next((label for label in classes if is_same_number(label, wanted)), wanted)
    if wanted not in classes:
        raise SpecError(
            f"{named!r} is not a value of {column.name!r}.",
            hint=f"Choose one of {_list(classes)}.",
        )
    return wanted


def _list(names: tuple[str, ...]) -> str:
    shown = ", ".join(map(repr, names[:10]))
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"
