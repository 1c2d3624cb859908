"""The findings about pictures by their codes, whose rows a person may leave out of a search."""

GREY = "grey_among_colour"  # said when pictures are read
DROPPABLE = (
    "exact_duplicate_across_parts", "near_duplicate_across_parts",
    "exact_duplicate_across_classes", "near_duplicate_across_classes",
    "exact_duplicate", "near_duplicate", "tiny", "dark", "blurred", "odd_aspect",
    GREY,
)  # fmt: skip
LOOKS = ("tiny", "dark", "blurred", "odd_aspect", GREY)  # of one picture alone
MOST_OF_A_SET = 0.5
NATURE = "Most of the set is like that: it is its nature, so nothing is offered to be left out."
DROP, KEEP = "drop", "keep"
