"""No archive breaks the import: a data set or an error in words, and nothing beside the workspace.

Five thousand of them are run by ``make acceptance``.
"""

import tempfile
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.data.images.store import load_images, load_originals
from automl.data.store import list_datasets, load_table
from automl.settings import Settings
from tests.fuzzed_zips import build_fuzzed_zip, import_fuzzed


@pytest.mark.filterwarnings("ignore:Duplicate name")
@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=0, max_value=2**31))
def test_a_random_archive_is_a_data_set_or_an_error_in_words(seed: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inside = folder / "inside" / "deeper"
        inside.mkdir(parents=True)
        canary = folder / "canary.png"
        canary.write_bytes(b"untouched")
        known = Settings(home=inside / "home", min_free_bytes=0)
        import_fuzzed(seed, inside, known)
        assert canary.read_bytes() == b"untouched"
        assert sorted(path.name for path in folder.iterdir()) == ["canary.png", "inside"]
        assert {path.name for path in inside.iterdir()} <= {"home"}
        assert not any(known.workspace.tmp.glob("*"))
        for entry in list_datasets(known.workspace):
            check_whole(known, entry.dataset.id, entry.dataset.n_rows)


def check_whole(known: Settings, dataset_id: str, n_rows: int) -> None:
    assert load_table(known.workspace, dataset_id).num_rows == n_rows
    assert len(load_images(known.workspace, dataset_id)) == n_rows
    rows = load_originals(known.workspace, dataset_id).column("row").to_pylist()
    assert [row for row in rows if row >= 0] == list(range(n_rows))


def test_the_same_seed_gives_the_same_bytes() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert build_fuzzed_zip(7) == build_fuzzed_zip(7)
        assert len({build_fuzzed_zip(seed) for seed in range(50)}) > 40  # a few are empty
