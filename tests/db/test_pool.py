from alertd.db import Db
from tests import factories


async def test_json_comes_back_as_it_went(db: Db) -> None:
    assert await db.fetchval("SELECT $1::jsonb", {"a": [1, None]}) == {"a": [1, None]}


async def test_a_tenant(db: Db) -> None:
    await factories.tenant(db)

    assert await db.fetchval("SELECT count(*) FROM tenants") == 1
