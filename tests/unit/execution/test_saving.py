import numpy as np
import pytest

from automl.execution.saving import SELECT_PREDICTION, check_manifest, save_trained
from tests.unit.execution.planted import FakeTrained

TRAINED = FakeTrained(score=0.5, n_epochs=2, best_epoch=1, was_pruned=False)


def test_a_saved_trial_is_whole_and_replaces_an_older_one(tmp_path):
    out = tmp_path / "trials" / "7"
    save_trained(TRAINED, out, {"trial": 7, "attempt": 1})
    (out.parent / ".7.123.part").mkdir()  # a trainer was killed here
    save_trained(TRAINED, out, {"trial": 7, "attempt": 2})
    assert check_manifest(out)["attempt"] == 2
    assert np.load(out / SELECT_PREDICTION).shape == (3, 2)
    assert [path.name for path in out.parent.iterdir()] == ["7"]


def test_a_failure_while_saving_leaves_nothing(tmp_path):
    class Broken(FakeTrained):
        def save(self, folder):
            (folder / "half").write_text("x")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        save_trained(Broken(0.5, 1, 1, was_pruned=False), tmp_path / "7", {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["cut", "flip", "missing", "manifest", "list", "none"])
def test_torn_files_are_seen(tmp_path, damage):
    out = tmp_path / "7"
    save_trained(TRAINED, out, {"trial": 7})
    target = out / SELECT_PREDICTION
    content = target.read_bytes()
    if damage == "cut":
        target.write_bytes(content[:-1])
    elif damage == "flip":
        target.write_bytes(content[:-1] + b"\x01")
    elif damage == "missing":
        target.unlink()
    elif damage == "manifest":
        (out / "manifest.json").write_text('{"trial": ')
    elif damage == "list":
        (out / "manifest.json").write_text("[]")
    else:
        assert check_manifest(out) is not None
        return
    assert check_manifest(out) is None
