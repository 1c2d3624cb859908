"""Names of functions as text, because only text travels between processes."""

import importlib
from typing import Any


def resolve(name: str) -> Any:
    """The object behind ``package.module:name``; the names come from our own code, never from a request.

    Raises
    ------
    ValueError
        When the name has another form.
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute.isidentifier():
        raise ValueError(f"{name!r} is not of the form package.module:function.")
    return getattr(importlib.import_module(module), attribute)
