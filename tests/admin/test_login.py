"""Logging in, and who one is then."""

from tests.admin.port import VIEWER, Port

LOGIN = "/api/performance-alerts/auth/login"
ME = "/api/performance-alerts/auth/me"


async def test_login_answers_a_token_and_whose_it_is(port: Port) -> None:
    answer = await port.ask("POST", LOGIN, key=None, json={"api_key": VIEWER})

    assert answer.status == 200
    assert answer.json.keys() == {"access_token", "token_type", "expires_in", "user"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("bearer", 86400)
    assert answer.json["user"] == {
        "user_id": "viewer",
        "username": "viewer",
        "roles": ["viewer"],
        "permissions": ["alert:view_status", "alert:view_history"],
    }
