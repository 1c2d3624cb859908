"""Errors of the web side."""

from fairness.errors import FairloomError


class TokenError(FairloomError):
    """A link or upload token is foreign, changed or too old."""


class UploadError(FairloomError):
    """An upload is not here, not complete, or not allowed."""


class StartError(FairloomError):
    """``python -m app`` cannot start as asked."""
