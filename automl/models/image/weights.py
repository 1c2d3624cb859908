"""Where pretrained weights come from: a folder of safetensors files, or timm's hub once it is allowed.

Costs no torch: the page and the shell ask here what there is. Nothing in this module uses the network but
``fetch_weights``, and that only under a plan whose source is the hub.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from automl.errors import DataError, SpecError
from automl.files import load_json, write_json
from automl.models.image.backbones import BACKBONES, Backbone, get_backbone

SUFFIX = ".safetensors"
RECORD = "weights.json"
HUB_FILE = "model.safetensors"
_LARGEST_HEADER = 100_000_000  # bytes, as in the safetensors format
NO_WEIGHTS = "Pretrained networks are left out: no weights."


class WeightsSource(StrEnum):
    """Where the person lets us look for weights."""

    NONE = "none"
    FOLDER = "folder"
    HUB = "hub"


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightsPlan:
    """The source, and for ``folder`` the folder the person points at."""

    source: WeightsSource = WeightsSource.NONE
    folder: str = ""

    def __post_init__(self) -> None:
        if (self.source is WeightsSource.FOLDER) != bool(self.folder):
            raise SpecError(
                f"The weights come from {str(self.source)!r}, but the folder is {self.folder!r}.",
                hint="A folder belongs to the source folder, and only to that.",
            )

    def render(self) -> str:
        """As one word for a trainer: nothing, ``hub``, or the folder."""
        return self.folder or ("hub" if self.source is WeightsSource.HUB else "")


def parse_weights(word: str) -> WeightsPlan:
    """Back from one word: nothing or ``none``, ``hub``, else a folder."""
    if word in ("", "none"):
        return WeightsPlan()
    if word == "hub":
        return WeightsPlan(source=WeightsSource.HUB)
    return WeightsPlan(source=WeightsSource.FOLDER, folder=word)


@dataclass(frozen=True, kw_only=True, slots=True)
class Absence:
    """Why something in or for the list cannot be used."""

    what: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Backbones whose weights are there, small to large, and why others are not.

    ``message`` is empty as long as there is any; else it says in one line that the family is left out.
    """

    backbones: tuple[Backbone, ...] = ()
    absent: tuple[Absence, ...] = ()
    message: str = ""
    remarks: tuple[str, ...] = field(default=())

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(backbone.tag for backbone in self.backbones)


def find_available(plan: WeightsPlan) -> Found:
    """What a plan gives, looking only at names and file headers; a hub is believed until it is asked.

    Never raises: an unreadable folder or file is an ``Absence``.
    """
    if plan.source is WeightsSource.HUB:
        return Found(
            backbones=tuple(BACKBONES.values()), remarks=_remark_licences(BACKBONES.values())
        )
    if plan.source is WeightsSource.NONE:
        return Found(
            message=f"{NO_WEIGHTS[:-1]} were named (a folder of safetensors files, or timm's hub once "
            "you allow it)."
        )
    return _find_in_folder(Path(plan.folder))


def find_file(folder: Path, backbone: Backbone) -> Path | None:
    """The file of a backbone: ``<tag>.safetensors``, ``<tag>/model.safetensors`` or ``<name>.safetensors``."""
    places = (
        folder / f"{backbone.tag}{SUFFIX}",
        folder / backbone.tag / HUB_FILE,
        folder / f"{backbone.name}{SUFFIX}",
    )
    return next((place for place in places if place.is_file()), None)


def _find_in_folder(folder: Path) -> Found:
    try:
        members = sorted(path.name for path in folder.iterdir() if path.suffix == SUFFIX)
    except OSError as error:
        reason = f"the folder {str(folder)!r} cannot be read ({error.strerror or error})"
        return Found(
            absent=(Absence(what=str(folder), reason=reason),),
            message=f"{NO_WEIGHTS[:-1]}: {reason}. Name a folder of safetensors files.",
        )
    known, absent, used, remarks = [], [], set(), []
    for backbone in BACKBONES.values():
        path = find_file(folder, backbone)
        reason = "no file of that name" if path is None else check_header(path)
        if path is not None:
            used.add(path.name)
        if reason or path is None:
            absent.append(Absence(what=backbone.tag, reason=reason))
            continue
        known.append(backbone)
        if path.stem == backbone.name:
            remarks.append(f"{path.name} is read as the weights {backbone.tag}.")
    absent += [
        Absence(what=name, reason="no backbone of the list has this name")
        for name in members
        if name not in used
    ]
    if known:
        return Found(
            backbones=tuple(known),
            absent=tuple(absent),
            remarks=(*remarks, *_remark_licences(known)),
        )
    broken = [
        f"{item.what}: {item.reason}" for item in absent if item.reason != "no file of that name"
    ]
    return Found(
        absent=tuple(absent),
        message=f"{NO_WEIGHTS[:-1]} of a known backbone lie in {str(folder)!r}"
        + (f" ({'; '.join(broken[:3])})" if broken else "")
        + f". Put a file like {next(iter(BACKBONES))}{SUFFIX} there.",
    )


def check_header(path: Path) -> str:
    """Why a file is no safetensors file; empty when its header can be read."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_LARGEST_HEADER, size - 8):
                return f"{path.name} is no safetensors file"
            header = json.loads(file.read(length))
    except (OSError, ValueError) as error:
        return f"{path.name} cannot be read as safetensors ({type(error).__name__})"
    return "" if isinstance(header, dict) and header else f"{path.name} holds no tensors"


def _remark_licences(backbones: Iterable[Backbone]) -> tuple[str, ...]:
    return tuple(
        f"The licence of the weights {backbone.tag} is {backbone.licence}."
        for backbone in backbones
        if backbone.licence not in ("apache-2.0", "mit", "bsd-3-clause")
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightsFile:
    """One set of weights, pinned by the SHA-256 of its file."""

    tag: str
    path: str
    sha256: str


def record_weights(
    plan: WeightsPlan, tags: Iterable[str], folder: Path
) -> tuple[tuple[WeightsFile, ...], tuple[str, ...]]:
    """Find or fetch the weights of ``tags``, pin them in ``folder/weights.json``, say what could not be had.

    ``folder`` is the parent of the prepared folders of a search; trainers read it with ``read_weights``.
    """
    files: list[WeightsFile] = []
    texts: list[str] = []
    try:
        import_timm()
    except DataError as error:
        tags = ()
        texts.append(error.message)
    for tag in dict.fromkeys(tags):
        backbone = get_backbone(tag)
        try:
            path = _obtain(plan, backbone)
            files.append(
                WeightsFile(tag=tag, path=str(path.resolve()), sha256=compute_sha256(path))
            )
        except (DataError, OSError) as error:
            reason = error.message if isinstance(error, DataError) else f"{error}."
            texts.append(f"The backbone {tag} is left out: {reason}")
    if not files and tags:
        texts.append(NO_WEIGHTS)
    write_json(
        folder / RECORD,
        [{"tag": file.tag, "path": file.path, "sha256": file.sha256} for file in files],
    )
    return tuple(files), tuple(texts)


def read_weights(folder: Path) -> dict[str, WeightsFile]:
    """What ``record_weights`` wrote, by tag; nothing where it wrote nothing."""
    path = folder / RECORD
    if not path.is_file():
        return {}
    return {entry["tag"]: WeightsFile(**entry) for entry in load_json(path)}


def compute_sha256(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits, read in pieces."""
    digest = sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _obtain(plan: WeightsPlan, backbone: Backbone) -> Path:
    if plan.source is WeightsSource.HUB:
        return fetch_weights(backbone)
    path = find_file(Path(plan.folder), backbone) if plan.folder else None
    if path is None:
        raise DataError(
            f"There is no file {backbone.tag}{SUFFIX} in {plan.folder!r}.",
            hint="Put it there, or choose another folder.",
        )
    if reason := check_header(path):
        raise DataError(f"{reason}.", hint="Only whole safetensors files are read.")
    return path


def fetch_weights(backbone: Backbone) -> Path:
    """Fetch a backbone's weights from timm's hub, or find them in the hub's cache; a failure is a ``DataError``."""
    try:
        from huggingface_hub import hf_hub_download
    except (ImportError, RuntimeError) as error:
        raise DataError(
            f"timm's hub cannot be asked: {_first_line(error)}.", hint="Install huggingface_hub."
        ) from error
    try:
        fetched: Any = hf_hub_download(repo_id=backbone.hub, filename=HUB_FILE)
    except Exception as error:
        raise DataError(
            f"The weights {backbone.tag} could not be fetched from timm's hub: {_first_line(error)}.",
            hint="Check the connection, or name a folder of safetensors files.",
        ) from error
    return Path(fetched)


def import_timm() -> Any:
    """The timm module; a missing one, or one that does not fit torch, is a ``DataError`` of one line."""
    try:
        import timm
    except (
        ImportError,
        RuntimeError,
        AttributeError,
    ) as error:  # an operator that torchvision lacks
        raise DataError(
            f"timm cannot be imported: {_first_line(error)}. Pretrained networks are left out.",
            hint="Install torch, torchvision and timm from one source, so that they fit.",
        ) from error
    return timm


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")[:200]
