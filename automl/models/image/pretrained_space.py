"""The space of pretrained networks: backbone, resolution, classifier, and how much of it is trained; no torch.

``mode`` = ``frozen`` reads features that were computed once and trains the classifier alone, in seconds.
``mode`` = ``tuned`` trains on augmented pictures; ``mode.tuned.part`` says what may move: the head, the last
stage and what follows it, everything, or first the head and then everything at a tenth of the rate (gradual).
"""

from collections.abc import Iterable, Mapping

from automl.errors import SpecError
from automl.models.image.backbones import BACKBONES, Backbone, get_backbone
from automl.models.tabular.config import read
from automl.space.dimensions import Choice, Config, Float, Int, Space, Switch, Value

SIDES = (96, 128, 160, 192, 224, 288)
_SMALLEST_SIDE = 64
_CPU_SIDES = (64, 96, 128)
_EPOCHS = {
    ("quick", False): (3, 12),
    ("balanced", False): (3, 20),
    ("thorough", False): (3, 30),
    ("quick", True): (3, 15),
    ("balanced", True): (3, 30),
    ("thorough", True): (3, 30),
}
_MILLIONS = {  # the largest backbone a preset tries
    ("quick", False): 5.0,
    ("balanced", False): 12.0,
    ("thorough", False): 30.0,
    ("quick", True): 12.0,
    ("balanced", True): 30.0,
    ("thorough", True): 100.0,
}


def build_pretrained_space(
    preset: str,
    *,
    on_gpu: bool,
    side: int = 0,
    backbones: Iterable[Backbone] | None = None,
) -> Space:
    """The declared space; ``side`` is that of the stored pictures, ``backbones`` those with weights (all).

    A foreign preset, or no backbone at all, is a ``SpecError``. Where none is as small as the preset asks for,
    the smallest stands alone.
    """
    if (preset, on_gpu) not in _EPOCHS:
        raise SpecError(
            f"There is no preset {preset!r}.", hint="Choose quick, balanced or thorough."
        )
    known = sorted(BACKBONES.values() if backbones is None else backbones, key=lambda b: b.millions)
    if not known:
        raise SpecError(
            "There are no weights of any backbone.",
            hint="Name a folder of safetensors files, or allow timm's hub.",
        )
    fitting = [b for b in known if b.millions <= _MILLIONS[preset, on_gpu]] or known[:1]
    low, high = _EPOCHS[preset, on_gpu]
    return {
        "backbone": Choice(options=tuple(backbone.tag for backbone in fitting)),
        "input_side": Choice(options=list_sides(side, on_gpu=on_gpu)),
        "classifier": Switch(
            branches={
                "linear": {},
                "mlp": {
                    "width": Choice(options=(128, 256, 512)),
                    "dropout": Float(low=0.0, high=0.5),
                },
            }
        ),
        "mode": Switch(branches={"frozen": _build_frozen(), "tuned": _build_tuned()}),
        "epochs": Int(low=low, high=high, log=True),
    }


def list_sides(side: int, *, on_gpu: bool) -> tuple[int, ...]:
    """Resolutions worth trying for pictures of ``side`` pixels: up to four times their own (0: all)."""
    sides = SIDES if on_gpu else _CPU_SIDES
    largest = max(4 * side, _SMALLEST_SIDE) if side else sides[-1]
    return tuple(s for s in sides if s <= largest) or sides[:1]


def _build_frozen() -> Space:
    return {
        "lr": Float(low=3e-4, high=3e-2, log=True),
        "weight_decay": Float(low=1e-6, high=1e-1, log=True),
    }


def _build_tuned() -> Space:
    decay = {"layer_decay": Float(low=0.65, high=1.0)}
    return {
        "part": Switch(
            branches={"head": {}, "last_stage": {}, "full": decay, "gradual": dict(decay)}
        ),
        "lr": Float(low=3e-5, high=1e-3, log=True),
        "weight_decay": Float(low=1e-4, high=1e-1, log=True),
        "schedule": Choice(options=("cosine", "linear")),
        "label_smoothing": Float(low=0.0, high=0.2),
        "flip": Choice(options=("none", "random")),
        "translate": Float(low=0.0, high=0.125),
        "cutout": Float(low=0.0, high=0.5),
        "mix": Switch(
            branches={
                "none": {},
                "mixup": {"alpha": Float(low=0.1, high=0.4)},
                "cutmix": {"alpha": Float(low=0.5, high=1.0)},
            }
        ),
        "policy": Choice(options=("none", "trivial", "rand")),
        "ema": Choice(options=(False, True)),
        "soup": Choice(options=(False, True)),
        "tta": Choice(options=("none", "flip")),
    }


_FROZEN: Config = {
    "classifier": "linear",
    "mode": "frozen",
    "mode.frozen.lr": 3e-3,
    "mode.frozen.weight_decay": 1e-3,
    "epochs": 12,
}
_GRADUAL: Config = {
    "classifier": "linear",
    "mode": "tuned",
    "mode.tuned.part": "gradual",
    "mode.tuned.part.gradual.layer_decay": 0.9,
    "mode.tuned.lr": 1e-3,
    "mode.tuned.weight_decay": 1e-3,
    "mode.tuned.schedule": "cosine",
    "mode.tuned.label_smoothing": 0.1,
    "mode.tuned.flip": "random",
    "mode.tuned.translate": 0.0625,
    "mode.tuned.cutout": 0.0,
    "mode.tuned.mix": "none",
    "mode.tuned.policy": "none",
    "mode.tuned.ema": True,
    "mode.tuned.soup": True,
    "mode.tuned.tta": "flip",
    "epochs": 12,
}


def build_pretrained_starts(space: Space) -> tuple[dict[str, Value], ...]:
    """What to try first in a space: frozen features of each backbone (which ranks them), then a gradual tuning.

    The start list depends on which weights are there, so it is made from the space, never a constant.
    """
    tags, largest = _read_options(space, "backbone"), _read_options(space, "input_side")[-1]
    frozen = [dict(_FROZEN) | {"backbone": tag, "input_side": largest} for tag in tags]
    gradual = dict(_GRADUAL) | {"backbone": tags[0], "input_side": largest}
    mode = space.get("mode")
    tuned = mode.branches.get("tuned", {}) if isinstance(mode, Switch) else {}
    for label in ("flip", "tta"):  # nothing is mirrored where the space forbids it
        if gradual[f"mode.tuned.{label}"] not in _read_options(tuned, label):
            gradual[f"mode.tuned.{label}"] = "none"
    return (*frozen[:1], gradual, *frozen[1:6])


def narrow_backbones(space: Space, tags: Iterable[str]) -> Space:
    """The same space with only those backbones; none in common is a ``SpecError``."""
    declared = _read_options(space, "backbone")
    wanted = set(tags)
    kept = tuple(tag for tag in declared if tag in wanted)
    if not kept:
        raise SpecError(
            f"None of {sorted(wanted)!r} is among the backbones of this space.",
            hint=f"It has {', '.join(map(str, declared))}.",
        )
    return {**space, "backbone": Choice(options=kept)}


def _read_options(space: Space, label: str) -> tuple[Value, ...]:
    dimension = space.get(label)
    if not isinstance(dimension, Choice):
        raise SpecError(f"{label} = {dimension!r} is no choice; this is no space of this family.")
    return dimension.options


def strip_mode(
    config: Mapping[str, Value],
) -> dict[str, Value]:
    """The labels below ``mode.tuned.`` as they are called in every other image family."""
    stem = "mode.tuned."
    return {
        label.removeprefix(stem): value for label, value in config.items() if label.startswith(stem)
    }


def render_pretrained(config: Config) -> str:
    """One line that names the network and how much of it learns: ``ResNet-18 (a1_in1k) at 96 px, linear, frozen``."""
    backbone = get_backbone(read(config, "backbone", str))
    classifier = read(config, "classifier", str)
    if classifier == "mlp":
        classifier = f"MLP {config.get('classifier.mlp.width')}"
    tuned = "frozen" if config.get("mode") == "frozen" else f"{config.get('mode.tuned.part')} tuned"
    weights = backbone.tag.partition(".")[2]
    side = backbone.fit_side(read(config, "input_side", int))
    return f"{backbone.title} ({weights}) at {side} px, {classifier}, {tuned.replace('_', ' ')}"
