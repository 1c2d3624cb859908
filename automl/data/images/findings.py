"""The findings about pictures by their codes, whose rows a person may leave out of a search."""

GREY = "grey_among_colour"  # said when pictures are read
DROPPABLE = (
    "exact_duplicate_across_parts", "near_duplicate_across_parts",
    "exact_duplicate_across_classes", "near_duplicate_across_classes",
    "exact_duplicate", "near_duplicate", "tiny", "dark", "blurred", "odd_aspect",
    GREY,
)  # fmt: skip
DROP, KEEP = "drop", "keep"
