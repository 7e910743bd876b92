"""The way requests travel to Vault: directly, by what the settings say alone; and why one did not arrive."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NameResolutionError

REDIRECTS: Final = 3


class DirectSession(requests.Session):
    """No proxies, certificates or passwords out of the environment, and no step down to plain HTTP."""

    def __init__(self, *, threads: int, ca_cert: Path | None) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = str(ca_cert) if ca_cert else True
        self.max_redirects = REDIRECTS
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(pool_maxsize=threads))

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        secure = str(resp.url).startswith("https:")
        return None if target and secure and target.startswith("http:") else target


def was_reset(failure: BaseException) -> bool:
    return any(isinstance(cause, ConnectionResetError | BrokenPipeError) for cause in _causes(failure))


def why_no_connection(failure: Exception) -> str:
    if isinstance(failure, OSError) and not isinstance(failure, requests.RequestException):
        return "a file it needs cannot be read: secrets.vault.ca_cert, or Kubernetes' service account token"
    for cause in _causes(failure):
        if isinstance(cause, NameResolutionError):
            return "its name does not resolve; see secrets.vault.address"
        if isinstance(cause, ConnectionRefusedError):
            return "nothing listens there; is it running, and is secrets.vault.address right?"
    return "the connection fails; see secrets.vault.address and the network between"


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """The error and what lies under it, as requests and urllib3 wrap it."""
    cause: BaseException | None = failure
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
