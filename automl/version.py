"""The version of the product, one place; a test compares it with ``pyproject.toml``."""

VERSION = "0.1.0"
