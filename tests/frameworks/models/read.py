"""Reads inputs with the libraries of the Python that runs it. See libraries.py for what comes in and goes out."""

import json
import sys
from collections.abc import Callable, Iterable
from http.cookies import SimpleCookie
from io import BytesIO
from typing import Any

Pairs = Iterable[tuple[Any, Any]]


def werkzeug(position: str, environment: dict[str, Any]) -> Pairs:
    from werkzeug.wrappers import Request

    request = Request(environment)
    match position:
        case "query":
            return list(request.args.items(multi=True))
        case "cookies":
            return list(request.cookies.items(multi=True))
    files = [(name, file.stream.read()) for name, file in request.files.items(multi=True)]
    return [*request.form.items(multi=True), *files]


def webob(position: str, environment: dict[str, Any]) -> Pairs:
    from webob import Request

    request = Request(environment)
    found = {"query": lambda: request.GET, "body": lambda: request.POST, "cookies": lambda: request.cookies}
    return [(name, getattr(value, "file", value)) for name, value in found[position]().items()]


def django(position: str, environment: dict[str, Any]) -> Pairs:
    from django.http.cookie import parse_cookie

    return list(parse_cookie(environment["HTTP_COOKIE"]).items())


def simple_cookie(position: str, environment: dict[str, Any]) -> Pairs:
    return [(name, morsel.value) for name, morsel in SimpleCookie(environment["HTTP_COOKIE"]).items()]


def readers(position: str) -> dict[str, Callable[[str, dict[str, Any]], Pairs]]:
    import importlib.metadata

    version = importlib.metadata.version("werkzeug")
    if version.startswith("2.2"):
        return {"Werkzeug 2": werkzeug}
    found = {"Werkzeug 3": werkzeug, "WebOb": webob}
    return found | {"http.cookies": simple_cookie, "plain": django} if position == "cookies" else found


def environment(position: str, content_type: str, text: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {"REQUEST_METHOD": "POST", "QUERY_STRING": "", "wsgi.input": BytesIO(), "wsgi.url_scheme": "http"}
    if content_type != "-":
        found["CONTENT_TYPE"] = bytes.fromhex(content_type).decode("latin-1")
    match position:
        case "query":
            found["QUERY_STRING"] = text.decode("latin-1")
        case "cookies":
            found["HTTP_COOKIE"] = text.decode("latin-1")
        case _:
            found |= {"wsgi.input": BytesIO(text), "CONTENT_LENGTH": str(len(text))}
    return found


def leaves(value: Any) -> list[str]:
    if isinstance(value, list):
        return [leaf for element in value for leaf in leaves(getattr(element, "value", element))]
    if hasattr(value, "read"):
        value.seek(0)
        value = value.read()
    return [hexadecimal(value)]


def hexadecimal(value: Any) -> str:
    return (value if isinstance(value, bytes) else str(value).encode(errors="surrogateescape")).hex()


def read(reader: Callable[[str, dict[str, Any]], Pairs], position: str, content_type: str, text: bytes) -> Any:
    try:
        pairs = reader(position, environment(position, content_type, text))
        return [[hexadecimal(name), leaves(value)] for name, value in pairs if name is not None]
    except Exception:
        return None


for line in sys.stdin:
    position, content_type, text = line.rstrip("\n").split(" ")
    arguments = position, content_type, bytes.fromhex(text)
    print(json.dumps({model: [read(reader, *arguments)] for model, reader in readers(position).items()}))
