import subprocess
import sys
from pathlib import Path

import automl

ROOT = Path(automl.__file__).parents[1]

# No `if __name__ == "__main__"`: a notebook's or a beginner's script.
SCRIPT = """
import sys
sys.path.insert(0, {root!r})
print("script runs", flush=True)
from pathlib import Path
from automl.execution.devices import list_slots
from automl.execution.local import LocalExecutor, LocalOptions
from automl.execution.messages import TrialDone
from automl.settings import Settings
from tests.unit.execution.planted import FUNCTIONS, PRELOAD, TASK_JSON, build_train
folder = Path(sys.argv[1])
(folder / "data").write_text("rows")
executor = LocalExecutor(list_slots(Settings(devices="fake:0")), print, LocalOptions(functions=FUNCTIONS, preload=PRELOAD))
executor.start()
executor.prepare(folder, TASK_JSON, 1)
while not executor.idle_slots():
    executor.poll(0.1)
executor.submit("fake:0", build_train(0, folder))
while not any(isinstance(report, TrialDone) for _, report in executor.poll(0.1)):
    pass
executor.close()
print("done")
"""


def test_a_script_without_a_guard_runs_once_and_anywhere(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(root=str(ROOT)))
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        check=False,
    )
    assert done.stdout.split("\n") == ["script runs", "done", ""], done.stderr
