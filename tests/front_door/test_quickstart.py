"""`claimgate quickstart`: a newcomer's first minute. Every command that it prints is run as printed."""

import re
import shlex
import stat
import subprocess

import pytest

from support.gateway import Process


class Quickstart(Process):
    """A running quickstart, once it has printed everything and listens."""

    def __init__(self, folder):
        super().__init__("quickstart", "--dir", str(folder))
        self.wait_for_log(lambda line: line.get("message") == "listening" and line.get("listener") == "http")
        self.wait_for(lambda: len(self.commands) >= 6)

    @property
    def commands(self) -> list[str]:
        return [line.strip() for line in self.output if line.startswith("curl")]

    def expected(self, command: str) -> str:
        """What is said of a command: the text before it, since the last empty line or command."""
        position = [line.strip() for line in self.output].index(command)
        said = []
        for line in reversed(self.output[:position]):
            if not line.strip() or line.startswith("curl"):
                break
            said.insert(0, line)
        return "".join(said)


@pytest.fixture
def quickstart(request):
    def start(folder) -> Quickstart:
        started = Quickstart(folder)
        request.addfinalizer(started.stop)
        return started

    return start


def run(command: str) -> tuple[int, str]:
    """A printed command as a user pastes it, with the status added to what it prints."""
    result = subprocess.run(
        ["bash", "-c", command + " --noproxy '*' -w '\\n%{http_code}'"], capture_output=True, text=True, timeout=30
    )
    assert result.returncode == 0, (command, result.stderr)
    body, _, status = result.stdout.rpartition("\n")
    return int(status), body


def check_every_command(started: Quickstart):
    statuses = []
    for command in started.commands:
        status, body = run(command)
        said = started.expected(command)
        assert re.search(rf"\b{status}\b", said), (command, said, status, body)
        for other in re.findall(r"\b[2345]\d\d\b", said):
            assert int(other) == status, (command, said, status, body)
        statuses.append(status)
    assert 200 in statuses and 401 in statuses


def test_every_printed_command_does_what_is_said_of_it(quickstart, tmp_path):
    check_every_command(quickstart(tmp_path / "quickstart"))


def test_the_commands_show_all_four_positions_and_a_refusal(quickstart, tmp_path):
    started = quickstart(tmp_path / "quickstart")
    answers = [run(command) for command in started.commands]
    accepted = " ".join(body for status, body in answers if status == 200)
    for part in ("headers", "query", "cookies", "form"):
        assert part in accepted
    refused = " ".join(body for status, body in answers if status == 401)
    assert "missing or malformed jwt" in refused and "invalid or expired jwt" in refused


def test_commands_are_complete_in_themselves(quickstart, tmp_path):
    for command in quickstart(tmp_path / "quickstart").commands:
        assert shlex.split(command)[0] == "curl"
        assert not command.endswith("\\") and "$" not in command


def test_a_second_run_works_with_the_same_key(quickstart, tmp_path):
    first = quickstart(tmp_path / "quickstart")
    commands = first.commands
    assert first.stop() == 0
    second = quickstart(tmp_path / "quickstart")
    check_every_command(second)
    assert len(second.commands) == len(commands)


def test_a_taken_port_is_replaced_by_a_free_one(quickstart, tmp_path):
    first = quickstart(tmp_path / "first")
    second = quickstart(tmp_path / "second")
    check_every_command(first)
    check_every_command(second)
    assert set(first.commands).isdisjoint(second.commands)


def test_the_private_key_is_readable_by_its_owner_only_and_printed_nowhere(quickstart, tmp_path):
    folder = tmp_path / "quickstart"
    started = quickstart(folder)
    files = [file for file in folder.rglob("*") if file.is_file()]
    private = [file for file in files if "PRIVATE KEY" in file.read_text(errors="replace")]
    assert private, "no private key is kept, so a user could sign nothing"
    printed = "".join(started.output + started.lines)
    for file in private:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert not [line for line in file.read_text().splitlines()[1:-1] if line in printed]


def test_no_token_in_its_log(quickstart, tmp_path):
    started = quickstart(tmp_path / "quickstart")
    for command in started.commands:
        run(command)
    assert not [line for line in started.lines if "eyJ" in line]
