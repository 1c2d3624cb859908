"""A small data set in the workspace, imported by the engine's own function."""

from pathlib import Path

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest

from app import services
from automl.data.dataset import Dataset
from automl.data.importing import ImportRequest, import_table

NAME = "people *of* __note__.csv"


def build_people(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    age = rng.integers(18, 80, n)
    return pd.DataFrame(
        {
            "age": age,
            "sex": rng.choice(["Female", "Male"], n),
            "town": rng.choice(["A", "B", "C"], n),
            "height": rng.normal(170, 10, n).round(1),
            "income": np.where(age + rng.normal(0, 15, n) > 50, ">50K", "<=50K"),
        }
    )


def get_query(at: AppTest, name: str) -> str:
    """One value of the address; AppTest gives a list or a text, depending on who set it."""
    value = at.query_params[name]
    return value[0] if isinstance(value, list) else value


def import_people(folder: Path, frame: pd.DataFrame | None = None) -> Dataset:
    """Import a table of people; the workspace is the test's own."""
    services.prepare_workspace()
    path = folder / "people.csv"
    (build_people() if frame is None else frame).to_csv(path, index=False)
    settings = services.get_settings()
    return import_table(ImportRequest(path=str(path), name=NAME), settings.workspace, settings)
