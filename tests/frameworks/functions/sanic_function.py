"""Sanic on its own server."""

from sanic import Sanic, json
from sanic.request import Request

from shared import digest, file, plain, port, read

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
app = Sanic("function", configure_logging=False)
app.config.REQUEST_MAX_SIZE = 64 << 20
app.config.ACCESS_LOG = False


async def everything(request: Request, path: str = ""):
    kind = request.headers.get("content-type", "").lower()
    is_form = kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data"))
    try:
        document = None if is_form else request.json
    except Exception:
        document = None
    args, form, files = request.args, request.form or {}, request.files or {}
    accessors = [
        read("request.headers.get('X-Uid')", "header", "x-uid", request.headers.get("X-Uid")),
        read("request.headers.getall('X-Uid')", "header", "x-uid", request.headers.getall("X-Uid", [])),
        read("request.args.get('uid')", "query", "uid", args.get("uid")),
        read("request.args.getlist('uid')", "query", "uid", args.getlist("uid")),
        read("request.form.get('fuid')", "form", "fuid", form.get("fuid")),
        read("request.form.getlist('fuid')", "form", "fuid", form.getlist("fuid") if form else []),
        read("request.files.get('fuid')", "file", "fuid", files.get("fuid").body if files.get("fuid") else None),
        read("request.cookies.get('cuid')", "cookie", "cuid", request.cookies.get("cuid")),
        read("request.cookies.getlist('cuid')", "cookie", "cuid", request.cookies.getlist("cuid")),
    ]
    everything = {
        "query": plain(dict(args)),
        "form": plain(dict(form)),
        "files": [file(name, one.name, one.body) for name, several in files.items() for one in several],
        "cookies": plain({name: request.cookies.getlist(name) for name in request.cookies}),
        "headers": {name.lower(): ", ".join(request.headers.getall(name)) for name in request.headers},
        "json": document,
        "body_sha256": None if is_form else digest(request.body),
    }
    return json({"accessors": accessors, "all": everything})


app.add_route(everything, "/", methods=METHODS, name="root")
app.add_route(everything, "/<path:path>", methods=METHODS, name="rest")

if __name__ == "__main__":
    app.run(host="127.0.0.1", port=port(), single_process=True, access_log=False, motd=False)
