"""Starlette with python-multipart, on uvicorn."""

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared import digest, file, port, read

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "PROPFIND", "REPORT"]


async def everything(request: Request):
    query, cookies, headers = request.query_params, request.cookies, request.headers
    kind = headers.get("content-type", "").lower()
    is_form = kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data"))
    # The body as a whole is only kept where it is no form, as it can be read once.
    body = b"" if is_form else await request.body()
    form = await request.form()
    try:
        document = None if is_form else await request.json()
    except ValueError:
        document = None
    files = [(name, one) for name, one in form.multi_items() if isinstance(one, UploadFile)]
    contents = [file(name, one.filename, await one.read()) for name, one in files]
    accessors = [
        read("request.headers.get('X-Uid')", "header", "x-uid", headers.get("X-Uid")),
        read("request.headers.getlist('X-Uid')", "header", "x-uid", headers.getlist("X-Uid")),
        read("request.query_params.get('uid')", "query", "uid", query.get("uid")),
        read("request.query_params.getlist('uid')", "query", "uid", query.getlist("uid")),
        read("(await request.form()).get('fuid')", "form", "fuid", await text(form.get("fuid"))),
        read("(await request.form()).getlist('fuid')", "form", "fuid", [await text(v) for v in form.getlist("fuid")]),
        read("request.cookies.get('cuid')", "cookie", "cuid", cookies.get("cuid")),
    ]
    everything = {
        "query": {name: query.getlist(name) for name in query},
        "form": {name: texts for name in form if (texts := [v for v in form.getlist(name) if isinstance(v, str)])},
        "files": contents,
        "cookies": cookies,
        "headers": {name: ", ".join(headers.getlist(name)) for name in headers},
        "json": document,
        "body_sha256": None if is_form else digest(body),
    }
    return JSONResponse({"accessors": accessors, "all": everything})


async def text(value) -> str | None:
    """A field's text, or what is in an uploaded file."""
    if isinstance(value, UploadFile):
        await value.seek(0)
        return (await value.read()).decode("latin-1")
    return value


app = Starlette(routes=[Route("/{path:path}", everything, methods=METHODS)])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=port(), log_level="critical")
