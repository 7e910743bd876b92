"""A new encryption key: what older ones sealed is sealed anew."""

from alertd.cipher import Cipher
from alertd.webhooks import endpoints, seals
from alertd.webhooks.endpoints import Draft
from alertd.webhooks.seals import open_endpoint, unseal
from tests.webhooks.post_office import CIPHER, FAILED, HOUR, endpoint, say, taken

NEW, OLD = b"n" * 32, b"k" * 32
ROTATED = Cipher([NEW, OLD])


async def add(db, now, tenant_id, **wishes):
    draft = Draft(tenant_id, "https://hooks.example.com/acme", **wishes)
    return await endpoints.add(db, draft, cipher=CIPHER, now=now)


async def test_what_an_older_key_sealed_is_sealed_anew_so_that_the_key_may_go(db, acme, now):
    added = await add(db, now, acme, headers={"X-Team": "ops"})
    fresh = await endpoints.rotate_secret(db, added.webhook.id, overlap=HOUR, cipher=CIPHER, now=now)

    assert await seals.renew_all(db, ROTATED) == 1

    row, alone = await endpoint(db, added.webhook.id), Cipher([NEW])
    sealed = (row["webhook_secret"], row["next_secret"], row["headers"])
    assert [unseal(alone, added.webhook.id, text) for text in sealed] == [added.secret, fresh, '{"X-Team": "ops"}']


async def test_what_is_sealed_with_the_newest_key_stays_as_it_is(db, acme, now):
    added = await add(db, now, acme)
    before = await endpoint(db, added.webhook.id)

    assert await seals.renew_all(db, CIPHER) == 0

    assert await endpoint(db, added.webhook.id) == before


async def test_one_that_no_key_opens_keeps_none_from_being_sealed_anew(db, acme, now):
    lost = await add(db, now, acme)
    await db.execute("UPDATE tenant_webhooks SET webhook_secret = 'v1.00000000.c2VhbGVk'")
    await add(db, now, acme)

    assert await seals.renew_all(db, ROTATED) == 1
    assert (await endpoint(db, lost.webhook.id))["webhook_secret"] == "v1.00000000.c2VhbGVk"


async def test_an_endpoint_that_is_used_is_sealed_anew_at_once(db, acme, now):
    added = await add(db, now, acme)
    await say(db, FAILED, acme, at=now)
    (one,) = await taken(db, now)

    opened = await open_endpoint(db, one.target, ROTATED)

    assert opened.secret == added.secret
    assert ROTATED.is_current((await endpoint(db, added.webhook.id))["webhook_secret"])
