"""The database: a pool, transactions, the schema; the one place where the driver's errors become ours."""

from alertd.db.faults import Forbidden
from alertd.db.ids import new_id
from alertd.db.pool import Db, Row, Sql, Tx, open_db
from alertd.db.schema import SchemaStatus, apply_schema, schema_sql, schema_status

__all__ = [
    "Db",
    "Forbidden",
    "Row",
    "SchemaStatus",
    "Sql",
    "Tx",
    "apply_schema",
    "new_id",
    "open_db",
    "schema_sql",
    "schema_status",
]
