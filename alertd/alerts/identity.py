"""What makes two alerts the same alert. Pure."""

import hashlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

PLATFORM_CHECK: Final = "platform"  # of alerts about ourselves, which have no tenant


@dataclass(frozen=True, slots=True)
class Identity:
    """Never severity, values, or time."""

    tenant_id: UUID | None
    check: str
    subject: str
    rule: str

    @property
    def fingerprint(self) -> str:
        parts = (str(self.tenant_id or ""), self.check, self.subject, self.rule)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
