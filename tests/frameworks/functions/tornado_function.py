"""Tornado on its own server."""

import asyncio
import json
import logging

from tornado.web import Application, RequestHandler

from shared import digest, file, plain, port, read


class Everything(RequestHandler):
    SUPPORTED_METHODS = (*RequestHandler.SUPPORTED_METHODS, "QUERY", "PROPFIND", "REPORT")

    def answer(self):
        request = self.request
        kind = request.headers.get("Content-Type", "")
        is_form = kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data"))
        try:
            document = json.loads(request.body)
        except ValueError:
            document = None
        uploads = [one["body"] for one in request.files.get("fuid", [])]
        accessors = [
            read("self.request.headers.get('X-Uid')", "header", "x-uid", request.headers.get("X-Uid")),
            read("self.request.headers.get_list('X-Uid')", "header", "x-uid", request.headers.get_list("X-Uid")),
            read("self.get_query_argument('uid')", "query", "uid", self.get_query_argument("uid", None)),
            read("self.get_query_arguments('uid')", "query", "uid", self.get_query_arguments("uid")),
            read("self.get_body_argument('fuid')", "form", "fuid", self.get_body_argument("fuid", None)),
            read("self.get_body_arguments('fuid')", "form", "fuid", self.get_body_arguments("fuid")),
            read("self.request.files['fuid']", "file", "fuid", [one.decode("latin-1") for one in uploads]),
            read("self.get_cookie('cuid')", "cookie", "cuid", self.get_cookie("cuid")),
            read("self.get_argument('uid')", "any", "uid", self.get_argument("uid", None)),
            read("self.get_arguments('uid')", "any", "uid", self.get_arguments("uid")),
            read("self.get_argument('fuid')", "any", "fuid", self.get_argument("fuid", None)),
            read("self.get_arguments('fuid')", "any", "fuid", self.get_arguments("fuid")),
        ]
        everything = {
            "query": plain(request.query_arguments),
            "form": plain(request.body_arguments),
            "files": [
                file(name, one["filename"], one["body"]) for name, several in request.files.items() for one in several
            ],
            "cookies": {name: one.value for name, one in request.cookies.items()},
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "json": document,
            "body_sha256": None if is_form else digest(request.body),
        }
        self.write({"accessors": accessors, "all": everything})

    get = post = put = patch = delete = options = query = propfind = report = answer


async def main():
    Application([(r"(?s:.*)", Everything)]).listen(port(), "127.0.0.1", max_buffer_size=64 << 20)
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.disable()
    asyncio.run(main())
