"""The frameworks: rows of `functions/registry.json` and `functions/python.json`.

Members of a row:
- `name`; `short`, whether it belongs to the short run; `version`, of what the install pins.
- `command`, run in the folder `cwd` (relative to `functions`) with the variables `env`; PORT says where to listen.
- `kind`: `paths` for functions that only test_paths.py uses.
- `ready_seconds`: how long it may take to start on an idle machine.
- `threads`: how many requests are sent to it at once. `share`: of the generated cases; less for slow ones.
- `positions`: what it reads.
- `reads_any_body`: whether it takes a body of any type for a form, as Bottle does.
- `multipart_of_post_only`: whether it reads pairs in multipart bodies that were not sent by POST, as CGI.pm does.
- `reads_keywords`: whether a query or form without any `=` means something else to it, as in CGI.pm (RFC 3875, 4.4).
- `any_reads_cookies`: whether accessors that mix positions read cookies too, as $_REQUEST does in PHP without a php.ini.
"""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

FUNCTIONS = Path(__file__).resolve().parents[1] / "functions"
POSITIONS = ("header", "query", "form", "cookie")


@dataclass(frozen=True)
class Framework:
    name: str
    command: list[str]
    version: str
    short: bool
    cwd: str = "."
    env: dict[str, str] = field(default_factory=dict)
    kind: str = "parameters"
    ready_seconds: int = 5
    threads: int = 8
    share: float = 1.0
    positions: tuple[str, ...] = POSITIONS
    reads_any_body: bool = False
    any_reads_cookies: bool = False
    multipart_of_post_only: bool = False
    reads_keywords: bool = False

    def __str__(self):
        return self.name

    @property
    def folder(self) -> Path:
        return FUNCTIONS / self.cwd

    def missing(self) -> str | None:
        """The program of the command, if it is not installed."""
        program = self.command[0]
        found = (self.folder / program).exists() if "/" in program else shutil.which(program)
        return None if found else program


def frameworks(kind: str = "parameters") -> list[Framework]:
    """All of them, in the order of the files."""
    rows = [row for name in ("python", "registry") for row in json.loads((FUNCTIONS / f"{name}.json").read_text())]
    found = [Framework(**row) for row in rows]
    names = [framework.name for framework in found]
    assert len(names) == len(set(names)), f"two of the same name among {names}"
    return [framework for framework in found if framework.kind == kind]
