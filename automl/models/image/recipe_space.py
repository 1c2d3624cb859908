"""How an image network is trained: the labels, their space per preset, and their typed form; no torch.

Every image family takes the labels it can use. A label that a configuration leaves out has the value of
``RECIPE_DEFAULT``; one that is there must be valid.
"""

from dataclasses import dataclass

from automl.errors import SpecError
from automl.models.tabular.config import read
from automl.space.dimensions import Choice, Config, Float, Int, Space, Switch

OPTIMIZERS = ("muon", "sgd", "adamw")
SCHEDULES = ("linear", "cosine", "one_cycle")
FLIPS = ("none", "random", "alternating")
MIXES = ("none", "mixup", "cutmix")
POLICIES = ("none", "trivial", "rand")
RESOLUTIONS = ("full", "progressive")
TTAS = ("none", "flip", "six")

RECIPE_DEFAULT: Config = {
    "optimizer": "adamw",
    "optimizer.adamw.lr": 3e-3,
    "optimizer.adamw.weight_decay": 1e-2,
    "schedule": "cosine",
    "label_smoothing": 0.0,
    "flip": "none",
    "translate": 0.0,
    "cutout": 0.0,
    "mix": "none",
    "policy": "none",
    "resolution": "full",
    "ema": False,
    "tta": "none",
    "epochs": 12,
}

_EPOCHS = {
    ("quick", False): (4, 24),
    ("balanced", False): (4, 40),
    ("thorough", False): (8, 96),
    ("quick", True): (4, 32),
    ("balanced", True): (8, 64),
    ("thorough", True): (8, 200),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RecipeConfig:
    """How an image network is trained.

    ``translate`` and ``cutout`` are shares of the side; ``mix_alpha`` is 0 without mixing; ``n_epochs`` is the
    length the schedule is drawn for; a shorter run cuts it, never squeezes it.
    """

    optimizer: str
    learning_rate: float
    weight_decay: float
    schedule: str
    label_smoothing: float
    flip: str
    translate: float
    cutout: float
    mix: str
    mix_alpha: float
    policy: str
    is_progressive: bool
    uses_ema: bool
    tta: str
    n_epochs: int


def parse_recipe(config: Config) -> RecipeConfig:
    """Read the recipe labels of a configuration; a foreign value is a ``SpecError``."""
    full = fill_recipe(config)
    optimizer = _read_name(full, "optimizer", OPTIMIZERS)
    mix = _read_name(full, "mix", MIXES)
    recipe = RecipeConfig(
        optimizer=optimizer,
        learning_rate=read(full, f"optimizer.{optimizer}.lr", float),
        weight_decay=read(full, f"optimizer.{optimizer}.weight_decay", float),
        schedule=_read_name(full, "schedule", SCHEDULES),
        label_smoothing=_read_share(full, "label_smoothing", 0.5),
        flip=_read_name(full, "flip", FLIPS),
        translate=_read_share(full, "translate", 0.5),
        cutout=_read_share(full, "cutout", 1.0),
        mix=mix,
        mix_alpha=0.0 if mix == "none" else read(full, f"mix.{mix}.alpha", float),
        policy=_read_name(full, "policy", POLICIES),
        is_progressive=_read_name(full, "resolution", RESOLUTIONS) == "progressive",
        uses_ema=read(full, "ema", bool),
        tta=_read_name(full, "tta", TTAS),
        n_epochs=read(full, "epochs", int),
    )
    if recipe.learning_rate <= 0 or recipe.weight_decay < 0 or recipe.n_epochs < 1:
        raise SpecError(
            f"A learning rate of {recipe.learning_rate}, a decay of {recipe.weight_decay} and "
            f"{recipe.n_epochs} epochs cannot be trained."
        )
    if mix != "none" and recipe.mix_alpha <= 0:
        raise SpecError(f"mix.{mix}.alpha = {recipe.mix_alpha} is not positive.")
    return recipe


def fill_recipe(config: Config) -> dict[str, str | int | float | bool]:
    """The configuration with every recipe label it leaves out."""
    optimizer = config.get("optimizer", RECIPE_DEFAULT["optimizer"])
    default = {
        label: value
        for label, value in RECIPE_DEFAULT.items()
        if not label.startswith("optimizer.") or label.startswith(f"optimizer.{optimizer}.")
    }
    return {**default, **config}


def _read_name(config: Config, label: str, names: tuple[str, ...]) -> str:
    value = read(config, label, str)
    if value not in names:
        raise SpecError(f"{label} = {value!r} does not exist.", hint=f"Choose {', '.join(names)}.")
    return value


def _read_share(config: Config, label: str, most: float) -> float:
    value = read(config, label, float)
    if not 0 <= value <= most:
        raise SpecError(f"{label} = {value} is not between 0 and {most}.")
    return value


def build_recipe_space(preset: str, *, on_gpu: bool = False) -> Space:
    """The recipe part of a search space; presets change lengths, never labels."""
    if (preset, on_gpu) not in _EPOCHS:
        raise SpecError(
            f"There is no preset {preset!r}.", hint="Choose quick, balanced or thorough."
        )
    low, high = _EPOCHS[preset, on_gpu]
    return {
        "optimizer": Switch(
            branches={
                "muon": _build_optimizer((0.03, 0.4), (1e-4, 0.1)),
                "sgd": _build_optimizer((0.02, 0.5), (1e-5, 5e-3)),
                "adamw": _build_optimizer((5e-4, 2e-2), (1e-3, 0.3)),
            }
        ),
        "schedule": Choice(options=SCHEDULES),
        "label_smoothing": Float(low=0.0, high=0.2),
        "flip": Choice(options=FLIPS),
        "translate": Float(low=0.0, high=0.125),
        "cutout": Float(low=0.0, high=0.5),
        "mix": Switch(
            branches={
                "none": {},
                "mixup": {"alpha": Float(low=0.1, high=0.4)},
                "cutmix": {"alpha": Float(low=0.5, high=1.0)},
            }
        ),
        "policy": Choice(options=POLICIES),
        "resolution": Choice(options=RESOLUTIONS),
        "ema": Choice(options=(False, True)),
        "tta": Choice(options=TTAS),
        "epochs": Int(low=low, high=high, log=True),
    }


def _build_optimizer(rates: tuple[float, float], decays: tuple[float, float]) -> Space:
    return {
        "lr": Float(low=rates[0], high=rates[1], log=True),
        "weight_decay": Float(low=decays[0], high=decays[1], log=True),
    }
