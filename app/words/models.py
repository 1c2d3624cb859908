"""Words of the models page."""

WORDS: dict[str, str] = {
    "models.title": "Models",
    "models.question": "Which models are finished, and how do you use one?",
    "models.none_title": "No model is finished yet",
    "models.none_text": "Models of finished searches would stand here, each as a bundle to download and to "
    "predict with. Start from a table or from pictures.",
    "models.list": "Finished models",
    "models.name": "Search",
    "models.model": "Model",
    "models.metric": "Test value",
    "models.data": "Data",
    "models.made": "Made",
    "models.pick": "Model",
    "models.bundle": "Download",
    "models.download_bundle": "Download bundle (ZIP)",
    "models.bundle_text": "The bundle holds weights, preprocessing, calibration, threshold, the schema of the "
    "input columns and a model card. No file in it is run when it is loaded.",
    "models.bundle_pictures": "The bundle holds weights, how pictures are brought to size, calibration, classes and a "
    "model card. It holds no pictures. No file in it is run when it is loaded.",
    "models.predict_pictures": "Upload a ZIP of pictures or a single one. They are decoded as the training pictures "
    "were; what cannot be read is counted and named.",
    "models.drop_pictures": "Drop a ZIP of pictures, or one picture, here or",
    "models.single": "Decided: **{label}**, probability **{share}**.",
    "models.set": "Prediction set: **{names}**.",
    "models.set_empty": "empty, no class is likely enough",
    "models.coverage": "Sets or intervals that hold the truth in",
    "models.coverage_none": "none",
    "models.coverage_help": "Adds to every row the set of classes, or the interval, that holds the truth in so many of 100 rows, on average "
    "over rows like those of the search. Choose before you upload.",
    "models.no_coverage": "This bundle was made before prediction sets and intervals were kept; search again to get them.",
    "models.class": "Class",
    "models.probability": "Probability",
    "models.no_bundle": "This search left no bundle.",
    "models.recipe": "How to load it",
    "models.recipe_python": "From Python, in Fairloom's checkout or with the checkout on `PYTHONPATH`:",
    "models.recipe_shell": "From the shell, in the same place:",
    "models.predict": "Predict a file",
    "models.predict_text": "Upload a table with the same columns. Row ids are kept, values that training "
    "never saw are counted, a missing column is named.",
    "models.predict_start": "Predict",
    "models.predict_running": "Predicting {name}: {words}",
    "models.predict_starting": "starting",
    "models.predict_queued": "Predicting {name}: waiting for a worker",
    "models.predict_done": "{name}: {n} rows predicted.",
    "models.predict_one": "{name} predicted.",
    "models.predict_failed": "The file could not be predicted.",
    "models.download_predictions": "Download predictions",
    "models.earlier": "Earlier files ({n})",
}
