"""The named fairness metrics over groups: formula, neutral value, source; the report prints them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Definition:
    """A named fairness metric over groups, with our formula and where the name comes from."""

    title: str
    formula: str
    neutral: float
    reference: str


GAP_DEFINITIONS: Mapping[str, Definition] = MappingProxyType(
    {
        "demographic_parity_difference": Definition("Demographic parity difference", "max − min of the selection rate", 0, "arXiv:1104.3913"),
        "demographic_parity_ratio": Definition("Demographic parity ratio", "min / max of the selection rate", 1, "arXiv:1104.3913"),
        "impact_ratio": Definition("Impact ratio", "lowest / highest rate of the beneficial decision", 1, "29 CFR 1607.4"),
        "equal_opportunity_difference": Definition("Equal opportunity difference", "max − min of the true positive rate", 0, "arXiv:1610.02413"),
        "equal_opportunity_ratio": Definition("Equal opportunity ratio", "min / max of the true positive rate", 1, "arXiv:1610.02413"),
        "predictive_equality_difference": Definition("Predictive equality difference", "max − min of the false positive rate", 0, "arXiv:1703.00056"),
        "predictive_equality_ratio": Definition("Predictive equality ratio", "min / max of the false positive rate", 1, "arXiv:1703.00056"),
        "predictive_parity_difference": Definition("Predictive parity difference", "max − min of precision", 0, "arXiv:1703.00056"),
        "equalized_odds_difference": Definition("Equalized odds difference, worst", "larger of the gaps of true and false positive rate", 0, "arXiv:1610.02413"),
        "equalized_odds_difference_mean": Definition("Equalized odds difference, mean", "mean of the gaps of true and false positive rate", 0, "arXiv:1610.02413"),
        "equalized_odds_ratio": Definition("Equalized odds ratio, worst", "smaller of the ratios of true and false positive rate", 1, "arXiv:1610.02413"),
        "equalized_odds_ratio_mean": Definition("Equalized odds ratio, mean", "mean of the ratios of true and false positive rate", 1, "arXiv:1610.02413"),
        "average_odds_difference": Definition("Average odds difference", "½ (Δ false positive rate + Δ true positive rate), signed; the two terms can cancel", 0, "AIF360"),
        "average_absolute_odds_difference": Definition("Average absolute odds difference", "½ (|Δ false positive rate| + |Δ true positive rate|)", 0, "AIF360"),
    }
)  # fmt: skip
