"""What a report says around the numbers; everything nobody stated prints "not stated"."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fairness.estimates import Estimate
from fairness.records import CrossCheck

NOT_STATED = "not stated"


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelRow:
    """One line of the overall results: a model, whether it is a baseline, its metrics on the test part."""

    name: str
    metrics: Mapping[str, Estimate]
    is_baseline: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportContext:
    """Names, provenance, protocol and the user's own words.

    ``created_at`` is ISO 8601 in UTC. ``protocol`` holds facts in reading order ("Split" → "60/15/10/15 …").
    ``looks``: how often the test part was used, None when unknown. ``provenance`` is carried into the JSON
    as it is (paths and hashes of predictions, of the model …). ``cross_check``: the numbers computed again.
    """

    title: str = "Fairness audit"
    model_name: str = NOT_STATED
    data_name: str = NOT_STATED
    n_rows: int | None = None
    rows_from: str = "test part"  # what the audited rows are: a part of the data, or a file
    created_at: str = NOT_STATED
    operator: str = NOT_STATED
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)
    task: Mapping[str, object] = field(default_factory=dict)
    protocol: Mapping[str, str] = field(default_factory=dict)
    models: tuple[ModelRow, ...] = ()
    looks: int | None = None
    warnings: tuple[str, ...] = ()
    cross_check: CrossCheck | None = None
    intended_use: str = NOT_STATED
    affected: str = NOT_STATED
    flag_effect: str = NOT_STATED  # whether a flag helps or burdens the person
    origin: str = NOT_STATED
    labelling: str = NOT_STATED
    sampling: str = NOT_STATED
    harms: str = NOT_STATED
    oversight: str = NOT_STATED
    appeal: str = NOT_STATED
    review_date: str = NOT_STATED

    def describe_provenance(self, seed: int) -> dict[str, object]:
        """The part ``provenance`` of the audit schema; ``seed`` counts where the context names none."""
        return {
            "created_at": self.created_at,
            "model": self.model_name,
            "data": self.data_name,
            "seed": seed if self.seed is None else self.seed,
            "versions": dict(self.versions),
            "hashes": dict(self.hashes),
            **self.provenance,
        }
