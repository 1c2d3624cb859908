"""Numbers that others published, or that were computed from public counts and files, and that no other test holds."""

import numpy as np
import pandas as pd
import pytest

from fairness.audit import AuditInput, AuditOptions, compute_audit
from fairness.definitions import compute_metric, compute_metrics
from fairness.intervals import compute_katz, compute_newcombe, compute_two_proportion_p
from fairness.outcomes import Outcomes
from fairness.rates import divide
from fairness.reliability import compute_bins, compute_ece_null
from fairness.resampling import compute_floor, draw_gaps, draw_tables

MILLIONTH, DIGIT = 1e-6, 5e-5
BLACK, WHITE = "African-American", "Caucasian"
BLACK_COUNTS, WHITE_COUNTS = (990, 805, 532, 1369), (1139, 349, 461, 505)  # tn fp fn tp


def audit_by(frame, column, truth, flag, **options):
    return compute_audit(
        AuditInput(
            truth=np.asarray(truth).astype(np.int64),
            prediction=np.asarray(flag).astype(np.int64),
            score=None,
            attributes=frame[[column]],
        ),
        AuditOptions(positive="1", **options),
    )


def audit_compas(frame, column="race", **options):
    flag = frame["score_text"].isin(["Medium", "High"])
    return audit_by(frame, column, frame["two_year_recid"], flag, **options)


@pytest.fixture(scope="module")
def two_races(compas_frame):
    return audit_compas(compas_frame[compas_frame["race"].isin([BLACK, WHITE])])


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("demographic_parity_difference", 0.240200),
        ("demographic_parity_ratio", 0.591638),
        ("equal_opportunity_difference", 0.197373),
        ("equal_opportunity_ratio", 0.725927),
        ("predictive_equality_difference", 0.213925),
        ("predictive_equality_ratio", 0.522987),
        ("equalized_odds_difference", 0.213925),
        ("equalized_odds_difference_mean", 0.205649),
        ("equalized_odds_ratio", 0.522987),
        ("equalized_odds_ratio_mean", 0.624457),
    ],
)
def test_compas_black_and_white(two_races, metric, value):
    spread = two_races.find_extreme("race", metric).all_groups
    assert spread.value == pytest.approx(value, abs=MILLIONTH)


def test_compas_four_races(compas_frame):
    large = compas_frame[~compas_frame["race"].isin(["Asian", "Native American"])]
    audit = audit_compas(large)
    found = [audit.find_extreme("race", f"demographic_parity_{k}").all_groups.value for k in ("difference", "ratio")]  # fmt: skip
    assert found == pytest.approx([0.378654, 0.356253], abs=MILLIONTH)


def test_compas_noise_floor_of_two_races(two_races):
    spread = two_races.find_extreme("race", "false_positive_rate").all_groups
    assert (spread.floor_mean, spread.floor_95) == pytest.approx((0.013, 0.033), abs=0.006)


@pytest.mark.parametrize(
    ("column", "group", "reference", "metric", "value"),
    [
        ("race", WHITE, BLACK, "false_discovery_rate", 1.103650),
        ("race", "Hispanic", BLACK, "false_positive_rate", 0.478997),
        ("sex", "Female", "Male", "false_positive_rate", 0.990343),
        ("age_cat", "Less than 25", "25 - 45", "false_positive_rate", 1.621868),
        ("race", BLACK, "Hispanic", "false_positive_rate", 2.087696),
        ("race", "Native American", "Hispanic", "selection_rate", 2.235088),
    ],
)
def test_ratios_of_the_aequitas_demo(compas, column, group, reference, metric, value):
    first, second = (compas.find_group(column, name).metrics[metric] for name in (group, reference))
    ratio = compute_katz(first.numerator, first.denominator, second.numerator, second.denominator)
    assert ratio.value == pytest.approx(value, abs=MILLIONTH)


def test_compas_bootstrap_of_a_difference():
    """C13: the multinomial bootstrap agrees with Newcombe's interval."""
    drawn = [draw_tables(np.array(each), seed) for seed, each in enumerate((BLACK_COUNTS, WHITE_COUNTS))]  # fmt: skip
    black, white = (divide(t[:, 1].astype(float), (t[:, 0] + t[:, 1]).astype(float)) for t in drawn)
    low, high = np.percentile(black - white, [2.5, 97.5])
    assert (low, high) == pytest.approx((0.183, 0.247), abs=0.003)
    assert (black - white).std() == pytest.approx(0.0162, abs=0.0006)
    native = draw_tables(np.array([5, 3, 1, 9]), draws=20_000)
    assert (native[:, 0] + native[:, 1] == 0).mean() == pytest.approx((10 / 18) ** 18 * 40, abs=0.002)  # fmt: skip


def test_compas_flagged_only_if_high(compas_frame):
    audit = audit_by(
        compas_frame, "race", compas_frame["two_year_recid"], compas_frame["score_text"] == "High"
    )
    expected = {BLACK: (1511, 284, 1160, 741), WHITE: (1407, 81, 771, 195)}
    for group, counts in expected.items():
        assert tuple(audit.find_group("race", group).counts.table) == counts


def test_compas_as_propublica_filtered_it(data_folder):
    columns = ["race", "two_year_recid", "score_text", "days_b_screening_arrest", "is_recid", "c_charge_degree"]  # fmt: skip
    frame = pd.read_csv(data_folder / "compas_two_years.csv", usecols=columns)
    frame = frame[
        frame["days_b_screening_arrest"].between(-30, 30)
        & (frame["is_recid"] != -1)
        & (frame["c_charge_degree"] != "O")
    ]
    audit = audit_compas(frame)
    assert (len(frame), int(frame["two_year_recid"].sum())) == (6172, 2809)
    sizes = {BLACK: 3175, WHITE: 2103, "Hispanic": 509, "Other": 343, "Asian": 31, "Native American": 11}  # fmt: skip
    assert {group.group: group.n for group in audit.list_groups("race")} == sizes
    for metric, pair in (("false_positive_rate", (0.4234, 0.2201)), ("false_negative_rate", (0.2848, 0.4964))):  # fmt: skip
        found = [audit.find_group("race", g).metrics[metric].value for g in (BLACK, WHITE)]
        assert found == pytest.approx(pair, abs=DIGIT)


def test_compas_race_and_sex(compas_frame):
    frame = compas_frame.assign(both=compas_frame["race"] + " " + compas_frame["sex"])
    audit = audit_compas(frame, "both")
    counts = {
        f"{BLACK} Female": (241, 164, 74, 173), f"{BLACK} Male": (749, 641, 458, 1196),
        "Asian Female": (1, 0, 1, 0), "Asian Male": (20, 2, 2, 6),
        f"{WHITE} Female": (257, 111, 86, 113), f"{WHITE} Male": (882, 238, 375, 392),
        "Hispanic Female": (63, 7, 24, 9), "Hispanic Male": (255, 80, 105, 94),
        "Native American Female": (1, 0, 0, 3), "Native American Male": (4, 3, 1, 6),
        "Other Female": (46, 6, 10, 5), "Other Male": (162, 30, 80, 38),
    }  # fmt: skip
    assert {g.group: tuple(g.counts.table) for g in audit.list_groups("both")} == counts
    spread = audit.find_extreme("both", "equal_opportunity_difference").all_groups
    assert (spread.value, spread.min_group) == (1.0, "Asian Female")
    assert "few cases" in audit.find_group("both", "Asian Female").metrics["true_positive_rate"].reason  # fmt: skip


def test_adult_crossed_and_its_label_rates(data_folder):
    frame = pd.read_csv(
        data_folder / "adult_test.csv", usecols=["education-num", "sex", "race", "income"],
        skipinitialspace=True,
    )  # fmt: skip
    frame["both"] = frame["race"] + " " + frame["sex"]
    flag = frame["education-num"] >= 13
    audit = audit_by(frame, "both", frame["income"].str.strip(" .") == ">50K", flag)
    counts = {
        "White Female": (3122, 749, 229, 285),
        "White Male": (5511, 1074, 1530, 1446),
        "Amer-Indian-Eskimo Female": (55, 8, 3, 0),
    }
    for group, table in counts.items():
        assert tuple(audit.find_group("both", group).counts.table) == table
    for sex, n, rate in (("Female", 5421, 0.108836), ("Male", 10860, 0.299816)):
        inside = frame["sex"] == sex
        labels = (frame["income"].str.strip(" .") == ">50K")[inside].to_numpy().astype(np.int64)
        found = compute_metric("base_rate", Outcomes("binary", labels, labels))
        assert found.denominator == n
        assert found.value == pytest.approx(rate, abs=MILLIONTH)


def test_german_credit_by_age(data_folder):
    frame = pd.read_csv(data_folder / "german_credit.csv")
    is_young, good = frame["age"] <= 25, frame["class-label"] == 1
    pairs = [(int(good[side].sum()), int(side.sum())) for side in (is_young, ~is_young)]
    assert pairs == [(110, 190), (590, 810)]
    gap, ratio = compute_newcombe(*pairs[0], *pairs[1]), compute_katz(*pairs[0], *pairs[1])
    assert gap.value == pytest.approx(-0.149448, abs=MILLIONTH)
    assert (gap.low, gap.high) == pytest.approx((-0.2264, -0.0745), abs=DIGIT)
    assert ratio.value == pytest.approx(0.794826, abs=MILLIONTH)
    column = next(c for c in frame.columns if c in ("sex", "gender"))
    crossed = frame[column].astype(str) + np.where(is_young, " young", " old")
    audit = audit_by(frame.assign(both=crossed), "both", good, good)
    found = sorted(tuple(int(v) for v in (g.counts.tp + g.counts.fn, g.n)) for g in audit.list_groups("both"))  # fmt: skip
    assert found == [(52, 85), (58, 105), (143, 205), (447, 605)]


CALIFORNIA = {  # n, mean residual, mae, rmse, r2
    None: (20640, 712.37, 62739.41, 83737.52, 0.473398),
    "NEAR BAY": (2290, -38951.15, 73495.35, 102946.39, 0.297115),
    "<1H OCEAN": (9136, -17395.64, 55829.04, 80715.40, 0.421464),
    "INLAND": (6551, 54972.46, 65251.54, 75210.09, -0.154315),
    "NEAR OCEAN": (2658, -36191.02, 70737.09, 94236.92, 0.407763),
    "ISLAND": (5, -220174.36, 220174.36, 235043.25, -9.640729),
}


def test_california_by_group(data_folder):
    columns = ["median_income", "median_house_value", "ocean_proximity"]
    frame = pd.read_csv(data_folder / "california_housing.csv", usecols=columns)
    forecast = 45_000 + 42_000 * frame["median_income"]
    for group, (n, *expected) in CALIFORNIA.items():
        inside = slice(None) if group is None else frame["ocean_proximity"] == group
        outcomes = Outcomes(
            "regression",
            frame["median_house_value"][inside].to_numpy(float),
            forecast[inside].to_numpy(float),
        )
        names = ("mean_residual", "mae", "rmse", "r2")
        found = [estimate.value for estimate in compute_metrics(names, outcomes).values()]
        assert outcomes.n == n
        assert found[:3] == pytest.approx(expected[:3], abs=5.1e-3)
        assert found[3] == pytest.approx(expected[3], abs=MILLIONTH)


INLINE = {  # the 18 rows of Fairlearn's documentation
    "truth": [int(c) for c in "011110101000111111"],
    "flag": [int(c) for c in "001011100111100110"],
    "group": list("bbabbcccaacabccbcc"),
    "control": list("868888666866668666"),
    "weight": [1, 2, 1, 3, 2, 3, 1, 2, 1, 2, 3, 1, 2, 3, 2, 3, 1, 1],
}


def test_recall_by_two_columns():
    frame = pd.DataFrame({"both": [g + c for g, c in zip(INLINE["group"], INLINE["control"], strict=True)]})  # fmt: skip
    audit = audit_by(frame, "both", INLINE["truth"], INLINE["flag"])
    expected = {"a6": 0, "a8": 1, "b6": 2 / 3, "b8": 0.5, "c6": 0.5, "c8": 0}
    found = {g.group: g.metrics["true_positive_rate"].value for g in audit.list_groups("both")}
    assert found == pytest.approx(expected)
    assert {g.group: g.n for g in audit.list_groups("both")} == {"a6": 2, "a8": 2, "b6": 3, "b8": 3, "c6": 6, "c8": 2}  # fmt: skip


def test_recall_with_weights():
    truth, flag, weight = (np.array(INLINE[name]) for name in ("truth", "flag", "weight"))
    groups = np.array(INLINE["group"])
    expected = {"": 0.454545, "a": 0.5, "b": 0.583333, "c": 0.25}
    for group, value in expected.items():
        inside = np.ones(18, bool) if group == "" else groups == group
        outcomes = Outcomes("binary", truth[inside], flag[inside], weight=weight[inside])
        assert compute_metric("recall", outcomes).value == pytest.approx(value, abs=MILLIONTH)


def test_errors_of_two_bins():
    """I8: the mean, the root mean square and the largest gap of two bins of equal width."""
    bins = compute_bins([0, 0, 1, 1, 1], [0.25, 0.25, 0.55, 0.75, 0.75], 2, "width")
    gaps, share = (bins["observed"] - bins["mean_score"]).abs(), bins["n"] / 5
    found = ((share * gaps).sum(), np.sqrt((share * gaps**2).sum()), gaps.max())
    assert found == pytest.approx((0.29, 0.291833, 0.316667), abs=MILLIONTH)


@pytest.mark.parametrize(("n", "samples", "expected"), [(100, 20, 0.121), (10_000, 3, 0.012)])
def test_ece_of_a_calibrated_model(n, samples, expected):
    """How 100 rows are cut into bins of six and seven moves it by a thousandth."""
    scores = [np.random.default_rng(100 + seed).random(n) for seed in range(samples)]
    nulls = [compute_ece_null(score, seed=seed).mean for seed, score in enumerate(scores)]
    assert np.mean(nulls) == pytest.approx(expected, abs=0.003)


SELECTED = {  # audits published under New York's Local Law 144, vendor of 2024: selected, of all
    "sex": ({"F": (187287, 413984), "M": (260797, 531604)}, {"F": 0.922167, "M": 1}),
    "race": (
        {"Asian": (106573, 221700), "Black": (76282, 162932), "Hispanic": (47305, 106181),
         "two+": (16639, 37668), "White": (182047, 385206)},
        {"Asian": 1, "Black": 0.973944, "Hispanic": 0.926784, "two+": 0.918910, "White": 0.983126},
    ),
    "both": ({"two+ F": (6549, 16028), "Asian M": (62528, 125088)}, {"two+ F": 0.817404, "Asian M": 1}),
}  # fmt: skip


@pytest.mark.parametrize("column", SELECTED)
def test_impact_ratios_of_a_published_audit(column):
    counts, expected = SELECTED[column]
    best = max(counts.values(), key=lambda pair: pair[0] / pair[1])
    found = {name: compute_katz(*pair, *best).value for name, pair in counts.items()}
    assert found == pytest.approx(expected, abs=MILLIONTH)


def test_p_values_of_a_vendor_s_sample():
    """I20: the vendor printed .003 for the first, which cannot be."""
    assert pytest.approx(0.6996, abs=DIGIT) == 142 / 565 / (245 / 682)
    assert compute_two_proportion_p(245, 682, 142, 565) == pytest.approx(4.1e-5, abs=5e-7)
    assert compute_two_proportion_p(86, 312, 156, 412) == pytest.approx(0.0036, abs=DIGIT)


@pytest.mark.parametrize(
    ("groups", "n", "mean", "high", "below"),
    [
        (2, 200, 0.036, 0.090, 0.14),
        (6, 50, 0.163, 0.260, 0.97),
        (12, 50, 0.210, 0.300, 1.00),
        (12, 500, 0.067, 0.094, 0.47),
    ],
)
def test_what_chance_alone_shows(groups, n, mean, high, below):
    """The table of the help page, rate 0.3 in every group: gaps, and how often the ratio falls below 0.8."""
    generator = np.random.default_rng(0)
    hits = generator.binomial(n, 0.3, size=(4_000, groups))
    rates = hits / n
    assert (rates.min(axis=1) < 0.8 * rates.max(axis=1)).mean() == pytest.approx(below, abs=0.02)
    floor = compute_floor(draw_gaps([n] * groups, round(0.3 * n * groups), seed=1), 0.0)
    assert (floor.mean, floor.high) == pytest.approx((mean, high), abs=0.006)
