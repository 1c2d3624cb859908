"""Words of the tab Explain: what a model of a table relies on."""

WORDS = {
    "explained.view": "Question",
    "explained.view_importance": "Which columns matter",
    "explained.no_model": "This search has no model any more, so that there is nothing to explain. Search again to get one.",
    "explained.no_rows": "The test rows of this search are not here any more, so that the model cannot be asked about them.",
    "explained.queued": "Waiting for a worker",
    "explained.working": "Starting",
    "explained.stopping": "Cancelling",
    "explained.cancel": "Cancel",
    "explained.stopped": "It was cancelled.",
    "explained.absent": "The answer is not here any more.",
    "explained.again": "Ask again",
    "explained.limits": "What this cannot tell: {text}",
    "explained.json": "Download JSON",
    "importance.what": "Each column is shuffled among the test rows, ten times, and the model predicts them anew: what the score "
    "loses is what it owed to that column. The worker computes it; it is kept.",
    "importance.start": "Shuffle every column",
    "importance.title": "What the score loses without a column",
    "importance.alt": "Bar chart: loss of the metric when a column is shuffled, with intervals, the largest on top",
}
