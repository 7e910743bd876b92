"""What a route is: one line of a table from which checking, permission and documentation all follow."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel

from alertd.admin.access import Identity, Needed, Role
from alertd.admin.bodies import JSON
from alertd.admin.cursors import Cursors
from alertd.admin.daemon import Daemon
from alertd.admin.problems import absent
from alertd.admin.shapes import Body, NoBody, NoParams, Params
from alertd.admin.streams import EVENTS

P_co = TypeVar("P_co", bound=Params, covariant=True)
B_co = TypeVar("B_co", bound=Body, covariant=True)

MAX_BODY_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Call(Generic[P_co, B_co]):
    """One request, let in and understood. `request` itself is for streams only.

    `claim` is there where an `Idempotency-Key` came along; whoever writes to the audit log marks it as done.
    """

    who: Identity
    params: P_co
    body: B_co
    now: datetime
    peer: str
    request_id: str
    cursors: Cursors
    request: web.Request = field(repr=False)
    claim: UUID | None = None

    @property
    def scope(self) -> UUID | None:
        """The only tenant whose things this caller may see or change; None: all of them."""
        if self.who.role is Role.TENANT:
            return self.who.tenant_id or UUID(int=0)
        return None

    def within(self, tenant_id: UUID | None) -> UUID | None:
        """The tenant that a list is narrowed to. Raises 404 when it is somebody else's."""
        if self.scope is None:
            return tenant_id
        if tenant_id not in {None, self.scope}:
            raise absent("tenant")
        return self.scope

    def own(self, tenant_id: UUID | None, what: str) -> None:
        """Raises the same 404 as for a `what` that does not exist, unless the caller may see this tenant's."""
        if self.scope is not None and tenant_id != self.scope:
            raise absent(what)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status or headers other than the route's usual ones."""

    content: BaseModel | None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Outcome = BaseModel | Reply | web.StreamResponse | None
Handler = Callable[[Daemon, Call[Any, Any]], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One line of the table.

    permission    None: open to everybody, and then listed in the tests as such
    tenant_scoped tenants' keys pass too; the handler keeps them among their own by `call.scope`
    answer, status  the usual answer; None: an empty one (204), or a stream of `media_type`
    refusals      further statuses that the handler answers with a problem, such as 404 and 409
    others        further statuses that it answers with an object
    bad_path      the status for a value in the path that cannot be
    """

    method: str
    path: str
    handler: Handler
    permission: Needed
    summary: str
    tenant_scoped: bool = False
    params: type[Params] = NoParams
    body: type[Body] = NoBody
    max_bytes: int = MAX_BODY_BYTES
    answer: type[BaseModel] | None = None
    status: int = 200
    media_type: str = JSON
    refusals: tuple[int, ...] = ()
    others: Mapping[int, type[BaseModel]] = field(default_factory=dict)
    bad_path: HTTPStatus = HTTPStatus.NOT_FOUND

    @property
    def name(self) -> str:
        """The handler's name, which is unique: the operation's id in the document."""
        return getattr(self.handler, "__name__", self.path)

    @property
    def path_names(self) -> frozenset[str]:
        return frozenset(re.findall(r"\{(\w+)", self.path))

    @property
    def takes_body(self) -> bool:
        return self.body is not NoBody

    @property
    def endless(self) -> bool:
        """Whether the answer goes on until somebody hangs up."""
        return self.media_type == EVENTS

    @property
    def remembered(self) -> bool:
        """Whether an `Idempotency-Key` makes a repeated request harmless here."""
        return self.method == "POST" and self.permission is not None
