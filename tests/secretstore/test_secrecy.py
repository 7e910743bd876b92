"""No token, secret id or key gets into an error, its causes, a repr or a log line; no address with a path either."""

import traceback
from pathlib import Path

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from alertd.cipher import Cipher
from alertd.errors import AlertdError
from alertd.secretstore import SecretStore, open_store
from tests.secretstore.corner import Corner, ref, vault_settings
from tests.secretstore.stubs import always, answer, answering, hung_server

TOKEN = "s.THETOKENTHETOKENTHETOKEN"
SECRET_ID = "5ec5e75e-c5e7-5ec5-e75e-c5e75ec5e75e"
API_SECRET = "the-api-secret-itself"


def everything(error: BaseException) -> str:
    """All that any log could show of an error, with the locals of nobody but the error's own chain."""
    chain: list[BaseException] = [error]
    while (below := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(below)
    shown = [f"{type(e).__module__} {e} {e!r} {e.args} {vars(e)}" for e in chain]
    return "\n".join([*shown, *traceback.format_exception(error)])


async def failure_of(store: SecretStore) -> str:
    with pytest.raises(AlertdError) as failed:
        await store.read(ref())
    return everything(failed.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 412, 429, 500, 501, 502, 503])
async def test_an_answer_that_repeats_our_secrets_is_not_repeated(tmp_path: Path, cipher: Cipher, status: int) -> None:
    said = {"errors": [f"bad {TOKEN} for {API_SECRET}"], "data": {"data": {"api_secret": API_SECRET}}}
    with capture_logs() as logs:
        async with (
            answering(always(status, said)) as address,
            open_store(vault_settings(tmp_path, address=address, token=TOKEN), cipher) as store,
        ):
            shown = await failure_of(store) + repr(store) + repr(vars(store))

    assert TOKEN not in shown + repr(logs)
    assert API_SECRET not in shown + repr(logs)
    assert "/v1/" not in shown + repr(logs)
    assert "hvac.exceptions" not in shown


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://nowhere.invalid"])
async def test_a_failed_connection_shows_no_path_and_no_token(tmp_path: Path, cipher: Cipher, address: str) -> None:
    with capture_logs() as logs:
        async with open_store(vault_settings(tmp_path, address=address, token=TOKEN), cipher) as store:
            shown = await failure_of(store)

    assert TOKEN not in shown + repr(logs)
    assert "/v1/" not in shown + repr(logs)
    assert "requests.exceptions" not in shown


async def test_a_hung_store_shows_no_path_and_no_token(tmp_path: Path, cipher: Cipher) -> None:
    with hung_server() as address:
        settings = vault_settings(tmp_path, address=address, token=TOKEN, timeout_seconds=0.2)
        async with open_store(settings, cipher) as store:
            shown = await failure_of(store)

    assert TOKEN not in shown
    assert "/v1/" not in shown


@pytest.mark.parametrize("token", [f"{TOKEN}\nX-Evil: 1", f"{TOKEN}€"])
async def test_a_token_that_cannot_be_sent_is_not_shown(corner: Corner, cipher: Cipher, token: str) -> None:
    async with open_store(corner.settings(token=token), cipher) as store:
        shown = await failure_of(store)

    assert TOKEN not in shown


async def test_a_refused_approle_shows_no_secret_id(corner: Corner, cipher: Cipher) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return answer({"errors": [f"no {SECRET_ID}"]}, 400)

    with capture_logs() as logs:
        async with answering(refuse) as address:
            settings = corner.settings(address=address, auth="approle", role_id="r", secret_id=SECRET_ID)
            async with open_store(settings, cipher) as store:
                shown = await failure_of(store)

    assert SECRET_ID not in shown + repr(logs)


async def test_a_login_is_logged_without_its_token(corner: Corner, cipher: Cipher) -> None:
    token = corner.token(corner.policy())
    with capture_logs() as logs:
        async with open_store(corner.settings(token=token), cipher) as store:
            await store.health()

    assert logs
    assert token not in repr(logs)


async def test_a_deleted_key_shows_nothing_of_the_answer(corner: Corner, store: SecretStore) -> None:
    corner.put(ref().path, api_secret=API_SECRET)
    corner.client.secrets.kv.v2.delete_latest_version_of_secret(**corner.where(ref().path))

    shown = await failure_of(store)

    assert "deletion_time" not in shown
    assert "/v1/" not in shown


async def test_a_read_key_hides_its_values(corner: Corner, store: SecretStore) -> None:
    corner.put(ref().path, api_key="the-key-itself", api_secret=API_SECRET, metadata={"note": "hidden"})

    shown = repr(await store.read(ref()))

    assert API_SECRET not in shown
    assert "the-key-itself" not in shown
    assert "hidden" not in shown
