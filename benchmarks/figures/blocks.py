"""Figures in a page stand between `<!-- figures: NAME -->` and `<!-- end -->`, where nobody writes by hand."""

import re
from collections.abc import Callable
from typing import Final

BLOCK: Final = re.compile(r"<!-- figures: (?P<name>.+?) -->\n.*?<!-- end -->", re.DOTALL)


def filled(page: str, block: Callable[[str], str]) -> str:
    """The page with each block as `block` says by its name."""

    def fill(found: re.Match[str]) -> str:
        name = found["name"]
        return f"<!-- figures: {name} -->\n\n{block(name)}\n\n<!-- end -->"

    return BLOCK.sub(fill, page)
