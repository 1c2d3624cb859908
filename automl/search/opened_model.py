"""What may look at the test part: saved models and how much each of them says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One saved model: ``folder`` is relative to the job's, ``trial`` the configuration it comes from.

    ``is_refit`` is False where the trial's own model stands in for a refit that could not be made; it then
    reads rows through the encoder of the search.
    """

    trial: int
    folder: str
    weight: float
    is_refit: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedModel:
    """A model that may look at the test part; the predictions of its members are averaged by their weights.

    ``trial`` is None for an ensemble of several trials.
    """

    trial: int | None
    roles: tuple[str, ...]
    members: tuple[Member, ...]
    epochs: int
    fit_seconds: float

    @property
    def folders(self) -> tuple[str, ...]:
        """Where the members lie."""
        return tuple(member.folder for member in self.members)

    @property
    def weights(self) -> tuple[float, ...]:
        """How much each member says; they sum to 1."""
        return tuple(member.weight for member in self.members)

    @property
    def is_refit(self) -> bool:
        """Whether every member was trained again on train + select."""
        return all(member.is_refit for member in self.members)

    @property
    def is_ensemble(self) -> bool:
        """Whether several trials predict together, and not only several seeds of one."""
        return self.trial is None


def parse_opened_model(value: Mapping[str, Any]) -> OpenedModel:
    """Read what ``dataclasses.asdict`` made."""
    members = tuple(Member(**member) for member in value["members"])
    return OpenedModel(**{**value, "roles": tuple(value["roles"]), "members": members})
