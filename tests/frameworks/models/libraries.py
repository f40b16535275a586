"""What libraries, and the models of them, read from the same inputs.

Each program gets a line for each input: its position, Content-Type and text, in hexadecimal and separated by
spaces, `-` for no Content-Type. It answers with a line: a JSON object of models with the readings of one or more
versions, each a list of a name and the text in its value, in hexadecimal, or null for an error.
"""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
FRAMEWORKS = FOLDER.parent
MODELS = FRAMEWORKS.parents[1] / "fuzz/oracles/src/bin/models.rs"
#: Brought by install.sh.
RACK_3 = FOLDER / ".rack3/lib"

#: A name and texts in its value, for every name.
Reading = list[tuple[bytes, list[bytes]]]
#: Models, and what versions of their libraries read; None where one answers an error.
Readings = dict[str, list[Reading | None]]


@dataclass(frozen=True)
class Input:
    position: str
    content_type: bytes | None
    text: bytes

    def __str__(self) -> str:
        content_type = "-" if self.content_type is None else self.content_type.hex()
        return f"{self.position} {content_type} {self.text.hex()}"


def compiled(folder: Path) -> Path:
    """The program that reads with the models."""
    program = folder / "models"
    subprocess.run(["rustc", "--edition=2024", "-Copt-level=1", "-o", program, MODELS], check=True)
    return program


def read_by_models(program: Path, inputs: list[Input]) -> list[dict[str, Reading]]:
    def reading(pairs: Any) -> Reading:
        return decoded([(name, [value]) for name, value in pairs])

    return [{model: reading(pairs) for model, pairs in line.items()} for line in lines([program], inputs)]


PROGRAMS: dict[str, list[Any]] = {
    "Node": ["node", FOLDER / "read.mjs"],
    "Python": [FRAMEWORKS / ".venv-current/bin/python", FOLDER / "read.py"],
    "Werkzeug 2": [FRAMEWORKS / ".venv-werkzeug2/bin/python", FOLDER / "read.py"],
    "Rack 2": ["ruby", FOLDER / "read.rb"],
    "Rack 3": ["ruby", f"-I{RACK_3}", FOLDER / "read.rb"],
}
LIBRARIES = [*PROGRAMS, "PHP"]


def is_installed(library: str) -> bool:
    if library == "Rack 3":
        return RACK_3.exists()
    return shutil.which(PROGRAMS.get(library, ["php"])[0]) is not None


def read_by_library(library: str, inputs: list[Input]) -> list[Readings]:
    if library == "PHP":
        return read_by_php(inputs)
    return [
        {model: [reading if reading is None else decoded(reading) for reading in readings] for model, readings in line.items()}
        for line in lines(PROGRAMS[library], inputs)
    ]


def lines(command: list[Any], inputs: list[Input]) -> list[Any]:
    text = "".join(f"{each}\n" for each in inputs)
    run = subprocess.run(command, input=text, capture_output=True, text=True, timeout=1800, check=False)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(answers) == len(inputs), f"{command} failed after {len(answers)} inputs:\n{run.stderr[-3000:]}"
    return answers


def decoded(pairs: Any) -> Reading:
    return [(bytes.fromhex(name), [bytes.fromhex(value) for value in values]) for name, values in pairs]


def read_by_php(inputs: list[Input]) -> list[Readings]:
    with php() as port:
        return [{"PHP": [decoded(json.loads(answer(port, each))[each.position])]} for each in inputs]


@contextmanager
def php() -> Iterator[int]:
    """PHP's own server, and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["php", "-d", "display_errors=0", "-S", f"127.0.0.1:{port}", FOLDER / "read.php"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        yield port
    finally:
        server.kill()
        server.wait()


def answer(port: int, each: Input) -> bytes:
    """The body of what PHP answers. Its server takes no bytes beyond ASCII in a query, unless they are escaped."""
    query = b"?" + re.sub(rb"[\x80-\xff]", lambda byte: b"%%%02x" % ord(byte[0]), each.text)
    head = [b"POST /" + (query if each.position == "query" else b"") + b" HTTP/1.0"]
    if each.content_type is not None:
        head.append(b"Content-Type: " + each.content_type)
    if each.position == "cookies":
        head.append(b"Cookie: " + each.text)
    body = each.text if each.position == "body" else b""
    head += [b"Content-Length: %d" % len(body), b"", body]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"\r\n".join(head))
        with connection.makefile("rb") as stream:
            return stream.read().partition(b"\r\n\r\n")[2]
