"""Data: bring a table, see what is in it, say what should be predicted."""

from app import session
from app.components.data_list import show_datasets
from app.components.data_set import show_dataset
from app.components.importing import show_import

import_id = session.get_open("import")
dataset_id = session.get_open("dataset")
if import_id:
    show_import(import_id)
elif dataset_id:
    show_dataset(dataset_id)
else:
    show_datasets()
