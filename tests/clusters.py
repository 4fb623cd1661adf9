"""Database servers of a test's own, which it may stop, crash and configure: in a temporary directory, on the loopback.

Neither server runs as root; where the tests do, it runs as the user that its package made.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError

from tests.servers import DRIVERS, REQUIRED

PATIENCE = 60


class Cluster(ABC):
    """A server, its directory and its port."""

    kind: ClassVar[str]
    user: ClassVar[str]
    """Whom it runs as where the tests run as root."""

    def __init__(self, *settings: str) -> None:
        self.settings = settings
        self.port = free_port()
        # not in pytest's own, which no other user may enter
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.kind}-"))
        self.log = self.folder / "log"
        self.identity: dict[str, Any] = {}
        """How a process is made the server's user's."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, self.user)
            self.identity = {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []}
        self.url = self.url_to(self.port)
        self.is_up = False

    def run(self, *command: str | Path) -> None:
        """Run a command of the server's to its end."""
        done = subprocess.run(
            [str(part) for part in command],
            **self.identity,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr, self.said())

    def said(self) -> str:
        """The server's log."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def sql(self, *statements: str) -> None:
        """Run statements as another program would."""
        url = sqlalchemy.make_url(self.url)
        engine = sqlalchemy.create_engine(
            url.set(drivername=DRIVERS[url.drivername]), poolclass=sqlalchemy.NullPool, isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement.replace("%", "%%"))

    def wait(self) -> None:
        """Return once it lets somebody in."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self.sql("SELECT 1")
            except SQLAlchemyError:
                assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    @abstractmethod
    def url_to(self, port: int) -> str:
        """Where its database is."""

    @abstractmethod
    def make(self) -> None:
        """Make its files, without starting it."""

    def start(self) -> None:
        """Start it, and wait until it lets somebody in."""
        self._start()
        self.is_up = True
        self.wait()

    def stop(self) -> None:
        """End it in good order, whoever is connected."""
        self.is_up = False
        self._stop()

    def crash(self) -> None:
        """End it at once; the next start recovers what was committed."""
        self.is_up = False
        self._crash()

    @abstractmethod
    def main_process(self) -> int:
        """The process that all others of the server are children of."""

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it say nothing meanwhile, without ending or refusing anything."""
        main = self.main_process()
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        processes = [main, *map(int, children)]
        try:
            for process in processes:
                os.kill(process, signal.SIGSTOP)
            while not all(_is_stopped(process) for process in processes):
                time.sleep(0.005)
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    @abstractmethod
    def _start(self) -> None: ...

    @abstractmethod
    def _stop(self) -> None: ...

    @abstractmethod
    def _crash(self) -> None: ...

    def remove(self) -> None:
        """End it, and take everything away."""
        if self.is_up:
            self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgreSQLCluster(Cluster):
    kind = "postgresql"
    user = "postgres"

    @staticmethod
    def programs() -> Path | None:
        """The directory of the newest PostgreSQL that is installed."""
        found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb"), *filter(None, [shutil.which("initdb")])]
        return Path(found[-1]).parent if found else None

    def url_to(self, port: int) -> str:
        return f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def program(self, name: str) -> Path:
        folder = self.programs()
        assert folder is not None
        return folder / name

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def make(self) -> None:
        made = ("--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync")
        self.run(self.program("initdb"), "--pgdata", self.data, *made)
        settings = ("listen_addresses = '127.0.0.1'", f"unix_socket_directories = '{self.folder}'", *self.settings)
        with (self.data / "postgresql.conf").open("a") as file:
            file.write("\n".join(("", *settings, f"port = {self.port}", "")))

    def main_process(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def control(self, *arguments: str | Path) -> None:
        self.run(self.program("pg_ctl"), "--pgdata", self.data, "--wait", *arguments)

    def _start(self) -> None:
        self.control("--log", self.log, "start")

    def _stop(self) -> None:
        self.control("--mode", "fast", "stop")

    def _crash(self) -> None:
        self.control("--mode", "immediate", "stop")


class MariaDBCluster(Cluster):
    kind = "mariadb"
    user = "mysql"

    @staticmethod
    def programs() -> Path | None:
        """Where the server is."""
        found = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        return Path(found) if found and shutil.which("mariadb-install-db") else None

    def url_to(self, port: int) -> str:
        return f"mysql://root@127.0.0.1:{port}/test"

    def make(self) -> None:
        options = ("--auth-root-authentication-method=normal", "--skip-name-resolve")
        self.run("mariadb-install-db", "--no-defaults", f"--datadir={self.folder}/data", *options)

    def _start(self) -> None:
        program = self.programs()
        assert program is not None
        options = [f"--datadir={self.folder}/data", f"--socket={self.folder}/socket", f"--port={self.port}"]
        options += ["--bind-address=127.0.0.1", "--skip-name-resolve", "--innodb-buffer-pool-size=32M"]
        options += [f"--pid-file={self.folder}/pid", f"--log-error={self.log}", *self.settings]
        command = [str(program), "--no-defaults", *options]
        self.process = subprocess.Popen(command, **self.identity, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def main_process(self) -> int:
        return self.process.pid

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.wait(PATIENCE)

    def _stop(self) -> None:
        self.end(signal.SIGTERM)

    def _crash(self) -> None:
        self.end(signal.SIGKILL)


CLUSTERS: dict[str, type[PostgreSQLCluster | MariaDBCluster]] = {
    "postgresql": PostgreSQLCluster,
    "mariadb": MariaDBCluster,
}


def _is_stopped(process: int) -> bool:
    """Whether every thread of a process rests."""
    stats = [path.read_text() for path in Path(f"/proc/{process}/task").glob("*/stat")]
    return all(stat.rpartition(")")[2].split()[0] == "T" for stat in stats)


def free_port() -> int:
    """A port that nobody has just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(kind: str, *settings: str) -> Iterator[Cluster]:
    """A server of that kind, gone again afterwards; the test is skipped where it is not installed."""
    cls = CLUSTERS[kind]
    if cls.programs() is None:
        if REQUIRED:
            pytest.fail(f"the programs of {kind} are not installed, and REST_KIT_REQUIRE_SERVERS is set")
        pytest.skip(f"no {kind} server to start: its programs are not installed")
    cluster = cls(*settings)
    try:
        cluster.make()
        cluster.start()
        yield cluster
    finally:
        cluster.remove()
