"""Words of the Uncertainty tab: prediction sets, intervals, and the queue of rows for people."""

WORDS: dict[str, str] = {
    "results.tab_uncertainty": "Uncertainty",
    "uncertainty.view": "Show",
    "uncertainty.view_sets": "Prediction sets",
    "uncertainty.view_review": "Review queue",
    "uncertainty.no_predictions": "This search kept no predictions. Search again to see them here.",
    "uncertainty.no_calibrate": "This search was made before the predictions of the calibrate part were kept, from which sets and "
    "intervals are found. Search again to get them.",
    "uncertainty.level": "Coverage",
    "uncertainty.level_help": "How often the truth is meant to be inside: in 90 of 100 rows, say. More coverage, larger sets.",
    "uncertainty.score": "Sets",
    "uncertainty.score_lac": "smallest",
    "uncertainty.score_aps": "adaptive",
    "uncertainty.score_help": "Smallest (LAC): every class whose probability reaches one bound; the smallest sets on average, some may "
    "be empty. Adaptive (APS): the likeliest classes until their probabilities add up to one bound; they grow with how hard a row is and are "
    "never empty.",
    "uncertainty.by": "One bound for",
    "uncertainty.by_all": "all rows",
    "uncertainty.by_group": "each group of {column}",
    "uncertainty.by_each_class": "each true class",
    "uncertainty.by_help": "A bound of its own for each class or group (Mondrian) brings each of them to the coverage, with larger sets "
    "elsewhere. A group must be known when a row is predicted. The bundle holds the bound for all rows.",
    "uncertainty.sets_found": "The set of **{share}** of the {n} test rows holds the true class; asked for are {level}.",
    "uncertainty.intervals_found": "The interval of **{share}** of the {n} test rows holds the true value; asked for are {level}.",
    "uncertainty.band": "With {calibrate} calibrate and {test} test rows, chance alone leaves the measured coverage between {low} and {high} in "
    "95 of 100 draws.",
    "uncertainty.sizes": "A set holds {size} classes on average.",
    "uncertainty.empty": "{share} of the sets are empty: no class is likely enough ({n} rows).",
    "uncertainty.widths": "An interval is {size} wide on average, in the unit of {target}.",
    "uncertainty.bound_lac": "Bound: a class is in the set from a probability of {value} on, by score {rank} of {n} of the calibrate part, the "
    "smallest first.",
    "uncertainty.bound_aps": "Bound: a class is in the set if the likelier ones add up to at most {value}, by score {rank} of {n} of the "
    "calibrate part, the smallest first.",
    "uncertainty.bound_residual": "Bound: {value} on either side of the prediction, by absolute error {rank} of {n} on the calibrate part, the "
    "smallest first. All rows have the same width: it does not tell easy rows from hard ones.",
    "uncertainty.bounds": "Bounds by group",
    "uncertainty.unbounded": "Too few calibrate rows for {level} in: {groups}. There every class, or every value, is possible.",
    "uncertainty.unbounded_group": "{group} (n = {n})",
    "uncertainty.exchangeable": "The coverage holds on average over rows that are exchangeable with the calibrate rows: drawn from the same "
    "source, in no particular order. For one row, one class or one group there is no promise; what was measured for them stands below.",
    "uncertainty.calibrated": "The probabilities were calibrated on the same calibrate rows, which may cost a little coverage (with two classes and "
    "one temperature it changes no set); it is in what was measured.",
    "uncertainty.time": "The test rows are newer than the calibrate rows, so the two are not exchangeable: the measured coverage may differ "
    "from the stated one.",
    "uncertainty.given": "The test part is a given file: where it was drawn differently from the calibrate rows, the measured coverage "
    "differs from the stated one.",
    "uncertainty.weight": "Every row counts once here, whatever its weight.",
    "uncertainty.shown": "Shown by",
    "uncertainty.by_class": "true class",
    "uncertainty.by_tenth": "tenths of the prediction",
    "uncertainty.coverage": "Measured coverage",
    "uncertainty.coverage_axis": "Truth inside, % of rows",
    "uncertainty.stated": "stated {level}",
    "uncertainty.coverage_alt": "Dot chart: measured coverage with 95 % intervals by {by}, beside the stated one",
    "uncertainty.all": "All numbers",
    "uncertainty.group": "Group",
    "uncertainty.column": "Column",
    "uncertainty.n": "n",
    "uncertainty.measured": "Coverage [95 %]",
    "uncertainty.size": "Classes in a set",
    "uncertainty.width": "Width",
    "uncertainty.rank": "Rank",
    "uncertainty.column_lac": "Least probability",
    "uncertainty.column_aps": "Most of the likelier",
    "uncertainty.column_residual": "On either side",
    "uncertainty.infinite": "none",
    "uncertainty.set_sizes": "Size of the sets",
    "uncertainty.set_sizes_alt": "Bar chart: share of the test rows by number of classes in their set",
    "uncertainty.rows": "Test rows with their sets or intervals",
    "review.none": "A value has no confidence, and all intervals are equally wide: no row stands out for a review.",
    "review.limit": "Confidence below",
    "review.limit_help": "The confidence of a row is the probability of its most likely class. Rows below the limit are left to people.",
    "review.found": "**{n}** of {of} test rows ({share}) are less sure than {limit} and would go to people. Of the other rows the model decides "
    "{kept} right; of these it would have {queued} right.",
    "review.choose": "Choose the limit by the curve of the calibrate part; the test part then shows what it gives. A limit chosen by the test part "
    "makes its numbers optimistic.",
    "review.uncalibrated": "The probabilities of this model were not calibrated: a confidence of 0.7 need not mean that 70 of 100 such rows are "
    "right. Read the queue as an order, not as a promise.",
    "review.bound": "The temperature lies at the edge of what is allowed, so that the probabilities may still be too sure or not sure enough.",
    "review.miscalibrated": "After calibration the ECE is {ece} on the test part; calibrated probabilities would show at most {null} in 95 of 100 "
    "draws. The confidence may be too high or too low.",
    "review.curve": "Right decisions by share decided",
    "review.curve_alt": "Line chart: share of right decisions against the share of rows that the model decides",
    "review.part_calibrate": "calibrate part",
    "review.part_test": "test part",
    "review.groups": "Left to people, by group",
    "review.groups_axis": "Rows below the limit, %",
    "review.groups_alt": "Dot chart: share of rows below the limit by group of {column}, with 95 % intervals",
    "review.all_rows": "all rows {share}",
    "review.no_groups": "No sensitive column was kept with the predictions, so there are no groups to compare.",
    "review.kept": "Right among those decided [95 %]",
    "review.left": "Left to people [95 %]",
    "review.queue": "The queue",
    "review.shown": "The {n} least sure of {of} rows. The CSV has all of them, with their inputs.",
    "review.shown_all": "All {of} rows of the queue, the least sure first. The CSV has their inputs.",
    "review.empty": "No test row is less sure than {limit}.",
    "review.gone": "The data set was deleted: the inputs of these rows are gone, the numbers stay.",
    "review.confidence": "Confidence",
    "review.tiles": "The least sure pictures",
    "review.tiles_shown": "Pictures {first} to {last} of {all}, the least sure decision first. Press one to see why.",
}
