"""The `claimgate` command, run to its end."""

import subprocess
from dataclasses import dataclass

from support.gateway import BINARY


@dataclass
class Result:
    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()


def claimgate(*arguments, stdin: bytes | str = b"", **more) -> Result:
    """Runs a command; nothing may panic, whatever it is given."""
    done = subprocess.run(
        [str(BINARY), *map(str, arguments)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        timeout=120,
        **more,
    )
    err = done.stderr.decode()
    assert "panicked" not in err, err
    return Result(done.returncode, done.stdout, err)


def good(*arguments, stdin: bytes | str = b"", **more) -> str:
    """What a command prints that must succeed."""
    result = claimgate(*arguments, stdin=stdin, **more)
    assert result.code == 0, result
    return result.text


def check_refusal(result: Result, code: int, *words: str):
    """A failure is told in one line that says what is wrong, and nothing is printed."""
    assert result.code == code, result
    assert result.out == b"", result
    lines = result.err.splitlines()
    if lines and lines[0].startswith("error: "):
        lines = [" ".join(lines)]  # Wrong usage, in the words of the library that reads command lines.
    assert len(lines) == 1, result
    for word in words:
        assert word in lines[0], (word, result)
