import datetime as dt
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from automl.data import importing
from automl.data.dataset import Dataset, Kind, Unit
from automl.data.importing import ImportRequest, import_table
from automl.data.profile import load_profile
from automl.data.reading import load_typed
from automl.data.setup import Setup
from automl.data.store import (
    delete_dataset,
    find_dataset,
    list_datasets,
    load_dataset,
    load_frame,
    load_setup,
    load_table,
    save_setup,
)
from automl.errors import DataError, DiskFull
from automl.settings import Settings, Workspace

Import = Callable[..., Dataset]
TEXT = "a,b,y\n1,x,0\n2,,1\n3,z,1\n"


def build_frame(n_rows: int = 60) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "real": generator.normal(size=n_rows),
            "whole": generator.integers(0, 50, n_rows),
            "even": generator.integers(0, 50, n_rows).astype(float),
            "gap": generator.normal(size=n_rows),
            "text": generator.choice(["red", "grün", 'b,l"ue'], n_rows),
            "flag": generator.random(n_rows) < 0.5,
            "bit": generator.integers(0, 2, n_rows),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n_rows) % 9, "D"),
        }
    )
    frame.loc[3:7, "gap"] = np.nan
    frame.loc[5, "text"] = None
    return frame


def test_three_formats_give_one_data_set(
    tmp_path: Path, workspace: Workspace, settings: Settings
) -> None:
    frame = build_frame()
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.tsv.gz", index=False, sep="\t")
    frame.to_parquet(tmp_path / "t.parquet", compression="gzip", row_group_size=7)
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    ids = {
        path.name: import_table(
            ImportRequest(path=str(path), name=path.name), workspace, settings
        ).id
        for path in sorted(tmp_path.glob("t.*"))
    }
    assert len(ids) == 4
    assert len(set(ids.values())) == 1, ids
    assert len(list_datasets(workspace)) == 1


def test_float32_and_small_integers_are_the_numbers_they_show(
    tmp_path: Path, workspace: Workspace, settings: Settings
) -> None:
    frame = pd.DataFrame({"x": np.arange(30) / 10, "k": np.arange(30) % 7})
    small = frame.astype({"x": "float32", "k": "int8"})
    frame.to_csv(tmp_path / "t.csv", index=False)
    small.to_parquet(tmp_path / "t.parquet")
    first, second = (
        import_table(ImportRequest(path=str(tmp_path / n), name=n), workspace, settings).id
        for n in ("t.csv", "t.parquet")
    )
    assert first == second


def test_one_changed_cell_name_or_test_row_is_another_data_set(import_text: Import) -> None:
    ids = [
        import_text(TEXT).id,
        import_text(TEXT.replace("3,z", "3,w")).id,
        import_text(TEXT.replace("a,b", "a,c")).id,
        import_text(TEXT.replace("2,,1", "2,0,1")).id,
    ]
    assert len(set(ids)) == 4


def test_another_unit_is_another_data_set(import_text: Import) -> None:
    texts = {
        unit: "mass,y\n" + "".join(f"{i} {unit},{i % 3}\n" for i in range(40))
        for unit in ("kg", "lb")
    }
    light, heavy = import_text(texts["lb"]), import_text(texts["kg"])
    assert light.id != heavy.id
    assert light.columns[0].unit == Unit(before="", after="lb")
    assert import_text(texts["kg"]).columns[0].unit == Unit(before="", after="kg")


def test_the_same_content_twice_is_stored_once(import_text: Import, workspace: Workspace) -> None:
    first, second = import_text(TEXT), import_text(TEXT, name="other.csv")
    assert first == second
    assert len(list_datasets(workspace)) == 1


def test_rows_come_back_as_they_were(import_text: Import, workspace: Workspace) -> None:
    dataset = import_text("a,b,d,f\n" + "1,x,2024-01-02,true\n,,,\n3,z,2024-01-04,false\n" * 3)
    frame = load_frame(workspace, dataset.id)
    assert list(frame.index) == list(range(9))
    assert str(frame["b"].dtype) == "str"
    assert frame["a"].tolist()[0] == 1.0
    assert np.isnan(frame["a"].tolist()[1])
    assert frame["b"].isna().sum() == 3
    assert frame["d"].iloc[0] == pd.Timestamp("2024-01-02")
    assert str(frame["f"].dtype) == "boolean"
    assert load_frame(workspace, dataset.id, ("b",)).columns.tolist() == ["b"]


def test_whole_numbers_without_gaps_are_int64(import_text: Import, workspace: Workspace) -> None:
    dataset = import_text("a,b\n1.0,2\n3.0,4\n")
    assert [str(t) for t in load_frame(workspace, dataset.id).dtypes] == ["int64", "int64"]


def test_an_unknown_column_is_named(import_text: Import, workspace: Workspace) -> None:
    with pytest.raises(DataError, match="no column 'zzz'"):
        load_table(workspace, import_text(TEXT).id, ("zzz",))


def test_a_given_test_file_follows_the_main_rows(
    tmp_path: Path, workspace: Workspace, settings: Settings
) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,a\n2,b\n3,a\n")
    (tmp_path / "b.csv").write_text("y,x\na,9\nb,2\n")
    dataset = import_table(
        ImportRequest(
            path=str(tmp_path / "a.csv"),
            name="a.csv",
            test_path=str(tmp_path / "b.csv"),
            test_name="b.csv",
        ),
        workspace,
        settings,
    )
    assert (dataset.n_rows, dataset.n_test_rows, dataset.n_train_rows) == (5, 2, 3)
    assert dataset.test_name == "b.csv"
    assert load_frame(workspace, dataset.id)["x"].tolist() == [1, 2, 3, 9, 2]
    profile = load_profile(workspace, dataset.id)
    assert profile.n_test_overlap == 1
    (note,) = [note for note in profile.notes if note.code == "test_overlap"]
    assert note.text.endswith("Counted from 0, they are rows 1.")


def test_a_test_file_with_other_columns_is_refused(
    tmp_path: Path, workspace: Workspace, settings: Settings
) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,a\n")
    (tmp_path / "b.csv").write_text("x,z\n1,a\n")
    request = ImportRequest(
        path=str(tmp_path / "a.csv"), name="a.csv", test_path=str(tmp_path / "b.csv")
    )
    with pytest.raises(DataError, match="test file lacks 'y' and only the test file has 'z'"):
        import_table(request, workspace, settings)


def test_one_column_is_no_table(import_text: Import) -> None:
    with pytest.raises(DataError, match="one column only, 'a'"):
        import_text("a\n1\n2\n")


def test_names_are_shown_without_folders_and_controls(import_text: Import) -> None:
    assert import_text(TEXT, name="../../etc/pa\u202ess\x07.csv").name == "pass.csv"


def test_progress_is_told_in_order(
    tmp_path: Path, workspace: Workspace, settings: Settings
) -> None:
    (tmp_path / "a.csv").write_text(TEXT)
    told: list[tuple[float, str]] = []
    import_table(
        ImportRequest(path=str(tmp_path / "a.csv"), name="a.csv"),
        workspace,
        settings,
        lambda share, words: told.append((share, words)),
    )
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_two_tabs_deleting_one_data_set(import_text: Import, workspace: Workspace) -> None:
    dataset = import_text(TEXT)
    outcomes: list[str] = []

    def delete() -> None:
        try:
            delete_dataset(workspace, dataset.id)
        except DataError as error:
            outcomes.append(str(error))
        else:
            outcomes.append("deleted")

    threads = [threading.Thread(target=delete) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted("already deleted" in outcome for outcome in outcomes) == [False, True]
    assert find_dataset(workspace, dataset.id) is None
    with pytest.raises(DataError, match="may have been deleted"):
        load_dataset(workspace, dataset.id)


def test_a_deleted_data_set_can_come_back(import_text: Import, workspace: Workspace) -> None:
    dataset = import_text(TEXT)
    save_setup(workspace, dataset.id, Setup(target="y"))
    delete_dataset(workspace, dataset.id)
    with pytest.raises(DataError):
        save_setup(workspace, dataset.id, Setup(target="y"))
    assert import_text(TEXT).id == dataset.id
    assert load_setup(workspace, dataset.id) == Setup()


def test_no_id_reaches_outside_the_workspace(workspace: Workspace, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.mkdir()
    (canary / "alive").touch()
    # "..", then an absolute path: joined carelessly, this is the canary itself
    for name in (f"..{canary}", f"../{canary.name}", "", "a" * 64 + "/..", "Z" * 64):
        assert load_setup(workspace, name) == Setup()
        for act in (load_dataset, delete_dataset):
            with pytest.raises(DataError):
                act(workspace, name)
        with pytest.raises(DataError):
            save_setup(workspace, name, Setup(target="y"))
    assert (canary / "alive").exists()


def test_choices_survive(import_text: Import, workspace: Workspace) -> None:
    dataset = import_text(TEXT)
    setup = Setup(target="y", roles={"b": "sensitive"}, kinds={"a": "categorical"}, inputs=("b",))  # type: ignore[dict-item]
    save_setup(workspace, dataset.id, setup)
    assert load_setup(workspace, dataset.id) == setup
    assert load_setup(workspace, dataset.id).kinds["a"] is Kind.CATEGORICAL


def test_too_little_free_space_is_said_before_anything_is_read(
    tmp_path: Path, workspace: Workspace
) -> None:
    (tmp_path / "a.csv").write_text(TEXT)
    settings = Settings(min_free_bytes=10**18)
    with pytest.raises(DiskFull, match="are needed"):
        import_table(ImportRequest(path=str(tmp_path / "a.csv"), name="a.csv"), workspace, settings)


def test_a_disk_that_fills_up_leaves_nothing_behind(
    import_text: Import, workspace: Workspace
) -> None:
    text = "a,b\n" + "".join(f"{i},{i * i % 997}.{i}\n" for i in range(20_000))
    old_signal = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    path_is_written_first = len(text)
    try:
        # the upload fits, what is made of it does not
        resource.setrlimit(resource.RLIMIT_FSIZE, (path_is_written_first, hard))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(importing, "ROW_GROUP_ROWS", 50)  # a Parquet file larger than its CSV
            with pytest.raises(DiskFull, match="nothing was imported"):
                import_text(text)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old_signal)
    assert list_datasets(workspace) == []
    assert not list(workspace.tmp.iterdir())


def test_damaged_records_are_left_out_of_the_list(
    import_text: Import, workspace: Workspace
) -> None:
    dataset = import_text(TEXT)
    path = workspace.dataset(dataset.id) / "dataset.json"
    path.chmod(0o644)
    path.write_text("{}")
    assert list_datasets(workspace) == []
    with pytest.raises(DataError, match="damaged"):
        load_dataset(workspace, dataset.id)


def test_files_read_without_keeping_them(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "a.csv"
    path.write_text("day,x\n2024-01-01,01\n2024-01-02,?\n")
    typed = load_typed(path, "a.csv", settings)
    assert typed.frame["day"].iloc[0] == pd.Timestamp(dt.date(2024, 1, 1))
    assert [column.kind for column in typed.columns] == [Kind.DATETIME, Kind.CATEGORICAL]


def test_importing_costs_no_heavy_library() -> None:
    code = (
        "import sys, automl.data.importing, automl.data.samples; "
        "heavy = {'torch', 'optuna', 'sklearn', 'pandas', 'streamlit'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


REAL = {
    "adult_train.csv": (32_561, 15, set()),
    "california_housing.csv": (20_640, 10, set()),
    "german_credit.csv": (1_000, 22, set()),
    "telco_churn.csv": (7_043, 21, {"customerID"}),
    "titanic.csv": (891, 12, {"PassengerId"}),
    "compas_two_years.csv": (
        7_214,
        53,
        {
            "id", "name", "first", "last", "dob", "c_case_number", "r_case_number",
            "violent_recid", "vr_case_number", "type_of_assessment", "v_type_of_assessment",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real_files(name: str, data_folder: Path, workspace: Workspace, settings: Settings) -> None:
    n_rows, n_columns, ignored = REAL[name]
    request = ImportRequest(path=str(data_folder / name), name=name)
    dataset = import_table(request, workspace, settings)
    assert (dataset.n_rows, len(dataset.columns)) == (n_rows, n_columns)
    assert {c.name for c in dataset.columns if c.suggested_role == "ignored"} == ignored
    if name.startswith("telco"):
        total = dataset.column("TotalCharges")
        assert total is not None
        assert (total.kind, total.n_missing) == (Kind.NUMERIC, 11)
    if name.startswith("compas"):
        assert dataset.column("decile_score.2") is not None
        assert dataset.column("c_jail_in").kind is Kind.DATETIME  # type: ignore[union-attr]
