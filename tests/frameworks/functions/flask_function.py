"""Flask, with the Werkzeug that its environment has."""

from flask import Flask, jsonify, request

from shared import digest, file, headers_of_wsgi, port, read

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
app = Flask(__name__)


@app.route("/", defaults={"path": ""}, methods=METHODS)
@app.route("/<path:path>", methods=METHODS)
def everything(path):
    kind = request.mimetype
    is_form = kind in ("application/x-www-form-urlencoded", "application/x-url-encoded", "multipart/form-data")
    body = None if is_form else digest(request.get_data(cache=True))
    json = request.get_json(silent=True)
    accessors = [
        read("request.headers.get('X-Uid')", "header", "x-uid", request.headers.get("X-Uid")),
        read("request.headers.getlist('X-Uid')", "header", "x-uid", request.headers.getlist("X-Uid")),
        read("request.environ['HTTP_X_UID']", "header", "x-uid", request.environ.get("HTTP_X_UID")),
        read("request.args.get('uid')", "query", "uid", request.args.get("uid")),
        read("request.args.getlist('uid')", "query", "uid", request.args.getlist("uid")),
        read("request.args.to_dict()['uid']", "query", "uid", request.args.to_dict().get("uid")),
        read("request.form.get('fuid')", "form", "fuid", request.form.get("fuid")),
        read("request.form.getlist('fuid')", "form", "fuid", request.form.getlist("fuid")),
        read("request.files.get('fuid')", "file", "fuid", upload("fuid")),
        read("request.cookies.get('cuid')", "cookie", "cuid", request.cookies.get("cuid")),
        read("request.cookies.getlist('cuid')", "cookie", "cuid", request.cookies.getlist("cuid")),
        read("request.values.get('uid')", "any", "uid", request.values.get("uid")),
        read("request.values.getlist('uid')", "any", "uid", request.values.getlist("uid")),
        read("request.values.get('fuid')", "any", "fuid", request.values.get("fuid")),
        read("request.values.getlist('fuid')", "any", "fuid", request.values.getlist("fuid")),
    ]
    everything = {
        "query": request.args.to_dict(flat=False),
        "form": request.form.to_dict(flat=False),
        "files": [file(name, one.filename, one.read()) for name, one in request.files.items(multi=True)],
        "cookies": request.cookies.to_dict(flat=False),
        "headers": headers_of_wsgi(request.environ),
        "json": json,
        "body_sha256": body,
    }
    return jsonify(accessors=accessors, all=everything)


def upload(name: str) -> str | None:
    """The content of an uploaded file, left to be read again."""
    found = request.files.get(name)
    if found is None:
        return None
    text = found.read().decode("latin-1")
    found.seek(0)
    return text


if __name__ == "__main__":
    from werkzeug.serving import WSGIRequestHandler, run_simple

    WSGIRequestHandler.log_request = lambda *_: None
    run_simple("127.0.0.1", port(), app, threaded=True)
