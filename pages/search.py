"""Search: start one, watch it, stop it, go to its results."""

from app import services, session
from app.components.search_form import show_form
from app.components.search_list import show_searches
from app.components.search_live import show_search
from app.components.states import show_empty, show_title
from app.wording import say

search_id = session.get_open("search")
dataset_id = session.get_open("dataset")
search = services.read_search(search_id) if search_id else None
if search is not None:
    show_search(search)
elif dataset_id is not None:
    show_form(services.read_dataset(dataset_id))
    show_searches(dataset_id)
else:
    show_title(say("search.title"), say("search.question_none"))
    show_empty(
        say("search.empty_title"),
        say("search.empty"),
        page="data",
        label=say("search.empty_button"),
    )
    show_searches(None)
