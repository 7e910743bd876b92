"""What Schemathesis cannot know of the port; it loads this file by itself."""

from typing import Any
from uuid import uuid4

import schemathesis
from schemathesis.generation import GenerationMode


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """A sound `Idempotency-Key` is never used twice: the answer to the first would be given again, rightly."""
    sound = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    if sound and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = uuid4().hex
