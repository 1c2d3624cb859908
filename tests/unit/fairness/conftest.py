"""Rows that several audit tests share."""

import numpy as np
import pandas as pd
import pytest

from fairness.audit import Audit, AuditInput, AuditOptions, compute_audit


@pytest.fixture(scope="session")
def compas_frame(data_folder) -> pd.DataFrame:
    columns = ["race", "sex", "age_cat", "two_year_recid", "score_text", "decile_score"]
    return pd.read_csv(data_folder / "compas_two_years.csv", usecols=columns)


@pytest.fixture(scope="session")
def compas(compas_frame) -> Audit:
    """All 7,214 rows, flagged iff Medium or High, score decile / 10."""
    return compute_audit(
        AuditInput(
            truth=compas_frame["two_year_recid"].to_numpy(),
            prediction=compas_frame["score_text"].isin(["Medium", "High"]).to_numpy(),
            score=compas_frame["decile_score"].to_numpy() / 10,
            attributes=compas_frame[["race", "sex", "age_cat"]],
        ),
        AuditOptions(positive="1", beneficial="0", references={"race": "Caucasian"}),
    )


def build_audit(truth, prediction, groups, score=None, **options) -> Audit:
    """An audit of one attribute ``g`` given as strings of characters or lists."""
    return compute_audit(
        AuditInput(
            truth=np.array([int(v) for v in truth]),
            prediction=np.array([int(v) for v in prediction]),
            score=None if score is None else np.asarray(score, dtype=float),
            attributes=pd.DataFrame({"g": list(groups)}),
        ),
        AuditOptions(positive="1", **options),
    )


@pytest.fixture
def audit_rows():
    """The builder, as a fixture: test folders are no packages."""
    return build_audit


@pytest.fixture
def inline(audit_rows) -> Audit:
    """I1: the 18 rows of Fairlearn's documentation."""
    return audit_rows("011110101000111111", "001011100111100110", "bbabbcccaacabccbcc")


@pytest.fixture
def inline_empty(audit_rows) -> Audit:
    """I17: group a has no positive labels."""
    return audit_rows("000110", "010100", "aaabbb")
