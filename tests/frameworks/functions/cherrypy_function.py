"""CherryPy on the server that it brings along."""

import json

import cherrypy

from shared import digest, file, plain, port, read


class Function:
    @cherrypy.expose
    @cherrypy.tools.json_out()
    def default(self, *path, **arguments):
        request = cherrypy.request
        body = request.body
        raw = b""
        is_form = body.content_type.value in ("application/x-www-form-urlencoded", "multipart/form-data")
        if request.process_request_body and not is_form and not body.parts:
            raw = body.read() or b""
        try:
            document = json.loads(raw)
        except ValueError:
            document = None
        cookie = request.cookie.get("cuid")
        values = {name: texts(value) for name, value in arguments.items()}
        fields = {name: texts(value) for name, value in (body.params or {}).items()}
        accessors = [
            read("cherrypy.request.headers.get('X-Uid')", "header", "x-uid", request.headers.get("X-Uid")),
            read("cherrypy.request.wsgi_environ['HTTP_X_UID']", "header", "x-uid", request.wsgi_environ.get("HTTP_X_UID")),
            read("cherrypy.request.cookie['cuid'].value", "cookie", "cuid", cookie.value if cookie else None),
            read("cherrypy.request.body.params.get('fuid')", "form", "fuid", fields.get("fuid")),
            read("def index(self, uid)", "any", "uid", values.get("uid")),
            read("def index(self, fuid)", "any", "fuid", values.get("fuid")),
            read("cherrypy.request.params.get('uid')", "any", "uid", texts(request.params.get("uid"))),
            read("cherrypy.request.params.get('fuid')", "any", "fuid", texts(request.params.get("fuid"))),
        ]
        parts = [part for part in body.parts if part.filename]
        return {
            "accessors": accessors,
            "all": {
                # CherryPy keeps no query apart from the form.
                "query": request.query_string,
                "form": plain(fields),
                "files": [file(part.name, part.filename, content(part)) for part in parts],
                "cookies": {name: one.value for name, one in request.cookie.items()},
                "headers": {name.lower(): value for name, value in request.headers.items()},
                "json": document,
                "body_sha256": None if is_form else digest(raw),
            },
        }


def content(part) -> bytes:
    if part.file is None:
        return part.fullvalue().encode("latin-1")
    part.file.seek(0)
    return part.file.read()


def texts(value):
    """A parameter's text or texts; of an uploaded file, what is in it."""
    if isinstance(value, list):
        return [texts(one) for one in value]
    return content(value).decode("latin-1") if hasattr(value, "filename") else value


if __name__ == "__main__":
    cherrypy.config.update(
        {
            "environment": "production",
            "server.socket_host": "127.0.0.1",
            "server.socket_port": port(),
            "server.thread_pool": 16,
            "log.screen": False,
            "engine.autoreload.on": False,
        }
    )
    cherrypy.quickstart(Function())
