"""What people paste is read kindly, and nothing of it is repeated in a complaint."""

import pytest
import typer

from alertd.cli.key_input import parsed

PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE==\nAwEHoUQ=\n-----END EC PRIVATE KEY-----"
ESCAPED = PEM.replace("\n", r"\n")


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('{"api_key": "k", "api_secret": "s"}', {"api_key": "k", "api_secret": "s"}),
        ('\n {"api_key": 12, "testnet": true}\n', {"api_key": 12, "testnet": True}),
        ("api_key=k\napi_secret=a=b==\n", {"api_key": "k", "api_secret": "a=b=="}),
        ("# from the vault\n\n api_key = 'k' \r\nsecret=\"s\"\r\n", {"api_key": "k", "secret": "s"}),
        (f"api_secret={PEM}\napi_key=k", {"api_secret": PEM, "api_key": "k"}),
        (f'api_secret="{PEM}"\npassword=p', {"api_secret": PEM, "password": "p"}),
        (f"api_secret={ESCAPED}\napi_key=k", {"api_secret": ESCAPED, "api_key": "k"}),
        ("api_secret='", {"api_secret": "'"}),
    ],
)
def test_fields(text: str, fields: dict[str, object]) -> None:
    assert parsed(text) == fields


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n# nothing\n",
        "hunter2",
        "hunter2=",
        "api_key=k\nhunter2=x",
        '{"api_key": "hunter2"',
        '{"hunter2": "x"}',
        "{}",
        '["hunter2"]',
        "api_key: hunter2",
    ],
)
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(typer.BadParameter) as raised:
        parsed(text)

    assert "hunter2" not in str(raised.value)
    assert "api_secret" in str(raised.value)


def test_the_place_of_a_mistake_is_named() -> None:
    with pytest.raises(typer.BadParameter, match="line 3"):
        parsed("api_key=k\n\noops\n")
