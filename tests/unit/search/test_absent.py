import pytest

from automl.search.absent import find_absent


def test_a_small_table_on_a_gpu_has_them_all():
    assert find_absent(n_rows=100_000, n_columns=60, on_gpu=True) == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"on_gpu": False}, "needs a GPU"),
        ({"n_columns": 61}, "up to 60 columns, there are 61"),
        ({"n_rows": 100_001}, "up to 100,000 training rows, there are 100,001"),
    ],
)
def test_what_is_not_offered_has_a_reason(change, reason):
    facts = {"n_rows": 1000, "n_columns": 10, "on_gpu": True} | change
    assert reason in find_absent(**facts)["ft_transformer"]
