"""Pyramid, which reads requests with WebOb, on waitress."""

from pyramid.config import Configurator
from pyramid.request import Request
from waitress import serve

from shared import digest, file, headers_of_wsgi, lists, port, read


def everything(request: Request):
    is_form = request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data", "")
    body = b"" if is_form else request.body
    try:
        document = None if is_form else request.json_body
    except ValueError:
        document = None
    get, post, params, cookies = request.GET, request.POST, request.params, request.cookies
    accessors = [
        read("request.headers.get('X-Uid')", "header", "x-uid", request.headers.get("X-Uid")),
        read("request.GET.get('uid')", "query", "uid", get.get("uid")),
        read("request.GET.getall('uid')", "query", "uid", get.getall("uid")),
        read("request.POST.get('fuid')", "form", "fuid", text(post.get("fuid"))),
        read("request.POST.getall('fuid')", "form", "fuid", [text(one) for one in post.getall("fuid")]),
        read("request.cookies.get('cuid')", "cookie", "cuid", cookies.get("cuid")),
        read("dict(request.cookies)['cuid']", "cookie", "cuid", dict(cookies).get("cuid")),
        read("request.params.get('uid')", "any", "uid", text(params.get("uid"))),
        read("request.params.getall('uid')", "any", "uid", [text(one) for one in params.getall("uid")]),
        read("request.params.get('fuid')", "any", "fuid", text(params.get("fuid"))),
        read("request.params.getall('fuid')", "any", "fuid", [text(one) for one in params.getall("fuid")]),
        read("request.params.mixed()['uid']", "any", "uid", mixed(params, "uid")),
    ]
    items = list(post.items())
    return {
        "accessors": accessors,
        "all": {
            "query": lists(get.items()),
            "form": {name: texts for name, several in lists(items).items() if (texts := [v for v in several if isinstance(v, str)])},
            "files": [file(name, one.filename, content(one)) for name, one in items if hasattr(one, "file")],
            "cookies": dict(cookies),
            "headers": headers_of_wsgi(request.environ),
            "json": document,
            "body_sha256": None if is_form else digest(body),
        },
    }


def content(field) -> bytes:
    if field.file is None:  # A part that is a form itself.
        return b""
    field.file.seek(0)
    return field.file.read()


def text(value):
    """A field's text, or what is in an uploaded file."""
    return content(value).decode("latin-1") if hasattr(value, "file") else value


def mixed(params, name: str):
    value = params.mixed().get(name)
    return [text(one) for one in value] if isinstance(value, list) else text(value)


if __name__ == "__main__":
    with Configurator() as config:
        config.add_route("everything", "/*path")
        config.add_view(everything, route_name="everything", renderer="json")
        app = config.make_wsgi_app()
    serve(app, host="127.0.0.1", port=port(), threads=8, max_request_body_size=64 << 20, connection_limit=500)
