"""What the Python functions share."""

import hashlib
import os


def port() -> int:
    return int(os.environ["PORT"])


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def file(name: str, filename: str | None, data: bytes) -> dict:
    return {"name": name, "filename": filename, "size": len(data), "sha256": digest(data)}


def read(accessor: str, position: str, name: str, value) -> dict:
    return {"accessor": accessor, "position": position, "name": name, "value": plain(value)}


def plain(value):
    """A value as JSON has it; bytes that are no UTF-8 and lone surrogates survive."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {str(plain(key)): plain(one) for key, one in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return f"<{type(value).__name__}>"  # A file where a field was expected.


def lists(pairs) -> dict[str, list]:
    """Names with all their values; in one pass, as there may be thousands."""
    found: dict[str, list] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def headers_of_wsgi(environ: dict) -> dict:
    found = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            found[name.replace("_", "-").lower()] = environ[name]
    return found
