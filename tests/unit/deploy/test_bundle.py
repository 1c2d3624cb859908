"""A bundle reproduces its predictions anywhere, and refuses what it is not."""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.data.dataset import ColumnUse, Kind, Role
from automl.data.encoding import fit_encoder
from automl.data.preparing import PrepareRequest, prepare
from automl.data.split_plan import SplitPlan
from automl.data.task import Task, TaskType
from automl.data.views import Part
from automl.deploy.bundle import BundleParts, load_bundle, pack_bundle, save_bundle
from automl.deploy.manifest import parse_manifest, render_manifest
from automl.errors import BundleError, DataError
from automl.evaluation.calibration import apply_temperature
from automl.training.request import TrainRequest
from automl.training.run import train

ROOT = Path(__file__).resolve().parents[3]
COLUMNS = (
    ColumnUse(name="age", kind=Kind.NUMERIC, role=Role.FEATURE),
    ColumnUse(name="job", kind=Kind.CATEGORICAL, role=Role.FEATURE),
    ColumnUse(name="member", kind=Kind.BOOLEAN, role=Role.FEATURE),
    ColumnUse(name="since", kind=Kind.DATETIME, role=Role.FEATURE),
    ColumnUse(name="y", kind=Kind.CATEGORICAL, role=Role.TARGET),
)
TASK = Task(
    target="y", type=TaskType.BINARY, metric="roc_auc", classes=("no", "yes"), positive="yes"
)


def build_frame(n=240, seed=0):
    rng = np.random.default_rng(seed)
    age = rng.normal(40, 10, n).round(1)
    job = rng.choice(["clerk", "nurse", "=cmd", "smith"], n)
    truth = age + 10 * (job == "nurse") + rng.normal(0, 5, n) > 43
    frame = pd.DataFrame(
        {
            "age": np.where(rng.random(n) < 0.1, np.nan, age),
            "job": job,
            "member": rng.random(n) < 0.5,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(900, size=n), "D"),
            "y": np.where(truth, "yes", "no"),
        }
    )
    return frame.astype({"job": "str", "y": "str", "since": "datetime64[us]"})


def run_training(prepared, task, family, config, seed=0):
    from automl.models.catalog import get_family

    steps = train(
        prepared,
        task,
        TrainRequest(
            family=family,
            config={**get_family(family).default, **config},
            seed=seed,
            batch_size=64,
            max_epochs=2,
        ),
    )
    try:
        while True:
            next(steps)
    except StopIteration as stop:
        return stop.value


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A bundle of a tree ensemble and a linear model, its frame and what it must predict."""
    folder = tmp_path_factory.mktemp("bundle")
    frame = build_frame()
    ready = prepare(PrepareRequest(frame=frame, columns=COLUMNS, task=TASK, split_plan=SplitPlan()))
    trained = [run_training(ready.prepared, TASK, name, {}) for name in ("boosting", "linear")]
    members = tuple(folder / f"trial-{number}" for number in range(2))
    for each, member in zip(trained, members, strict=True):
        each.save(member)
        (member / "predictions.npy").write_bytes(b"private")
    save_bundle(
        folder / "bundle",
        BundleParts(
            name="boosting + linear",
            created_at="2026-01-02T03:04:05Z",
            task=TASK,
            columns=COLUMNS[:-1],
            encoder=ready.encoder,
            members=members,
            temperature=1.7,
            training={"data": "ab" * 32, "data_name": "people.csv", "n_rows": {"train": 144}},
            metrics={"roc_auc": {"value": 0.9, "low": 0.85, "high": 0.94, "n": 36}},
            versions={"fairloom": "0.1.0"},
            warnings=("A <leak> | was noted.",),
        ),
    )
    views = ready.prepared.views
    mean = np.mean([each.predictor.predict(views) for each in trained], axis=0)
    return folder / "bundle", frame, apply_temperature(mean, 1.7), ready.prepared.parts[Part.TEST]


def test_predicts_the_calibrated_mean_of_its_members(made):
    folder, frame, expected, _ = made
    got = load_bundle(folder).predict(frame)
    assert list(got.columns) == ["row_id", "prediction", "probability_no", "probability_yes"]
    np.testing.assert_allclose(got[["probability_no", "probability_yes"]], expected, atol=1e-9)
    assert got["prediction"].tolist() == np.where(expected[:, 1] >= 0.5, "yes", "no").tolist()
    assert got["row_id"].tolist() == list(range(len(frame)))


def test_a_fresh_process_reproduces_the_predictions(made, tmp_path):
    folder, frame, expected, _ = made
    archive = pack_bundle(folder, tmp_path / "model.zip")
    frame.to_csv(tmp_path / "rows.csv", index=False)
    code = (
        "import sys; from pathlib import Path; import pandas as pd\n"
        "from automl.deploy.bundle import load_bundle\n"
        "with load_bundle(Path(sys.argv[1])) as bundle:\n"
        "    bundle.predict(pd.read_csv(sys.argv[2])).to_parquet(sys.argv[3])\n"
    )
    out = tmp_path / "out.parquet"
    subprocess.run(
        [sys.executable, "-c", code, str(archive), str(tmp_path / "rows.csv"), str(out)],
        check=True,
        cwd=ROOT,
    )
    got = pd.read_parquet(out)[["probability_no", "probability_yes"]]
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_the_recipe_of_the_card_works_in_a_fresh_process_elsewhere(made, tmp_path):
    folder, frame, expected, _ = made
    shutil.copytree(folder, tmp_path / "bundle")
    frame.to_csv(tmp_path / "new_rows.csv", index=False)
    card = (tmp_path / "bundle" / "README.md").read_text(encoding="utf-8")
    recipe = card.split("```python\n")[1].split("```")[0]
    shell = shlex.split(card.split("`python ")[1].split("`")[0])
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for command in (
        ["-c", f"{recipe}\npredictions.to_csv('recipe.csv', index=False)"],
        shell,
    ):
        subprocess.run([sys.executable, *command], check=True, cwd=tmp_path, env=environment)
    names = ["probability_no", "probability_yes"]
    for name in ("recipe.csv", "predictions.csv"):
        np.testing.assert_allclose(pd.read_csv(tmp_path / name)[names], expected, atol=1e-6)


def test_order_and_further_columns_do_not_matter(made):
    folder, frame, expected, _ = made
    bundle = load_bundle(folder)
    shuffled = frame[["since", "y", "job", "member", "age"]].assign(extra=1)
    np.testing.assert_allclose(bundle.predict_array(shuffled), expected, atol=1e-9)
    text = pd.DataFrame(
        {name: frame[name].astype(str) for name in ("age", "job", "member", "since")}
    )
    np.testing.assert_allclose(bundle.predict_array(text), expected, atol=1e-6)


def test_unseen_and_missing_values_are_counted_not_refused(made):
    folder, frame, _, _ = made
    rows = frame.head(4).copy()
    rows["job"] = ["astronaut", "astronaut", None, "clerk"]
    rows["age"] = [np.nan, np.inf, 30, 40]
    got, notes = load_bundle(folder).predict_with_notes(rows)
    assert got["probability_yes"].between(0, 1).all()
    said = {(note.code, note.column): note.text for note in notes}
    assert "'astronaut'" in said["unseen_level", "job"]
    assert "2 rows" in said["unseen_level", "job"]
    assert ("newly_missing", "job") in said
    assert ("infinite", "age") in said


def test_a_missing_column_is_named(made):
    folder, frame, _, _ = made
    with pytest.raises(DataError, match="'job'"):
        load_bundle(folder).predict(frame.drop(columns="job"))
    with pytest.raises(BundleError, match="no rows"):
        load_bundle(folder).predict(frame.head(0))
    twice = pd.concat([frame, frame[["age"]]], axis=1)
    with pytest.raises(BundleError, match="'age' is there twice"):
        load_bundle(folder).predict(twice)


def test_own_row_ids_are_kept(made):
    folder, frame, _, _ = made
    got = load_bundle(folder).predict(frame.head(3).assign(row_id=["a", "b", "c"]))
    assert got["row_id"].tolist() == ["a", "b", "c"]


def test_holds_no_pickle_and_nothing_private(made):
    folder, _, _, _ = made
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {
        "bundle.json", "README.md", "encoder/encoder.json", "encoder/encoder.safetensors",
        "members/0/model.json", "members/0/model.safetensors",
        "members/1/model.json", "members/1/model.safetensors",
    }  # fmt: skip
    for path in folder.rglob("*"):
        assert not (path.is_file() and path.read_bytes().startswith(b"\x80"))


def test_the_card_states_what_is_known_and_says_what_is_not(made):
    card = (made[0] / "README.md").read_text()
    assert "| ROC AUC | 0.9 | 0.85 to 0.94 | 36 |" in card
    assert "Intended use: not stated" in card
    assert "Beneficial outcome: not stated" in card
    assert "&lt;leak&gt; \\|" in card


def spoil_weights(folder):
    path = folder / "members/0/model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"!")


def spoil_manifest(folder):
    path = folder / "bundle.json"
    path.write_text(path.read_text().replace('"temperature": 1.7', '"temperature": 2.7'))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (spoil_weights, "was changed in 'members/0/model.safetensors'"),
        (spoil_manifest, "was changed after"),
        (lambda folder: (folder / "evil.pkl").write_bytes(b"x"), "not its own: 'evil.pkl'"),
        (lambda folder: (folder / "README.md").unlink(), "lacks 'README.md'"),
        (lambda folder: (folder / "link").symlink_to("README.md"), "link"),
        (lambda folder: (folder / "bundle.json").write_text("{}"), "does not describe"),
        (lambda folder: (folder / "bundle.json").write_text("no"), "not JSON"),
        (lambda folder: (folder / "bundle.json").unlink(), "has no bundle.json"),
    ],
)
def test_changed_and_foreign_bundles_are_refused(made, tmp_path, spoil, words):
    import shutil

    copy = tmp_path / "bundle"
    shutil.copytree(made[0], copy)
    spoil(copy)
    with pytest.raises(BundleError, match=words):
        load_bundle(copy)


def test_members_cannot_point_elsewhere(made, tmp_path):
    import shutil
    from dataclasses import replace

    copy = tmp_path / "bundle"
    shutil.copytree(made[0], copy)
    manifest = parse_manifest((copy / "bundle.json").read_bytes())
    (copy / "bundle.json").write_text(render_manifest(replace(manifest, members=("../../etc",))))
    with pytest.raises(BundleError, match=r"\.\./\.\./etc"):
        load_bundle(copy)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"weights": (0.9, 0.9)}, "weighs its models"),
        ({"weights": (1.5, -0.5)}, "weighs its models"),
        ({"weights": (1.0,)}, "weighs its models"),
        ({"encoders": ("encoder", "../../etc")}, "names the encoders"),
        ({"encoders": ("encoder",)}, "names the encoders"),
    ],
)
def test_hostile_weights_and_encoders_are_refused(made, tmp_path, changes, words):
    copy = tmp_path / "bundle"
    shutil.copytree(made[0], copy)
    manifest = parse_manifest((copy / "bundle.json").read_bytes())
    (copy / "bundle.json").write_text(render_manifest(replace(manifest, **changes)))
    with pytest.raises(BundleError, match=words):
        load_bundle(copy)


def test_a_second_encoder_that_is_named_must_be_there(made, tmp_path):
    copy = tmp_path / "bundle"
    shutil.copytree(made[0], copy)
    manifest = parse_manifest((copy / "bundle.json").read_bytes())
    changed = replace(manifest, encoders=("encoder", "encoder_second"))
    (copy / "bundle.json").write_text(render_manifest(changed))
    with pytest.raises(DataError, match="encoder_second"):
        load_bundle(copy)


def test_a_bundle_of_the_first_version_still_predicts(made, tmp_path):
    """As it was written before there were weights: neither of the new fields, all members alike."""
    copy = tmp_path / "bundle"
    shutil.copytree(made[0], copy)
    value = json.loads((copy / "bundle.json").read_text())
    old = {name: each for name, each in value.items() if name not in ("weights", "encoders", "conformal", "checksum")}  # fmt: skip
    old["version"] = 1
    text = json.dumps(old, sort_keys=True, ensure_ascii=False).encode()
    old["checksum"] = hashlib.sha256(text).hexdigest()
    (copy / "bundle.json").write_text(json.dumps(old))
    _, frame, expected, _ = made
    np.testing.assert_allclose(load_bundle(copy).predict_array(frame), expected, atol=1e-9)


def test_members_count_by_their_weights_and_read_through_their_encoder(made, tmp_path):
    frame = made[1]
    ready = prepare(PrepareRequest(frame=frame, columns=COLUMNS, task=TASK, split_plan=SplitPlan()))
    plan = SplitPlan(seed=1)  # other training rows, so another encoder
    other = prepare(PrepareRequest(frame=frame, columns=COLUMNS, task=TASK, split_plan=plan))
    first = run_training(ready.prepared, TASK, "linear", {})
    second = run_training(other.prepared, TASK, "boosting", {})
    for number, each in enumerate((first, second)):
        each.save(tmp_path / f"model-{number}")
    save_bundle(
        tmp_path / "bundle",
        BundleParts(
            name="mixed", created_at="", task=TASK, columns=COLUMNS[:-1], encoder=other.encoder,
            second_encoder=ready.encoder, through_second=(0,),
            members=(tmp_path / "model-0", tmp_path / "model-1"), weights=(0.25, 0.75),
        ),
    )  # fmt: skip
    got = load_bundle(tmp_path / "bundle").predict_array(frame)
    expected = 0.25 * first.predictor.predict(ready.prepared.views)
    expected = expected + 0.75 * second.predictor.predict(other.prepared.views)
    np.testing.assert_allclose(got, expected, atol=1e-9)


def test_a_newer_version_is_named(made, tmp_path):
    value = json.loads((made[0] / "bundle.json").read_text())
    (tmp_path / "bundle.json").write_text(json.dumps({**value, "version": 4}))
    with pytest.raises(BundleError, match="version 4"):
        load_bundle(tmp_path)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "bundle/../../evil", "a\\b", "c:evil"])
def test_a_zip_cannot_leave_its_folder(tmp_path, name):
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(BundleError, match="no bundle holds"):
        load_bundle(path)


def test_what_is_no_zip_is_no_bundle(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(BundleError, match="is not a bundle"):
        load_bundle(path)


def test_the_same_bundle_packs_to_the_same_bytes(made, tmp_path):
    first, second = (pack_bundle(made[0], tmp_path / name) for name in ("a.zip", "b.zip"))
    assert first.read_bytes() == second.read_bytes()


def test_a_bundle_never_overwrites_another(made, tmp_path):
    encoder = fit_encoder(build_frame(), COLUMNS[:-1])
    parts = BundleParts(
        name="x", created_at="", task=TASK, columns=COLUMNS[:-1], encoder=encoder, members=()
    )
    with pytest.raises(BundleError, match="at least one model"):
        save_bundle(tmp_path / "new", parts)
    assert not (tmp_path / "new").exists()


def test_regression_values_come_back_in_their_unit(tmp_path):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.normal(size=150)})
    frame["price"] = 1_000 + 200 * frame["x"]
    task = Task(target="price", type=TaskType.REGRESSION, metric="rmse")
    columns = (
        ColumnUse(name="x", kind=Kind.NUMERIC, role=Role.FEATURE),
        ColumnUse(name="price", kind=Kind.NUMERIC, role=Role.TARGET),
    )
    ready = prepare(PrepareRequest(frame=frame, columns=columns, task=task, split_plan=SplitPlan()))
    trained = run_training(ready.prepared, task, "linear", {})
    trained.save(tmp_path / "model")
    save_bundle(
        tmp_path / "bundle",
        BundleParts(
            name="ridge", created_at="2026", task=task, columns=columns[:1], encoder=ready.encoder,
            members=(tmp_path / "model",),
        ),
    )  # fmt: skip
    got = load_bundle(tmp_path / "bundle").predict(frame)
    assert list(got.columns) == ["row_id", "prediction"]
    np.testing.assert_allclose(got["prediction"], trained.predictor.predict(ready.prepared.views))
    assert abs(got["prediction"] - frame["price"]).mean() < 50
