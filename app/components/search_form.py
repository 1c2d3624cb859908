"""A new search: how long, what counts, what may be tried; the rest has defaults one can open."""

from dataclasses import dataclass, replace

import streamlit as st

from app import choices, navigation, search_choices, services, session
from app.components.goals_form import pick_goals
from app.components.numbers import format_count
from app.components.picture_form import build_choice, pick_networks, show_cost
from app.components.search_options import pick_folds, pick_pruner, pick_sampler
from app.components.space_form import pick_fewer_families, pick_ranges
from app.components.states import show_error, show_title
from app.wording import escape, say, say_plain
from automl.data.dataset import Dataset, Role
from automl.data.setup import Setup
from automl.data.task import Task
from automl.search.offers import PRUNERS, SAMPLERS, Pruner, Sampler, Situation
from automl.search.spec import PRESET_SECONDS, Budget, Preset
from fairness.definitions import METRICS, list_metrics
from fairness.errors import FairloomError

OTHER = "other"
TRIALS = "trials"
FITTING = "fitting"
NETWORKS = ("mlp", "realmlp", "tabm", "resnet", "ft_transformer")
GROUPS = {"networks": NETWORKS, "trees": ("lightgbm", "boosting"), "linear": ("linear",)}
DEFAULT_MINUTES = 5.0
DEFAULT_TRIALS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Advanced:
    """The whole choice, and in words why it cannot be searched for; empty where it can."""

    choice: search_choices.SearchChoice
    problem: str = ""


def show_form(dataset: Dataset) -> None:
    """Draw the form; one press queues the search and opens it."""
    show_title(say("search.title"), say("search.question_new"))
    setup = services.read_setup(dataset.id)
    if setup.target is None:
        _show_no_target(dataset)
        return
    try:
        task = services.infer_task(dataset, services.read_profile(dataset.id), setup)
    except FairloomError as error:
        show_error(error)
        _show_no_target(dataset)
        return
    _show_summary(dataset, setup, task)
    with st.container(key="form", border=True):
        budget = _pick_budget()
        metric = _pick_metric(task)
        networks = None if dataset.images is None else pick_networks(dataset, task)
        families = _pick_families() if networks is None else networks.families
        choice = search_choices.SearchChoice(
            target=task.target,
            metric=metric,
            budget=budget,
            families=families,
            preset=_suggest_preset(budget.seconds),
            sampler=Sampler.TPE,
            pruner=Pruner.SUCCESSIVE_HALVING,
            seed=0,
            devices=(),
            pictures=None if networks is None else build_choice(networks),
        )
        advanced = _pick_advanced(dataset, choice)
        if networks is not None:
            show_cost(dataset, advanced.choice.devices)
        if not families:
            st.warning(say("new.families_none"))
        elif advanced.problem:
            st.warning(escape(advanced.problem))
        _show_start(dataset, advanced)


def _show_no_target(dataset: Dataset) -> None:
    with st.container(border=True, key="no_target"):
        st.header(say("search.target_title"), anchor=False)
        st.write(say("search.target", name=dataset.name))
        if st.button(say("search.target_button"), key="go_data", type="primary"):
            st.switch_page(navigation.get_file("data"), query_params={"dataset": dataset.id})


def _show_summary(dataset: Dataset, setup: Setup, task: Task) -> None:
    inputs = choices.list_with_role(setup, dataset, Role.FEATURE)
    sensitive = choices.list_with_role(setup, dataset, Role.SENSITIVE)
    text = say(
        "new.summary" if dataset.images is None else "new.summary_pictures",
        target=task.target,
        type=say_plain(f"type.{task.type}").lower(),
        name=dataset.name,
        inputs=len(inputs) + len(setup.inputs),
        rows=format_count(dataset.n_rows),
    )
    audit = (
        say("new.sensitive", columns=", ".join(sensitive)) if sensitive else say("new.no_sensitive")
    )
    if setup.drop_pictures:
        named = [say_plain(f"pictures.finding_{code}").lower() for code in setup.drop_pictures]
        audit += " " + say("new.dropped", findings=", ".join(named))
    with st.container(horizontal=True, vertical_alignment="center", key="summary"):
        st.markdown(f"{text} {audit}", width="stretch")
        st.page_link(
            navigation.get_file("data"),
            label=say("new.change"),
            icon=":material/edit:",
            query_params={"dataset": dataset.id},
        )


def _pick_budget() -> Budget:
    """How long, in time or in trials."""
    name = st.segmented_control(
        say("new.budget"),
        (*(preset.value for preset in Preset), TRIALS, OTHER),
        default=Preset.BALANCED.value,
        required=True,
        format_func=lambda value: say(f"budget.{value}"),
        key="budget",
        help=say("new.budget_help"),
    )
    if name == TRIALS:
        trials = st.number_input(
            say("new.trials_only"), min_value=1, max_value=10_000, value=DEFAULT_TRIALS,
            key="budget_trials", width=240, help=say("new.trials_only_help"),
        )  # fmt: skip
        return Budget(seconds=None, trials=int(trials))
    if name == OTHER:
        minutes = st.number_input(
            say("new.minutes"), min_value=0.1, max_value=10_080.0, value=DEFAULT_MINUTES, step=1.0,
            key="budget_minutes", width=240, format="%g",
        )  # fmt: skip
        return Budget(seconds=60 * float(minutes))
    return Budget(seconds=PRESET_SECONDS[Preset(name)])


def _pick_metric(task: Task) -> str:
    names = [metric.name for metric in list_metrics(task.type.value) if metric.direction != "none"]
    name = st.selectbox(
        say("new.metric"),
        names,
        index=names.index(task.metric) if task.metric in names else 0,
        format_func=lambda value: METRICS[value].title,
        key="metric",
        help=say("new.metric_help"),
        width=420,
    )
    metric = METRICS[str(name)]
    direction = say(f"new.{metric.direction}")
    text = metric.help or metric.formula
    st.caption(f"{escape(text)} {direction}")
    return str(name)


def _pick_families() -> tuple[str, ...]:
    groups = st.pills(
        say("new.families"),
        tuple(GROUPS),
        selection_mode="multi",
        default=tuple(GROUPS),
        format_func=lambda value: say(f"families.{value}"),
        key="families",
        help=say("new.families_help"),
    )
    chosen = {name for group in groups or () for name in GROUPS[group]}
    return tuple(name for group in GROUPS.values() for name in group if name in chosen)


def _pick_advanced(dataset: Dataset, choice: search_choices.SearchChoice) -> Advanced:
    """What has a default one can open: the choice with everything that was decided there."""
    with st.expander(say("new.advanced"), key="advanced"):
        top, middle, bottom = st.container(), st.container(), st.container()
        left, right = top.columns(2, gap="medium")
        with right:
            choice = _pick_run(dataset, choice)
        with middle:  # decided first: what is offered above depends on it
            goals = pick_goals(dataset.kind)
        choice = replace(choice, objectives=goals.objectives, limits=goals.limits)
        with bottom:
            choice = _pick_space(dataset, choice)
        situation, problem = _read_situation(dataset, choice)
        with left:
            choice = replace(choice, sampler=pick_sampler(situation), pruner=pick_pruner(situation))
    return Advanced(choice=choice, problem=problem)


def _pick_run(dataset: Dataset, choice: search_choices.SearchChoice) -> search_choices.SearchChoice:
    """Size of the spaces, trials, seed, folds and devices."""
    slots = [slot.name for slot in services.list_slots()]
    named = st.selectbox(
        say("new.preset"), (FITTING, *Preset), key="preset",
        help=say("new.preset_help" if dataset.images is None else "new.preset_help_pictures"),
        format_func=lambda value: _name_preset(value, choice.preset),
    )  # fmt: skip
    limit = choice.budget.trials
    if limit is None:
        limit = st.number_input(
            say("new.trials"), min_value=1, max_value=10_000, value=None, key="trials_limit",
            placeholder=say_plain("new.no_limit"), help=say("new.trials_help"),
        )  # fmt: skip
    seed = st.number_input(
        say("new.seed"), min_value=0, max_value=2**31 - 1, value=0, key="seed",
        help=say("new.seed_help"),
    )  # fmt: skip
    folds = None if dataset.images is not None else pick_folds(dataset, choice)
    devices = st.multiselect(
        say("new.devices"), slots, default=slots, key="devices", help=say("new.devices_help")
    )
    return replace(
        choice,
        budget=replace(choice.budget, trials=int(limit) if limit else None),
        preset=choice.preset if named in (None, FITTING) else Preset(named),
        seed=int(seed or 0),
        devices=tuple(devices),
        folds=folds,
    )


def _pick_space(
    dataset: Dataset, choice: search_choices.SearchChoice
) -> search_choices.SearchChoice:
    """Fewer families and narrower ranges, where somebody wants that."""
    if not st.toggle(say("space.narrow"), key="narrow", help=say("space.narrow_help")):
        return choice
    try:
        absent = search_choices.list_absent(dataset, choice)
        choice = replace(choice, families=pick_fewer_families(choice.families, absent))
        spaces = search_choices.build_spec(dataset, choice).spaces
    except FairloomError:
        return choice  # what is wrong with it stands below the form
    return replace(choice, ranges=pick_ranges(spaces))


def _read_situation(dataset: Dataset, choice: search_choices.SearchChoice) -> tuple[Situation, str]:
    """What samplers and pruners are offered by, and why the choice cannot be searched for, if so."""
    if not choice.devices:
        return Situation(spaces={}), ""
    try:
        spec = search_choices.build_spec(dataset, choice)
    except FairloomError as error:
        return Situation(spaces={}), str(error)
    return spec.situation, "" if spec.families or not choice.families else say_plain(
        "new.families_none"
    )


def _name_preset(value: str, suggested: Preset) -> str:
    name = say_plain(f"preset.{suggested if value == FITTING else value}")
    return say_plain("preset.fitting", name=name) if value == FITTING else name


def _suggest_preset(seconds: float | None) -> Preset:
    if seconds is None or seconds > PRESET_SECONDS[Preset.QUICK]:
        is_long = seconds is not None and seconds >= PRESET_SECONDS[Preset.THOROUGH]
        return Preset.THOROUGH if is_long else Preset.BALANCED
    return Preset.QUICK


def _show_start(dataset: Dataset, advanced: Advanced) -> None:
    choice = advanced.choice
    with st.container(horizontal=True, vertical_alignment="center", key="start_row"):
        pressed = st.button(
            say("new.start"),
            key="start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=not (choice.families and choice.devices) or bool(advanced.problem),
        )
        names = {
            "sampler": SAMPLERS[choice.sampler].title,
            "pruner": say_plain("new.ends", who=PRUNERS[choice.pruner].title),
            "preset": say_plain(f"preset.{choice.preset}"),
        }
        where = _describe_where(dataset, choice.devices)
        st.caption(f"{where} {say('new.defaults', seed=choice.seed, **names)}", width="stretch")
    if not services.has_worker():
        st.warning(say("frame.no_worker"))
    if pressed:
        _start(dataset, choice)


def _describe_where(dataset: Dataset, names: tuple[str, ...]) -> str:
    """The devices that the search will use: of pictures, cores work together."""
    slots = tuple(slot for slot in services.list_slots() if slot.name in names)
    if dataset.images is None or not slots:
        return say("new.where", devices=", ".join(names) or "–")
    from automl.execution.devices import compute_image_resources

    plan = compute_image_resources(slots, dataset.n_train_rows, dataset.images.side)
    used = ", ".join(slot.name for slot in plan.slots)
    key = "new.where" if plan.threads == 1 else "new.where_together"
    return say(key, devices=used, threads=plan.threads)


def _start(dataset: Dataset, choice: search_choices.SearchChoice) -> None:
    ticket = session.get_ticket("search")
    try:
        job = search_choices.submit_search(dataset, choice, ticket)
    except FairloomError as error:
        show_error(error)
        return
    session.renew_ticket("search")
    session.open_search(job.id, dataset.id)
    st.rerun()
