"""Lists, page by page: fetch one row more than asked for, and it is known whether there are more."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from alertd.admin.routing import Call
from alertd.admin.shapes import Page, PageParams

Found = TypeVar("Found")
Item = TypeVar("Item", bound=BaseModel)


def after(call: Call[PageParams, Any]) -> tuple[str, ...] | None:
    """The mark of the last item of the page before; None: this is the first. Raises 400 for a false cursor."""
    cursor = call.params.cursor
    return None if cursor is None else call.cursors.open(cursor)


def page(
    call: Call[PageParams, Any],
    found: Sequence[Found],
    *,
    shape: type[Item],
    mark: Callable[[Found], Sequence[str]],
) -> Page[Item]:
    """`found` holds up to `limit` + 1 of what comes after the mark; `mark` names the place of one of them."""
    shown = found[: call.params.limit]
    more = len(found) > len(shown)
    return Page[shape](  # type: ignore[valid-type]
        items=[shape.model_validate(item) for item in shown],
        next_cursor=call.cursors.seal(mark(shown[-1])) if more else None,
    )
