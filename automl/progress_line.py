"""What the shell shows while something runs: one line of progress, and warnings once each."""

import time
from collections.abc import Mapping
from typing import Any, TextIO

QUIET_SECONDS = 10.0  # between two progress lines where there is no terminal
LINE_WIDTH = 110


class ProgressLine:
    """Live progress: one line rewritten on a terminal, a line now and then elsewhere.

    Warnings, once each, go to a stream of their own: on standard error there is nothing else but errors.
    """

    def __init__(self, stream: TextIO, warnings: TextIO) -> None:
        self._stream = stream
        self._warnings = warnings
        self._is_terminal = stream.isatty()
        self._shown = ""
        self._said: set[str] = set()
        self._due = 0.0
        self._phase = ""

    def show(self, progress: Mapping[str, Any]) -> None:
        """Show new progress; the same again shows nothing."""
        for warning in progress.get("warnings", ()):
            self.warn(str(warning))
        text = render_progress(progress)
        if not text or text == self._shown:
            return
        phase = str(progress.get("phase", ""))
        if self._is_terminal:
            self._write(f"\r{text[:LINE_WIDTH]:<{LINE_WIDTH}}")
        elif phase != self._phase or time.monotonic() >= self._due:
            self._write(text + "\n")
            self._due = time.monotonic() + QUIET_SECONDS
        self._phase, self._shown = phase, text

    def warn(self, text: str) -> None:
        """Say a warning on a line of its own, once; live ones may be cut and are then said in full later."""
        key = " ".join(text.split())[:150]
        if key in self._said:
            return
        self._said.add(key)
        self.close()
        self._warnings.write("warning: " + " ".join(text.split()) + "\n")
        self._warnings.flush()

    def close(self) -> None:
        """Leave the rewritten line."""
        if self._is_terminal and self._shown:
            self._write("\r" + " " * LINE_WIDTH + "\r")
            self._shown = ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def render_progress(progress: Mapping[str, Any]) -> str:
    """One line: time, what happens, trials, best so far."""
    if not progress:
        return ""
    parts = []
    if progress.get("elapsed_seconds") is not None:
        total = progress.get("budget_seconds")
        elapsed = f"{progress['elapsed_seconds']:.0f} s"
        parts.append(elapsed if total is None else f"{elapsed} of {total:.0f} s")
    parts.append(str(progress.get("words", "")))
    if progress.get("n_trials"):
        limit = progress.get("budget_trials")
        done = f"{progress['n_finished']} trials"
        parts.append(done if limit is None else f"{progress['n_finished']} of {limit} trials")
    best = progress.get("best")
    if best and best.get("value") is not None:
        rows = progress.get("rows", "select")
        parts.append(f"best {best['name']}: {best['metric']} {best['value']:.4f} ({rows})")
    return " · ".join(part for part in parts if part)
