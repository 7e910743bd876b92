"""What Schemathesis cannot know of the port; it loads this file by itself.

SEEDS names a file with things that exist, by operation: of sound requests two in three are about them, so that
they are carried out and not only refused. ANSWERS names the file in which each answer is noted.
"""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import schemathesis
from schemathesis.generation import GenerationMode

SEEDS: dict[str, list[dict[str, Any]]] = json.loads(Path(os.environ["SEEDS"]).read_text())
ANSWERS = Path(os.environ["ANSWERS"])
TURNS: Counter[str] = Counter()


def name_of(case: schemathesis.Case) -> str:
    return str(case.operation.definition.raw["operationId"])


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """A sound `Idempotency-Key` is never used twice: the answer to the first would be given again, rightly."""
    if not is_sound(case):
        return
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = uuid4().hex
    name = name_of(case)
    TURNS[name] += 1
    if name in SEEDS and TURNS[name] % 3:
        seeds = SEEDS[name]
        plant(case, seeds[(TURNS[name] - TURNS[name] // 3 - 1) % len(seeds)])


def is_sound(case: schemathesis.Case) -> bool:
    """Whether every part of the request is meant to be right."""
    modes = [] if case.meta is None else [case.meta.generation.mode, *(c.mode for c in case.meta.components.values())]
    return bool(modes) and all(mode is GenerationMode.POSITIVE for mode in modes)


def plant(case: schemathesis.Case, seed: dict[str, Any]) -> None:
    """What the seed does not say stays as it was made up. What goes through a file as CSV stays, too."""
    case.path_parameters.update(
        {name: seed["path"][name] for name in seed["path"].keys() & case.path_parameters.keys()}
    )
    if isinstance(seed["body"], dict) and isinstance(case.body, dict):
        case.body = {**case.body, **seed["body"]}
    elif seed["body"] is not None and not isinstance(case.body, (str, bytes)):
        case.body = seed["body"]


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response) -> None:
    with ANSWERS.open("a") as answers:
        answers.write(f"{name_of(case)} {response.status_code}\n")
