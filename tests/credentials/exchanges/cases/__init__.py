"""The cases of every exchange; a file that is put here takes part."""

import importlib
import pkgutil

from tests.credentials.exchanges.cases.shape import Cases

CASES: dict[str, Cases] = {
    cases.exchange: cases
    for found in pkgutil.iter_modules(__path__)
    if found.name != "shape"
    for cases in importlib.import_module(f"{__name__}.{found.name}").CASES
}
