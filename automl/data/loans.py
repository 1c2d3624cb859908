"""Loan applications made by a documented rule, so that the truth behind an audit is known."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

BASE_RATE = 0.55
REGIONS = ("North", "South", "East", "West")
PURPOSES = ("car", "home", "education", "business", "other")


def build_loans(
    n_rows: int = 5_000, *, disparity: float = 0.20, noise: float = 0.35, seed: int = 0
) -> "pd.DataFrame":
    """Applications of two groups with equal merit and unequal approvals.

    Every person has a merit in [0, 1], made of income, debt, employment and payment history plus ``noise``
    (the part of its deviation that no column shows), as a rank within the own group: both groups have the
    same distribution. Of ``group`` A the best 55 % are approved, of B the best (55 % − ``disparity``). So the
    difference of approval rates, A minus B, is ``disparity`` up to rounding, and all of it is
    treatment, none of it merit. ``disparity`` in [−0.4, 0.5]; the same seed gives the same rows.
    """
    import pandas as pd

    if not -0.4 <= disparity <= 0.5:
        raise ValueError(f"disparity must lie in [-0.4, 0.5], got {disparity}")
    generator = np.random.default_rng(seed)
    group = np.where(generator.random(n_rows) < 0.6, "A", "B")
    sex = np.where(generator.random(n_rows) < 0.5, "female", "male")
    age = np.clip(generator.normal(41, 12, n_rows), 18, 80).round().astype(int)
    skill = generator.normal(0, 1, n_rows)
    income = np.exp(10.3 + 0.35 * skill + 0.2 * generator.normal(0, 1, n_rows)).round(-2)
    employed = np.clip(age - 20 - generator.gamma(2, 4, n_rows), 0, None).round(1)
    late = generator.poisson(np.exp(0.1 - 0.6 * skill))
    amount = (generator.gamma(3, 5_000, n_rows) + 1_000).round(-2)
    debt_ratio = np.clip(generator.beta(2, 4, n_rows) + 0.05 * late, 0, 1).round(3)

    shown = (
        0.9 * np.log(income / 30_000)
        - 0.35 * late
        + 0.02 * employed
        - 1.6 * debt_ratio
        - 0.25 * np.log(amount / 15_000)
    )
    merit = shown + noise * shown.std() * generator.normal(0, 1, n_rows)
    approved = np.zeros(n_rows, dtype=bool)
    for name, rate in (("A", BASE_RATE), ("B", BASE_RATE - disparity)):
        members = np.flatnonzero(group == name)
        best = members[np.argsort(-merit[members], kind="stable")]
        approved[best[: round(rate * len(members))]] = True
    frame = pd.DataFrame(
        {
            "age": age,
            "sex": sex,
            "group": group,
            "region": generator.choice(REGIONS, n_rows),
            "income": income.astype(int),
            "years_employed": employed,
            "late_payments": late,
            "debt_ratio": debt_ratio,
            "loan_amount": amount.astype(int),
            "purpose": generator.choice(PURPOSES, n_rows, p=(0.3, 0.25, 0.15, 0.2, 0.1)),
            "approved": np.where(approved, "yes", "no"),
        }
    )
    # some people do not state how long they have been employed
    frame.loc[generator.random(n_rows) < 0.03, "years_employed"] = np.nan
    return frame
