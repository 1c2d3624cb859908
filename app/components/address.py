"""Widgets whose choice stands in the address, so that a link shows what its sender saw."""

from collections.abc import Callable, Collection

from app import session


def bind_choice(place: str, key: str, known: Collection[str], default: str) -> Callable[[], None]:
    """Set widget ``key`` to what the address says at ``place``; the callback that writes a change back.

    What is not among the ``known`` counts as unsaid; the ``default`` leaves the address short.
    """
    said = session.get_view(place)
    session.put_widget(key, said if said in known else default)

    def keep() -> None:
        chosen = str(session.recall(key) or default)
        session.set_view(**{place: "" if chosen == default else chosen})

    return keep


def bind_number(place: str, key: str, ends: tuple[int, int], default: int) -> Callable[[], None]:
    """The same for a whole number between two ends."""
    said = session.get_view(place)
    value = int(said) if said.isdecimal() and len(said) < 9 else default
    session.put_widget(key, min(max(value, ends[0]), ends[1]))

    def keep() -> None:
        chosen = int(session.recall(key, default))
        session.set_view(**{place: "" if chosen == default else str(chosen)})

    return keep
