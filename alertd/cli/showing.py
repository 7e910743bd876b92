"""How lists and objects of the daemon are shown: a table for people, JSON for scripts."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from alertd.cli.answers import Answer
from alertd.cli.api import Api
from alertd.cli.options import Pages
from alertd.cli.outcome import print_json, print_table, say

# By its title: the path of the field, or what is made of the whole object.
Columns = Mapping[str, str | Callable[[Answer], str]]

MOST_AT_ONCE: Final = 200  # what the daemon gives in one page


def show_list(api: Api, path: str, columns: Columns, pages: Pages, *, json: bool, **query: object) -> None:
    """As many pages as are wanted, as one list."""
    items, cursor = _gathered(api, path, pages, query)
    if json:
        print_json({"items": [item.raw for item in items], "next_cursor": cursor})
        return
    show_table(items, columns)
    more = f" More: --cursor {cursor}, or --all." if cursor else ""
    say(f"{len(items)} shown.{more}" if items else "None.")


def show_table(items: tuple[Answer, ...], columns: Columns) -> None:
    """Nothing at all where there is nothing to show, nor a column for what nothing has."""
    cells = {title: [_cell(item, how) for item in items] for title, how in columns.items()}
    shown = {title: column for title, column in cells.items() if any(column)}
    if shown:
        print_table(tuple(shown), list(zip(*shown.values(), strict=True)))


def show_object(answer: Answer, *, json: bool) -> None:
    """Every field that has a value, one in a line."""
    if json:
        print_json(answer.raw)
    else:
        print_table(("", ""), answer.facts())


def show_outcome(answer: Answer, said: str, *, json: bool) -> None:
    """What was done, in a sentence; for a script as the object that it was done to."""
    if json:
        print_json(answer.raw)
    else:
        say(said)


def _gathered(api: Api, path: str, pages: Pages, query: Mapping[str, object]) -> tuple[tuple[Answer, ...], str | None]:
    items: tuple[Answer, ...] = ()
    cursor: Any = pages.cursor
    while True:
        wanted = MOST_AT_ONCE if pages.everything else min(MOST_AT_ONCE, pages.limit - len(items))
        page = api.get(path, limit=wanted, cursor=cursor, **query)
        items += page.each("items")
        cursor = page.value("next_cursor")
        if cursor is None or (not pages.everything and len(items) >= pages.limit):
            return items, cursor


def _cell(item: Answer, how: str | Callable[[Answer], str]) -> str:
    return item.text(how) if isinstance(how, str) else how(item)
