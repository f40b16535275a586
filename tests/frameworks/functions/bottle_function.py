"""Bottle on the server that it brings along, with a thread per connection."""

from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer

from bottle import WSGIRefServer, request, route, run

from shared import digest, file, headers_of_wsgi, port, read

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


@route("/", method=METHODS)
@route("/<path:re:(?s:.+)>", method=METHODS)
def everything(path=""):
    try:
        json = request.json
    except Exception:
        json = None
    is_form = request.content_type.lower().startswith(("application/x-www-form-urlencoded", "multipart/form-data"))
    accessors = [
        read("request.headers.get('X-Uid')", "header", "x-uid", request.headers.get("X-Uid")),
        read("request.get_header('X-Uid')", "header", "x-uid", request.get_header("X-Uid")),
        read("request.query.get('uid')", "query", "uid", request.query.get("uid")),
        read("request.query.uid", "query", "uid", request.query.uid or None),
        read("request.query.getall('uid')", "query", "uid", request.query.getall("uid")),
        read("request.forms.get('fuid')", "form", "fuid", request.forms.get("fuid")),
        read("request.forms.fuid", "form", "fuid", request.forms.fuid or None),
        read("request.forms.getall('fuid')", "form", "fuid", request.forms.getall("fuid")),
        read("request.POST.get('fuid')", "form", "fuid", content(request.POST.get("fuid"))),
        read("request.files.get('fuid')", "file", "fuid", content(request.files.get("fuid"))),
        read("request.cookies.get('cuid')", "cookie", "cuid", request.cookies.get("cuid")),
        read("request.get_cookie('cuid')", "cookie", "cuid", request.get_cookie("cuid")),
        read("request.params.get('uid')", "any", "uid", request.params.get("uid")),
        read("request.params.getall('uid')", "any", "uid", request.params.getall("uid")),
        read("request.params.get('fuid')", "any", "fuid", request.params.get("fuid")),
        read("request.params.getall('fuid')", "any", "fuid", request.params.getall("fuid")),
    ]
    return {
        "accessors": accessors,
        "all": {
            "query": {name: request.query.getall(name) for name in request.query},
            "form": {name: request.forms.getall(name) for name in request.forms},
            "files": [
                file(name, one.raw_filename, one.file.read()) for name, one in request.files.allitems()
            ],
            "cookies": dict(request.cookies.items()),
            "headers": headers_of_wsgi(request.environ),
            "json": json,
            "body_sha256": None if is_form else digest(request.body.read()),
        },
    }


def content(value):
    """A field's text, or what is in an uploaded file, left to be read again."""
    if value is None or isinstance(value, str):
        return value
    text = value.file.read().decode("latin-1")
    value.file.seek(0)
    return text


if __name__ == "__main__":
    run(server=WSGIRefServer, host="127.0.0.1", port=port(), quiet=True, server_class=Server)
