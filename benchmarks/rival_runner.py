"""One rival on one table, run by an interpreter of its own; it imports nothing of Fairloom and exchanges files only.

``PYTHON rival_runner.py --list`` prints the tools that this interpreter has. ``PYTHON rival_runner.py FOLDER --tool NAME``
reads ``train.csv``, ``test.csv`` (whose target it drops) and ``task.json`` (``type``, ``target``, ``metric``, ``budget_seconds``,
``seed``) and writes ``predictions.csv`` (a column per class, or ``prediction``) and ``record.json`` (seconds, version).
``benchmarks.rivals`` calls it.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

MISSING = "missing"
SLACK = 0.9  # of the budget is for trials; the last training comes after them


class Table:
    """Train and test rows: numbers as numbers, all else as text; the target as text of classes or as a number."""

    def __init__(self, folder: Path) -> None:
        self.task = json.loads((folder / "task.json").read_text())
        self.is_regression = self.task["type"] == "regression"
        self.budget, self.seed = float(self.task["budget_seconds"]), int(self.task["seed"])
        target = self.task["target"]
        kind = {} if self.is_regression else {target: str}
        frames = [pd.read_csv(folder / f"{name}.csv", dtype=kind) for name in ("train", "test")]
        both = pd.concat([frame.drop(columns=target) for frame in frames], ignore_index=True)
        for name in both.select_dtypes(exclude="number"):
            both[name] = both[name].astype("string").fillna(MISSING).astype(object)
        n_train = len(frames[0])
        self.train, self.test = both.iloc[:n_train], both.iloc[n_train:]
        self.y = frames[0][target]
        self.words = list(both.select_dtypes(exclude="number"))

    def as_categories(self, *, fill: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Text as categories known from the training rows; ``fill``: missing numbers are the median."""
        train, test = self.train.copy(), self.test.copy()
        for name in train:
            if name in self.words:
                levels = pd.CategoricalDtype(sorted({*train[name], MISSING}))
                known = set(levels.categories)
                train[name] = train[name].astype(levels)
                test[name] = test[name].where(test[name].isin(known), MISSING).astype(levels)
            elif fill:
                middle = train[name].median()
                train[name] = train[name].fillna(0.0 if np.isnan(middle) else middle)
                test[name] = test[name].fillna(0.0 if np.isnan(middle) else middle)
        return train, test


def run_lightgbm_default(table: Table) -> pd.DataFrame:
    """LightGBM as it comes."""
    import lightgbm

    kind = lightgbm.LGBMRegressor if table.is_regression else lightgbm.LGBMClassifier
    train, test = name_plainly(*table.as_categories(fill=False))
    model = kind(verbose=-1, random_state=table.seed).fit(train, table.y)
    return predict(model, test, is_regression=table.is_regression)


def name_plainly(*frames: pd.DataFrame) -> list[pd.DataFrame]:
    """The same with columns x0, x1, …: LightGBM refuses some characters."""
    return [frame.set_axis([f"x{i}" for i in range(frame.shape[1])], axis=1) for frame in frames]


def run_lightgbm_tuned(table: Table) -> pd.DataFrame:
    """LightGBM tuned by Optuna's TPE for the budget: early stopping on a fifth, then all rows with the best rounds."""
    import lightgbm
    import optuna
    from sklearn.model_selection import train_test_split

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    started = time.perf_counter()
    kind = lightgbm.LGBMRegressor if table.is_regression else lightgbm.LGBMClassifier
    train, test = name_plainly(*table.as_categories(fill=False))
    strata = None if table.is_regression or table.y.value_counts().min() < 5 else table.y
    parts = train_test_split(
        train, table.y, test_size=0.2, random_state=table.seed, stratify=strata
    )
    fixed = {"verbose": -1, "random_state": table.seed, "subsample_freq": 1}

    def objective(trial: Any) -> float:
        settings = {
            "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
            "num_leaves": trial.suggest_int("num_leaves", 8, 256, log=True),
            "min_child_samples": trial.suggest_int("min_child_samples", 5, 200, log=True),
            "subsample": trial.suggest_float("subsample", 0.5, 1.0),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.5, 1.0),
            "reg_lambda": trial.suggest_float("reg_lambda", 1e-3, 10.0, log=True),
        }
        model = kind(**fixed, **settings, n_estimators=2_000).fit(
            parts[0], parts[2], eval_set=[(parts[1], parts[3])],
            callbacks=[lightgbm.early_stopping(50, verbose=False)],
        )  # fmt: skip
        trial.set_user_attr("rounds", int(model.best_iteration_ or 2_000))
        (scores,) = model.best_score_.values()
        return float(next(iter(scores.values())))

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=table.seed))
    left = SLACK * table.budget - (time.perf_counter() - started)
    study.optimize(objective, timeout=max(left, 0.1))  # one trial is always made
    rounds = study.best_trial.user_attrs["rounds"]
    model = kind(**fixed, **study.best_params, n_estimators=rounds).fit(train, table.y)
    return predict(model, test, is_regression=table.is_regression)


def run_tabm(table: Table) -> pd.DataFrame:
    """TabM with pytabkit's defaults; it is told the budget."""
    from pytabkit import TabM_D_Classifier, TabM_D_Regressor

    return _run_pytabkit(table, TabM_D_Regressor if table.is_regression else TabM_D_Classifier)


def run_realmlp(table: Table) -> pd.DataFrame:
    """RealMLP with pytabkit's tuned defaults; it is told the budget."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    kind = RealMLP_TD_Regressor if table.is_regression else RealMLP_TD_Classifier
    return _run_pytabkit(table, kind)


def _run_pytabkit(table: Table, kind: Callable[..., Any]) -> pd.DataFrame:
    train, test = table.as_categories(fill=True)
    model = kind(device="cpu", random_state=table.seed)
    model.fit(train, table.y, time_to_fit_in_seconds=int(table.budget))
    return predict(model, test, is_regression=table.is_regression)


def run_autogluon(table: Table) -> pd.DataFrame:
    """AutoGluon, medium quality, within the budget."""
    import tempfile

    from autogluon.tabular import TabularPredictor

    target = table.task["target"]
    rows = table.train.assign(**{target: table.y.to_numpy()})
    metrics = {"rmse": "root_mean_squared_error"}
    with tempfile.TemporaryDirectory() as folder:
        model = TabularPredictor(
            label=target, problem_type=table.task["type"], path=folder, verbosity=0,
            eval_metric=metrics.get(table.task["metric"], table.task["metric"]),
        )  # fmt: skip
        model.fit(rows, time_limit=table.budget, presets="medium_quality")
        if table.is_regression:
            return pd.DataFrame({"prediction": model.predict(table.test).to_numpy()})
        return model.predict_proba(table.test).reset_index(drop=True)


def predict(model: Any, rows: pd.DataFrame, *, is_regression: bool) -> pd.DataFrame:
    """``prediction``, or a column per class."""
    if is_regression:
        return pd.DataFrame({"prediction": np.ravel(model.predict(rows))})
    return pd.DataFrame(model.predict_proba(rows), columns=list(model.classes_))


TOOLS: dict[str, tuple[str, Callable[[Table], pd.DataFrame]]] = {
    "lightgbm_default": ("lightgbm", run_lightgbm_default),
    "lightgbm_tuned": ("lightgbm", run_lightgbm_tuned),
    "tabm": ("pytabkit", run_tabm),
    "realmlp": ("pytabkit", run_realmlp),
    "autogluon": ("autogluon.tabular", run_autogluon),
}


def list_tools() -> list[str]:
    """The tools whose package this interpreter has."""
    found = []
    for name, (package, _) in TOOLS.items():
        try:
            is_there = importlib.util.find_spec(package) is not None
        except ModuleNotFoundError:  # of autogluon.tabular the outer one
            is_there = False
        found += [name] if is_there else []
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--tool", choices=TOOLS)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        print(json.dumps(list_tools()))
        return
    if options.folder is None or options.tool is None:
        sys.exit("A folder and --tool are needed.")
    warnings.simplefilter("ignore")
    package, run = TOOLS[options.tool]
    table = Table(options.folder)
    started = time.perf_counter()
    predictions = run(table)
    record = {
        "seconds": time.perf_counter() - started,
        "version": importlib.metadata.version(package),
        "python": sys.version.split()[0],
    }
    predictions.to_csv(options.folder / "predictions.csv", index=False)
    (options.folder / "record.json").write_text(json.dumps(record))


if __name__ == "__main__":
    main()
