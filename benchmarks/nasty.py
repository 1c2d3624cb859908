"""A real short search over each nasty table, beside LightGBM with its defaults on the same rows.

``python -m benchmarks.nasty [--tables a,b] [--trials 8 | --seconds 60] [--rows 2000] [--out FILE]`` prints one line per
table and then one JSON object. Goals: no failed search, no NaN, tables that must be refused are; where the test part
has at least 500 rows, an error of at most 1.15 times LightGBM's. The error is 1 − AUC, the log loss or the RMSE on the
test part of our search; LightGBM learns on all other rows of the same file, read by pandas, text as categories. A
smaller test part says little, so its ratio is printed and not judged. Nothing here is a test.
"""

import argparse
import json
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from sklearn.metrics import log_loss, root_mean_squared_error

from automl.api import SearchCall, run_search
from automl.errors import AutoMLError
from automl.settings import Settings
from benchmarks.machine import describe_machine, write_record
from fairness.definitions import Outcomes, compute_score
from tests.nasty_tables import TABLES, NastyTable

MANY_ROWS = 500
WORST_RATIO = 1.15
LEAST_ERROR = 1e-6  # below it both are right, and a ratio says nothing


def run_table(table: NastyTable, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Search over one table and compare; ``outcome`` is ok, refused, failed, nan or worse."""
    path, out = folder / f"{table.name}.csv", folder / table.name
    table.build(options.rows).to_csv(path, index=False)
    call = SearchCall(
        file=str(path),
        out=out,
        target="y",
        task=table.task,
        budget_seconds=options.seconds,
        trials=options.trials,
        seed=0,
    )
    started = time.perf_counter()
    try:
        result = run_search(call, Settings(home=folder / "home", min_free_bytes=0))
    except AutoMLError as error:
        is_expected = bool(table.refused) and table.refused in str(error)
        return {"outcome": "refused" if is_expected else "failed", "said": str(error)}
    seconds = time.perf_counter() - started
    predictions = pd.read_parquet(out / "predictions.parquet")
    return {"seconds": round(seconds, 1), "winner": result["winner"]["name"]} | compare(
        pd.read_csv(path), predictions, result
    )


def compare(
    frame: pd.DataFrame, predictions: pd.DataFrame, result: dict[str, Any]
) -> dict[str, Any]:
    """Errors of the delivered model and of LightGBM on the test rows."""
    rows = predictions["row_id"].to_numpy()
    classes = tuple(str(label) for label in result["task"].get("classes") or ())
    ours = read_output(predictions, classes)
    if not np.isfinite(ours).all():
        return {"outcome": "nan"}
    truth = predictions["truth"].to_numpy()
    theirs = fit_lightgbm(frame, rows, classes)
    first, second = (compute_error(truth, output, classes) for output in (ours, theirs))
    ratio = (first + LEAST_ERROR) / (second + LEAST_ERROR)
    is_judged = len(rows) >= MANY_ROWS
    return {
        "outcome": "worse" if is_judged and ratio > WORST_RATIO else "ok",
        "n_test": len(rows),
        "ours": first,
        "lightgbm": second,
        "ratio": round(ratio, 3),
    }


def read_output(predictions: pd.DataFrame, classes: tuple[str, ...]) -> np.ndarray:
    if not classes:
        return predictions["prediction"].to_numpy(dtype=float)
    return predictions[[f"probability_{label}" for label in classes]].to_numpy(dtype=float)


def fit_lightgbm(frame: pd.DataFrame, test: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
    """Default LightGBM's values or probabilities, a class it never saw having none."""
    inputs = frame.drop(columns="y").replace([np.inf, -np.inf], np.nan)
    inputs.columns = [f"x{index}" for index in range(inputs.shape[1])]
    for name in inputs.select_dtypes(exclude="number"):
        inputs[name] = inputs[name].astype("category")
    learn = np.setdiff1d(np.flatnonzero(frame["y"].notna()), test)
    kind = lightgbm.LGBMClassifier if classes else lightgbm.LGBMRegressor
    target = frame["y"].map(format_label) if classes else frame["y"].astype(float)
    model = kind(verbose=-1, random_state=0, n_jobs=2).fit(inputs.iloc[learn], target.iloc[learn])
    if not classes:
        return np.asarray(model.predict(inputs.iloc[test]))
    output = np.zeros((len(test), len(classes)))
    known = [classes.index(label) for label in model.classes_]
    output[:, known] = model.predict_proba(inputs.iloc[test])
    return output


def format_label(value: Any) -> Any:
    """A class as our files write it."""
    is_whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if is_whole else value if value is None else str(value)


def compute_error(truth: np.ndarray, output: np.ndarray, classes: tuple[str, ...]) -> float:
    if not classes:
        return float(root_mean_squared_error(truth.astype(float), output))
    codes = np.array([classes.index(str(label)) for label in truth])
    if len(classes) > 2:
        clipped = np.clip(output, 1e-15, None)
        share = clipped / clipped.sum(axis=1, keepdims=True)
        return float(log_loss(codes, share, labels=list(range(len(classes)))))
    return 1 - float(compute_score("roc_auc", Outcomes("binary", codes, probability=output[:, 1])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--tables", default="", help="names, divided by commas; all of them without"
    )
    parser.add_argument("--trials", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--rows", type=int, help="at most so many rows per table")
    parser.add_argument("--out", type=Path, help="a JSON file for the results as well")
    options = parser.parse_args()
    if options.trials is None and options.seconds is None:
        options.trials = 8
    warnings.simplefilter("ignore")
    machine, results = describe_machine(), dict[str, Any]()
    for name in options.tables.split(",") if options.tables else TABLES:
        with tempfile.TemporaryDirectory() as folder:
            results[name] = run_table(TABLES[name], options, Path(folder))
        print(f"{name:22}", json.dumps(results[name]), flush=True)
    report = summarise(results) | {
        "trials": options.trials,
        "seconds": options.seconds,
        "machine": machine,
    }
    print(json.dumps(report, indent=1))
    write_record(report | {"tables": results}, options.out)


def summarise(results: dict[str, Any]) -> dict[str, Any]:
    """How many ended how, and the ratios that are judged."""
    outcomes = [result["outcome"] for result in results.values()]
    judged = {n: r["ratio"] for n, r in results.items() if r.get("n_test", 0) >= MANY_ROWS}
    worst = max(judged, key=lambda name: judged[name], default="")
    return {
        "outcomes": {name: outcomes.count(name) for name in dict.fromkeys(outcomes)},
        "judged": len(judged),
        "within_goal": sum(ratio <= WORST_RATIO for ratio in judged.values()),
        "worst": {"table": worst, "ratio": judged.get(worst)},
    }


if __name__ == "__main__":
    main()
