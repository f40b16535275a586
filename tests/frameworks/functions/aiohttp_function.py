"""aiohttp's own server."""

import json

from aiohttp import web

from shared import digest, file, lists, plain, port, read


async def everything(request: web.Request):
    is_form = request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data")
    body = b"" if is_form else await request.read()
    form = await request.post()
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    texts = lists((name, plain(text(one))) for name, one in form.items() if not isinstance(one, web.FileField))
    accessors = [
        read("request.headers.get('X-Uid')", "header", "x-uid", request.headers.get("X-Uid")),
        read("request.headers.getall('X-Uid')", "header", "x-uid", request.headers.getall("X-Uid", [])),
        read("request.query.get('uid')", "query", "uid", request.query.get("uid")),
        read("request.query.getall('uid')", "query", "uid", request.query.getall("uid", [])),
        read("(await request.post()).get('fuid')", "form", "fuid", text(form.get("fuid"))),
        read("(await request.post()).getall('fuid')", "form", "fuid", [text(one) for one in form.getall("fuid", [])]),
        read("request.cookies.get('cuid')", "cookie", "cuid", request.cookies.get("cuid")),
    ]
    everything = {
        "query": lists(request.query.items()),
        "form": texts,
        "files": [
            file(name, one.filename, content(one)) for name, one in form.items() if isinstance(one, web.FileField)
        ],
        "cookies": dict(request.cookies),
        "headers": {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers},
        "json": document,
        "body_sha256": None if is_form else digest(body),
    }
    return web.json_response({"accessors": accessors, "all": everything})


def content(field: web.FileField) -> bytes:
    field.file.seek(0)
    return field.file.read()


def text(value):
    """A field's text, or what is in an uploaded file."""
    if isinstance(value, web.FileField):
        return content(value).decode("latin-1")
    return bytes(value) if isinstance(value, bytearray) else value


if __name__ == "__main__":
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route("*", "/{path:.*}", everything)
    web.run_app(app, host="127.0.0.1", port=port(), print=None, access_log=None)
