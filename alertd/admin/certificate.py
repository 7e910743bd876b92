"""The admin port's certificate, which may be renewed while it is in use: new connections get the new one."""

import ssl
from collections.abc import Callable

from alertd.config import Settings
from alertd.config.admin import AdminSettings
from alertd.errors import ConfigError


class Certificate:
    """Made for settings that have one. Raises ConfigError for files that cannot be used."""

    def __init__(self, settings: Settings) -> None:
        self._current = _context(settings.admin)
        self.context = _context(settings.admin)
        # Asked at each handshake, whether or not the client names a host.
        self.context.sni_callback = self._put_on

    async def ready_for(self, settings: Settings) -> Callable[[], None]:
        """Reads the files again, also where their names are the same. Raises ConfigError."""
        renewed = _context(settings.admin)

        def adopt() -> None:
            self._current = renewed

        return adopt

    def _put_on(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._current


def _context(admin: AdminSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(admin.tls_cert or "", admin.tls_key)
    except (OSError, ssl.SSLError) as exc:
        raise ConfigError([f"admin.tls_cert: {admin.tls_cert} cannot be used ({exc.strerror or exc})"]) from exc
    return context
