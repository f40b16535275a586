"""`claimgate authorizer check` and `hash`, and what wrong usage gives."""

import fcntl
import os
import pty
import select
import subprocess
import termios

import argon2
import pytest

from support.authorizer import CHEAP, Authorizer, password_hash
from support.command import check_refusal, claimgate, good
from support.gateway import BINARY


def test_hashes_are_those_of_other_implementations():
    theirs = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=2)
    printed = good("authorizer", "hash", "--memory-kib", "64", "--iterations", "1", "--parallelism", "2", stdin="caf\u00e9 \0 \u2603")
    assert printed.startswith("$argon2id$v=19$m=64,t=1,p=2$") and printed.endswith("\n")
    assert theirs.verify(printed.strip(), "caf\u00e9 \0 \u2603")
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        theirs.verify(printed.strip(), "cafe")


def test_hashes_of_other_implementations_are_taken(authorizer):
    theirs = argon2.PasswordHasher(time_cost=2, memory_cost=128, parallelism=4, hash_len=16, salt_len=8)
    login = authorizer(users=[{"username": "snow", "passwordHash": theirs.hash("winter is coming")}])
    assert login.log_in().status_code == 200
    assert login.log_in("snow", "winter").status_code == 400


def test_the_parameters_are_those_that_owasp_recommends():
    assert good("authorizer", "hash", stdin="winter").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_end_of_the_line_is_no_part_of_a_password(end):
    printed = good("authorizer", "hash", *CHEAP, stdin=" winter " + end)
    assert argon2.PasswordHasher().verify(printed.strip(), " winter ")


@pytest.mark.parametrize(
    ("stdin", "told"),
    [
        (b"", "the password is empty"),
        (b"\n", "the password is empty"),
        (b"hunter2\nhunter2\n", "more than one line"),
        (b"hunter2\n\n", "more than one line"),
        (b"hunter2\xff", "not UTF-8"),
        (b"hunter2" * 10_000, "longer than 64 KiB"),
    ],
)
def test_what_is_no_password_is_refused(stdin, told):
    result = claimgate("authorizer", "hash", *CHEAP, stdin=stdin)
    check_refusal(result, 1, told)
    assert "hunter2" not in result.err


@pytest.mark.parametrize(
    "options",
    [
        ["--memory-kib", "7"],
        ["--memory-kib", "64", "--parallelism", "9"],
        ["--iterations", "0"],
        ["--iterations", "65"],
        ["--parallelism", "0"],
        ["--memory-kib", "many"],
        ["--colour", "red"],
    ],
)
def test_parameters_that_cannot_be_are_wrong_usage(options):
    check_refusal(claimgate("authorizer", "hash", *options, stdin="winter"), 2)


def on_a_terminal(*typed: str) -> tuple[int, str, str]:
    """Types lines when they are asked for; gives the exit code, the hash and what the terminal showed."""
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(BINARY), "authorizer", "hash", *CHEAP],
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, preexec_fn=lambda: take_terminal(theirs),
    )  # fmt: skip
    os.close(theirs)
    shown = ""
    for number, line in enumerate(typed, start=1):
        while shown.count(": ") < number:
            assert select.select([terminal], [], [], 20)[0], shown
            shown += os.read(terminal, 1000).decode()
        # It asks first, and then sees to it that nothing that is typed is shown.
        Authorizer.wait_until(lambda: not termios.tcgetattr(terminal)[3] & termios.ECHO)
        os.write(terminal, line.encode() + b"\n")
    out = process.stdout.read().decode()
    code = process.wait(20)
    while select.select([terminal], [], [], 0.2)[0]:
        try:
            shown += os.read(terminal, 1000).decode()
        except OSError:
            break
    os.close(terminal)
    return code, out, shown


def take_terminal(terminal: int):
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown():
    code, out, shown = on_a_terminal("winter is coming", "winter is coming")
    assert code == 0 and argon2.PasswordHasher().verify(out.strip(), "winter is coming")
    assert "Password: " in shown and "winter" not in shown

    code, out, shown = on_a_terminal("winter is coming", "winter was coming")
    assert (code, out) == (1, "") and "the two passwords differ" in shown and "winter" not in shown


GOOD = "issuer: http://localhost\nkeys: {folder: keys}\nusers: {file: users.yaml}\n"


@pytest.fixture
def check(tmp_path):
    def run(configuration: str, users: str | None = None):
        (tmp_path / "users.yaml").unlink(missing_ok=True)
        if users is not None:
            (tmp_path / "users.yaml").write_text(users)
        config = tmp_path / "authorizer.yaml"
        config.write_text(configuration)
        result = claimgate("authorizer", "check", "--config", config)
        assert result.out == b"" and not (tmp_path / "keys").exists()
        return result

    return run


def test_check_tells_all_that_is_wrong_with_its_place(check):
    users = f"users:\n- {{username: snow, passwordHash: '{password_hash('winter is coming')}'}}\n"
    result = check(GOOD, users)
    assert result.code == 0 and "the configuration is good" in result.err

    result = check("issuer: ftp://x\nkeys: {folder: keys, algorithm: HS256}\nusers: {fil: x}\nclaims: {exp: 1}\n")
    places = [line.split(" ")[0].rpartition("/")[2] for line in result.err.splitlines()]
    assert result.code == 1
    assert places == [f"authorizer.yaml:{place}:" for place in ["1:9", "2:33", "3:8", "3:9", "4:15"]]

    result = check(GOOD, users + "- {username: snow, passwordHash: hunter2}\n")
    assert result.code == 1 and "users.yaml:3:34: error: users[1].passwordHash:" in result.err and "hunter2" not in result.err


def test_check_gives_2_for_files_that_cannot_be_read(check, tmp_path):
    assert check(GOOD).code == 2
    result = claimgate("authorizer", "check", "--config", tmp_path / "missing.yaml")
    check_refusal(result, 2, "there is no such file")
    check_refusal(claimgate("authorizer", "check", "--config", tmp_path), 2, "this is a folder")


def test_check_does_not_need_the_database(check):
    configuration = GOOD.replace("{file: users.yaml}", "{postgresql: {connection: host=192.0.2.1, query: 'select h from u where n = $1'}}")
    assert check(configuration).code == 0


def test_nothing_is_served_with_a_bad_file_of_users(tmp_path):
    (tmp_path / "users.yaml").write_text("users: [{username: snow, passwordHash: hunter2}]")
    config = tmp_path / "authorizer.yaml"
    config.write_text(GOOD + "listen: 127.0.0.1:0\n")
    result = claimgate("authorizer", "--config", config)
    assert result.code == 1 and "users[0].passwordHash" in result.err and "hunter2" not in result.err


def test_a_taken_port_is_told(authorizer, tmp_path):
    login: Authorizer = authorizer()
    (tmp_path / "users.yaml").write_text("users: []")
    config = tmp_path / "authorizer.yaml"
    config.write_text(GOOD + f"listen: 127.0.0.1:{login.port}\n")
    result = claimgate("authorizer", "--config", config)
    assert result.code == 1 and f"cannot listen on listen 127.0.0.1:{login.port}" in result.err.splitlines()[-1]


@pytest.mark.parametrize("arguments", [[], ["rotate"], ["check"], ["--config"], ["--config", "x", "hash"], ["login"], ["rotate", "--force"]])
def test_wrong_usage(arguments):
    result = claimgate("authorizer", *arguments)
    assert result.code == 2 and result.out == b""
