"""The base error of the product: what was wrong, and what to do about it."""


class FairloomError(Exception):
    """Something a person can mend; the one base of every expected error.

    ``message`` names the value that was wrong and where; ``hint`` says what to do next.
    Anything raised that is not a ``FairloomError`` is a bug of ours.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class AuditError(FairloomError):
    """An audit cannot be computed from what was given."""
