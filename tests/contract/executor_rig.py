"""An executor on fake devices with planted trainings, and everything it reported."""

import os
import time

from automl.execution.devices import list_slots
from automl.execution.local import LocalExecutor, LocalOptions, Patience
from automl.execution.messages import EpochDone, TrialDiscarded, TrialDone, TrialFailed
from automl.settings import Settings
from tests.unit.execution.planted import FUNCTIONS, PRELOAD, TASK_JSON, build_pack, build_train

PATIENCE = Patience(first=1.5, floor=1.0, factor=3.0, grace=0.5)


class Rig:
    """An executor on some fake devices, with everything it reported."""

    def __init__(self, folder, names, patience=PATIENCE):
        self.folder = folder
        (folder / "data").write_text("rows")
        self.log = []
        self.reports = []
        slots = list_slots(Settings(devices=names))
        options = LocalOptions(functions=FUNCTIONS, patience=patience, preload=PRELOAD)
        self.executor = LocalExecutor(slots, lambda *line: self.log.append(line), options)

    def start(self):
        self.executor.start()
        self.executor.prepare(self.folder, TASK_JSON, 1)
        self.wait(lambda: len(self.executor.idle_slots()) == len(self.executor._slots))
        return self

    def wait(self, condition, seconds=30.0):
        """Poll until the condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (self.reports[-5:], self.log[-5:])
            self.reports += self.executor.poll(0.05)

    def submit(self, trial, slot=None, **changes):
        if slot is None:
            self.wait(self.executor.idle_slots)
            slot = self.executor.idle_slots()[0]
        self.executor.submit(slot, build_train(trial, self.folder, **changes))
        return slot

    def ends(self):
        return {
            report.trial: (slot, report)
            for slot, report in self.reports
            if isinstance(report, (TrialDone, TrialDiscarded, TrialFailed))
        }

    def finish(self, *trials):
        self.wait(lambda: set(trials) <= set(self.ends()))
        return [self.ends()[trial][1] for trial in trials]

    def epochs(self, trial):
        return [
            r.epoch.number for _, r in self.reports if isinstance(r, EpochDone) and r.trial == trial
        ]

    def pids(self):
        return {name: seat.pid for name, seat in self.executor._seats.items()}

    def submit_pack(self, trials, slot, changes=None, **shared):
        self.executor.submit(slot, build_pack(trials, self.folder, changes, **shared))

    def find(self, kind):
        return [report for _, report in self.reports if isinstance(report, kind)]


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
