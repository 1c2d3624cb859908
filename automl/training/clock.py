"""Time spent working, apart from the time spent waiting for the driver."""

import time


class WorkClock:
    """Seconds of work; ``pause`` before a yield, ``resume`` after it."""

    def __init__(self, deadline: float | None) -> None:
        self._deadline = deadline
        self._worked = 0.0
        self._since = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds worked so far."""
        return self._worked + time.monotonic() - self._since

    @property
    def is_over(self) -> bool:
        """Whether the deadline has come."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    @property
    def remaining(self) -> float:
        """Seconds to the deadline, infinite without one."""
        if self._deadline is None:
            return float("inf")
        return max(0.0, self._deadline - time.monotonic())

    def pause(self) -> None:
        """Stop counting."""
        self._worked = self.seconds
        self._since = time.monotonic()

    def resume(self) -> None:
        """Count again, leaving out what passed since ``pause``."""
        self._since = time.monotonic()
