"""The part of the search form that is about pictures: networks, weights, how they are found, mirroring."""

from dataclasses import dataclass

import streamlit as st

from app import pictures, search_choices, session
from app.augmentation_preview import build_variants
from app.components.gallery import TileGroup, show_gallery
from app.components.numbers import format_count
from app.pictures import Tile, render_source
from app.wording import escape, say, say_plain
from automl.data.dataset import Dataset
from automl.data.task import Task
from automl.models.image.mirroring import suggest_mirroring
from automl.models.image.weights import WeightsPlan, WeightsSource
from automl.search.goals import Method

FAMILIES = ("cnn", "classic", "pretrained")
OFFERED = ("cnn", "classic")  # ticked at first; pretrained ones need weights
FEW_ON_CPU_SIDE = 96
BASE_SIDE = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Networks:
    """Which networks may be tried and how."""

    families: tuple[str, ...]
    method: Method
    weights: WeightsPlan
    may_mirror: bool


def build_choice(networks: Networks) -> search_choices.PictureChoice:
    """What was decided about pictures, as a choice."""
    return search_choices.PictureChoice(
        method=networks.method, weights=networks.weights, may_mirror=networks.may_mirror
    )


def pick_networks(dataset: Dataset, task: Task) -> Networks:
    """Families with one line each, the weights of pretrained ones, the method, and mirroring."""
    st.markdown(say("new.families"), help=say("pictures.families_help"))
    with st.container(key="families", gap="xsmall"):
        ticked = [name for name in FAMILIES if _tick(name)]
        weights = _pick_weights() if "pretrained" in ticked else WeightsPlan()
    if weights.source is WeightsSource.NONE:
        ticked = [name for name in ticked if name != "pretrained"]
    method = _pick_method() if "cnn" in ticked else Method.PLAIN
    may_mirror = _pick_mirroring(dataset, task)
    return Networks(families=tuple(ticked), method=method, weights=weights, may_mirror=may_mirror)


def _tick(name: str) -> bool:
    is_on = st.checkbox(say(f"pictures.family_{name}"), value=name in OFFERED, key=f"family_{name}")
    st.caption(say(f"pictures.family_{name}_line"))
    return is_on


def _pick_weights() -> WeightsPlan:
    """Where weights come from; a plan without a source leaves the family out, aloud."""
    with st.container(border=True, key="weights"):
        source = st.radio(
            say("pictures.weights"),
            (WeightsSource.FOLDER, WeightsSource.HUB),
            index=None,
            key="weights_source",
            format_func=lambda value: say(f"pictures.weights_{value}"),
            captions=[say("pictures.weights_folder_line"), say("pictures.weights_hub_line")],
        )
        folder = ""
        if source is WeightsSource.FOLDER:
            folder = st.text_input(
                say("pictures.weights_path"), key="weights_path", width=520,
                help=say("pictures.weights_path_help"),
            ).strip()  # fmt: skip
        if source is None or (source is WeightsSource.FOLDER and not folder):
            st.warning(say("pictures.weights_missing"))
            return WeightsPlan()
        plan = WeightsPlan(source=WeightsSource(source), folder=folder)
        found = search_choices.find_weights(plan)
        if found.message:
            st.warning(escape(found.message))
            return WeightsPlan()
        titles = ", ".join(backbone.title for backbone in found.backbones)
        st.caption(say("pictures.weights_found", count=len(found.backbones), titles=titles))
        for remark in found.remarks:
            st.caption(escape(remark))
        return plan


def _pick_method() -> Method:
    chosen = st.radio(
        say("pictures.method"),
        list(Method),
        key="method",
        format_func=lambda value: say(f"pictures.method_{value}"),
        captions=[say(f"pictures.method_{value}_line") for value in Method],
    )
    return Method(chosen or Method.PLAIN)


def _pick_mirroring(dataset: Dataset, task: Task) -> bool:
    suggested = suggest_mirroring(task.classes)
    may_mirror = st.toggle(
        say("pictures.mirror"), value=suggested.is_safe, key=f"mirror_{dataset.id[:12]}",
        help=say("pictures.mirror_help"),
    )  # fmt: skip
    key = "pictures.mirror_on" if suggested.is_safe else "pictures.mirror_off"
    st.caption(say(key, reason=suggested.reason))
    with st.expander(say("pictures.preview"), key="augmentation"):
        _show_preview(dataset, task, may_mirror=may_mirror)
    return may_mirror


def _show_preview(dataset: Dataset, task: Task, *, may_mirror: bool) -> None:
    index = pictures.read_index(dataset, task.target)
    if st.button(say("pictures.preview_other"), key="preview_other", icon=":material/shuffle:"):
        session.remember("preview_turn", int(session.recall("preview_turn", 0)) + 1)
    turn = int(session.recall("preview_turn", 0))
    row, partner = pick_pair(dataset, turn)
    pixels = pictures.read_pixels(dataset.id, [row, partner])
    named = [("original", pixels[0])]
    named += build_variants(pixels[0], pixels[1], may_mirror=may_mirror)
    tiles = []
    for name, changed in named:
        caption = say_plain(f"variant.{name}")
        alt = say_plain("pictures.preview_alt", file=index["file"].iloc[row], change=caption)
        tiles.append(Tile(row=row, source=render_source(changed), alt=alt, caption=caption))
    side = dataset.images.side if dataset.images else 0
    show_gallery(
        [TileGroup(tiles=tiles)], key="variants", label=say_plain("pictures.preview"), side=side
    )
    st.caption(say("pictures.preview_note"))


def pick_pair(dataset: Dataset, turn: int) -> tuple[int, int]:
    """Two training pictures far apart, others at every turn."""
    count = max(1, dataset.n_train_rows - dataset.n_val_rows)
    row = (turn * 7919) % count  # a prime step walks through all of them
    return row, (row + count // 2) % count


def show_cost(dataset: Dataset, devices: tuple[str, ...]) -> None:
    """What one epoch reads, and what that means without a GPU."""
    side = dataset.images.side if dataset.images else 0
    n_train = round(0.7 * dataset.n_train_rows)
    ratio = (side / BASE_SIDE) ** 2
    text = say("pictures.cost", count=format_count(n_train), side=side)
    if ratio >= 2:
        text += " " + say("pictures.cost_large", ratio=format_count(ratio))
    on_gpu = any(name.startswith("cuda") for name in devices)
    if not on_gpu and devices:
        key = "pictures.cost_cpu_large" if side >= FEW_ON_CPU_SIDE else "pictures.cost_cpu"
        text += " " + say(key)
    st.caption(text)
