"""A PostgreSQL server of the test's own."""

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

#: Debian keeps the server's programs apart from others.
PROGRAMS = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None)
SUPERUSER_PASSWORD = "password-of-the-superuser"


class PostgreSql:
    """A server on a unix socket in `folder` and on a port of loopback, ended by `stop`."""

    def __init__(self):
        assert PROGRAMS, "PostgreSQL's server is not there; scripts/lib/install.sh installs it"
        # Not in pytest's folder, which only root may enter.
        self.folder = Path(tempfile.mkdtemp(prefix="claimgate-postgresql-"))
        self._own(self.folder)
        self.password_file = self.folder / "password"
        self.password_file.write_text(SUPERUSER_PASSWORD + "\n")
        self._own(self.password_file)
        self.process = None
        atexit.register(self.stop)
        self._run("initdb", "-D", self.data, "-U", "root", "-E", "UTF8", "--locale=C", "-A", "scram-sha-256", "--pwfile", self.password_file, "--no-sync")
        self.start()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self, port: int | None = None, *settings: str):
        """Starts the server, on another free port when somebody was faster to take the first."""
        for _ in range(10):
            self.port = port or _free_port()
            self.process = self._spawn(settings)
            if self._wait_until_ready():
                return
            self.stop_server()
        raise AssertionError((self.folder / "log").read_text())

    def _spawn(self, settings) -> subprocess.Popen:
        options = ["-c", "fsync=off", "-c", f"unix_socket_directories={self.folder}", "-c", "listen_addresses=127.0.0.1"]
        for setting in settings:
            options += ["-c", setting]
        command = [PROGRAMS.with_name("postgres"), "-D", self.data, "-p", str(self.port), *options]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(self._unprivileged(command), stdout=log, stderr=log, cwd=self.folder)

    def _wait_until_ready(self) -> bool:
        for _ in range(200):
            if self.process.poll() is not None:
                return False
            if subprocess.run([PROGRAMS.with_name("pg_isready"), "-q", "-h", self.folder, "-p", str(self.port)]).returncode == 0:
                return True
            try:
                self.process.wait(0.05)
            except subprocess.TimeoutExpired:
                pass
        return False

    def stop_server(self):
        """Ends the server at once, as a crash of its machine does for clients."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)

    def stop(self):
        self.stop_server()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text: str, database: str = "postgres") -> str:
        command = [PROGRAMS.with_name("psql"), "-h", self.folder, "-p", str(self.port), "-U", "root", "-qAt", "-v", "ON_ERROR_STOP=1", database]
        environment = {**os.environ, "PGPASSWORD": SUPERUSER_PASSWORD}
        done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def own(self, *files: Path):
        """Hands files to the server's user."""
        for file in files:
            self._own(file)

    def _own(self, path: Path):
        if os.getuid() == 0:
            user = _server_user()
            os.chown(path, user.pw_uid, user.pw_gid)

    def _run(self, program: str, *arguments):
        command = self._unprivileged([PROGRAMS.with_name(program), *arguments])
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=120)
        assert done.returncode == 0, done.stderr

    @staticmethod
    def _unprivileged(command: list) -> list:
        """PostgreSQL refuses to run as root."""
        if os.getuid() != 0:
            return command
        user = _server_user()
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command]


def _server_user():
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
