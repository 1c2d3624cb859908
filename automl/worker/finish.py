"""What the end of a search is asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl.search.opened_model import OpenedModel, parse_opened_model
from automl.search.spec import SearchSpec, parse_spec
from automl.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Finish:
    """What ``run_finishing`` was asked, parsed."""

    spec: SearchSpec
    folder: Path
    settings: Settings
    models: tuple[OpenedModel, ...]
    trials: Mapping[int, Mapping[str, Any]]
    preparation: Mapping[str, Any]
    looks: int
    warnings: tuple[str, ...]
    search: Mapping[str, Any]

    @property
    def out(self) -> Path:
        """Where the shell, the page and the report find the files."""
        return self.folder / "result"


def parse_finish(arguments: Mapping[str, Any]) -> Finish:
    """Read the plain values that the worker hands to the child process."""
    return Finish(
        spec=parse_spec(arguments["spec"]),
        folder=Path(arguments["folder"]),
        settings=Settings(**arguments["settings"]),
        models=tuple(map(parse_opened_model, arguments["models"])),
        trials={trial["number"]: trial for trial in arguments["trials"]},
        preparation=arguments["preparation"],
        looks=arguments["looks"],
        warnings=tuple(arguments["warnings"]),
        search=arguments.get("search", {}),
    )
