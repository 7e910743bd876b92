"""Who somebody is and what that lets them do. Pure: the roles are a table, and permissions are read from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID


class Permission(StrEnum):
    """What a route may ask for; the names are published."""

    VIEW_STATUS = "alert:view_status"
    VIEW_HISTORY = "alert:view_history"
    TRIGGER_MANUAL = "alert:trigger_manual"
    ENABLE_DISABLE = "alert:enable_disable"
    CONFIGURE = "alert:configure"
    ADMIN = "alert:admin"


AnyKey = Literal["any key"]
ANY_KEY: Final[AnyKey] = "any key"
# What a route says of itself; None: open to everybody.
Needed = Permission | AnyKey | None


class Role(StrEnum):
    """What a key was made for. `master` is a user with the role admin, not a role."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"
    TENANT = "tenant"


_VIEWER: Final = (Permission.VIEW_STATUS, Permission.VIEW_HISTORY)
_OPERATOR: Final = (*_VIEWER, Permission.TRIGGER_MANUAL, Permission.ENABLE_DISABLE)
_ADMIN: Final = (*_OPERATOR, Permission.CONFIGURE, Permission.ADMIN)

# A tenant has no permission at all: routes that serve tenants say so themselves, and keep them among their own.
PERMISSIONS: Final[Mapping[Role, tuple[Permission, ...]]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.ADMIN: _ADMIN,
    Role.TENANT: (),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Whoever sent a request. `key_ref` names the key behind it and says nothing about it; None: no key was needed.

    `lookup` is the public part of a stored key; keys of the settings have none.
    """

    user_id: str
    username: str
    role: Role
    key_ref: str | None
    tenant_id: UUID | None = None
    lookup: str | None = None
    last_used: datetime | None = None

    @property
    def permissions(self) -> tuple[Permission, ...]:
        return PERMISSIONS[self.role]

    @property
    def actor(self) -> str:
        """The name in the audit log; names of stored keys are free, so their public part is added."""
        return self.username if self.lookup is None else f"{self.username} ({self.lookup})"

    def may(self, needed: Needed, *, tenant_scoped: bool) -> bool:
        """Whether a route that asks for `needed` answers; a `tenant_scoped` one answers tenants too."""
        if self.role is Role.TENANT:
            return tenant_scoped or needed in {ANY_KEY, None}
        return needed in {ANY_KEY, None} or needed in self.permissions


# While authentication is switched off, everybody is this one.
ANONYMOUS: Final = Identity("anonymous", "anonymous", Role.ADMIN, None)
NOBODY: Final = "nobody"  # the actor of a change that needs no key
