"""Reads the fields of an exchange key from a person or from a pipe; never from an argument, never echoed."""

import json
import sys
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import typer

NAMES: Final = ("api_key", "api_secret", "secret", "passphrase", "password", "testnet", "metadata")
SHAPE: Final = (
    'standard input must be a JSON object or name=value lines, such as {"api_key": "…", "api_secret": "…"}; '
    f"the names are {', '.join(NAMES)}"
)
PEM_BEGINS, PEM_ENDS = "-----BEGIN", "-----END"


def read_fields(asked_for: Sequence[str]) -> Mapping[str, object]:
    """From standard input; at a terminal each of `asked_for` is prompted. Raises BadParameter, without a value."""
    if sys.stdin.isatty():
        return _prompted(asked_for)
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise typer.BadParameter("standard input is no UTF-8 text") from None
    return parsed(text)


def parsed(text: str) -> Mapping[str, object]:
    """The fields in `text`. What is wrong is told by its place: any part of it may be a secret."""
    fields = _json(text) if text.lstrip().startswith("{") else dict(_assignments(text.splitlines()))
    if not fields or not fields.keys() <= set(NAMES):
        raise typer.BadParameter(SHAPE)
    return fields


def _json(text: str) -> Mapping[str, object]:
    try:
        fields = json.loads(text)
    except ValueError:
        raise typer.BadParameter(SHAPE) from None
    return {str(name): value for name, value in fields.items()}


def _assignments(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """`name=value`, quoted or not; empty lines and comments are skipped, and a PEM goes on until its end."""
    numbered = enumerate(lines, 1)
    rest = (line for _, line in numbered)
    for number, line in numbered:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or name.strip() not in NAMES:
            raise typer.BadParameter(f"line {number}: {SHAPE}")
        yield name.strip(), _unquoted("\n".join(_whole(value.strip(), rest)))


def _whole(first: str, rest: Iterator[str]) -> Iterator[str]:
    """The lines of one value: more than one only for a PEM."""
    yield first
    if PEM_BEGINS in first and PEM_ENDS not in first:
        for line in rest:
            yield line
            if PEM_ENDS in line:
                return


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value


def _prompted(asked_for: Sequence[str]) -> Mapping[str, object]:
    with _silent_terminal():
        return {name: "\n".join(_whole(_typed(f"{name} (not shown): "), iter(_typed, None))) for name in asked_for}


def _typed(prompt: str = "") -> str:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if prompt:
        sys.stderr.write("\n")
    if not line:
        raise typer.Abort
    return line.rstrip("\n")


@contextmanager
def _silent_terminal() -> Iterator[None]:
    """No echo until the end; getpass drops what was typed ahead, which is most of a pasted PEM."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    silent = [*before]
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(descriptor, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
