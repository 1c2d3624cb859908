"""Words of the audit page."""

WORDS: dict[str, str] = {
    "audit.title": "Audit",
    "audit.question": "Does the model treat groups of people differently, by how much, and how sure is that?",
    "audit.none_title": "No sensitive column was named",
    "audit.none_text": "No sensitive attribute given. Leaving it out does not remove its influence; add it as "
    "audit-only to check. On the data page, choose the columns under *Sensitive* (sex, age, origin …), then "
    "search again: they are used for this page only, unless you say otherwise.",
    "audit.to_data": "Choose sensitive columns",
    "audit.kind_title": "The audit covers binary tasks so far",
    "audit.kind_text": "This search predicts {kind}. Audits of several classes and of values follow in a later "
    "release; the results page has everything else.",
    "audit.to_results": "Go to the results",
    "audit.columns": "Sensitive columns",
    "audit.attribute": "Column",
    "audit.reference": "Reference group",
    "audit.reference_help": "Every gap is the group minus this one. Preset: the largest group.",
    "audit.min_size": "Smallest group",
    "audit.min_size_help": "Groups with fewer rows stay in the tables, are marked *few cases*, and take no part "
    "in largest-minus-smallest.",
    "audit.threshold": "A case counts as **{positive}** from a probability of **{threshold}** on.",
    "audit.threshold_given": "A case counts as **{positive}** as the model decided.",
    "audit.beneficial": "Good for the person: **{value}**.",
    "audit.beneficial_unset": "Which outcome is good for the person was not stated.",
    "audit.found": "What was found",
    "audit.choose": "Choose a sensitive column to see its groups.",
    "audit.tab_groups": "Groups",
    "audit.tab_gaps": "Gaps",
    "audit.tab_calibration": "Calibration",
    "audit.tab_counts": "Counts",
    "audit.metric": "Measure",
    "audit.groups_alt": "Dot chart with 95 % intervals: {metric} by group of {attribute}",
    "audit.gaps_alt": "Dot chart with 95 % intervals: difference of each group of {attribute} to {reference}",
    "audit.calibration_alt": "Reliability diagram by group of {attribute}",
    "audit.group": "Group",
    "audit.not_estimable": "not estimable",
    "audit.few": "few cases",
    "audit.table_groups": "Every measure by group",
    "audit.table_gaps": "Every gap to the reference group",
    "audit.table_extremes": "Largest and smallest",
    "audit.table_counts": "Counts by group",
    "audit.why_not": "Why some numbers are not estimable",
    "audit.calibration_none": "Calibration is not estimable: the score is no probability.",
    "audit.warnings": "Notes",
    "audit.download": "Download",
    "audit.download_report": "HTML report",
    "audit.download_json": "JSON",
    "audit.download_csv": "CSV",
    "audit.download_note": "The downloads hold the audit as it was made at the end of the search (reference "
    "groups and smallest group as in the search), not the choices above.",
    "audit.notice": "These numbers describe this data and this model. They cannot show whether labels are "
    "right, the use is justified, or the law is met.",
    "audit.overlap": "Overlapping intervals do not mean equal groups.",
    "audit.bins": "Bins can hide differences.",
    "audit.no_predictions": "The predictions of this search are not here any more, so that other choices "
    "cannot be computed.",
}
