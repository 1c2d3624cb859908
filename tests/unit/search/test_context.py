"""Warnings: each once, whole, and those that stay true outlive the attempt that said them."""

from automl.search.context import Warnings


def test_the_next_attempt_repeats_what_lasts_and_only_that(tmp_path):
    path = tmp_path / "job" / "warnings.json"
    long = "'id' gives the target away. " * 20
    first = Warnings(path=path)
    for _ in range(2):
        first.add("cuda:0 failed; its trials ran on the CPU.")
        first.add(long)
        first.add("The search was stopped early.", is_lasting=False)
    assert len(first.texts) == 3

    second = Warnings(path=path)
    second.add(long)
    second.add("A new one.")
    assert second.texts == ["cuda:0 failed; its trials ran on the CPU.", long, "A new one."]
    assert Warnings(path=path).texts == second.texts
