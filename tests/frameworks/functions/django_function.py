"""Django, all in one file."""

import json

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import re_path

from shared import digest, file, headers_of_wsgi, read

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="only for tests",
    DEBUG=False,
    DATA_UPLOAD_MAX_MEMORY_SIZE=64 << 20,
    LOGGING_CONFIG=None,
)


def everything(request):
    form, files = request.POST, request.FILES
    is_form = request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data")
    body = b"" if is_form else request.body
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    accessors = [
        read("request.headers.get('X-Uid')", "header", "x-uid", request.headers.get("X-Uid")),
        read("request.META['HTTP_X_UID']", "header", "x-uid", request.META.get("HTTP_X_UID")),
        read("request.GET.get('uid')", "query", "uid", request.GET.get("uid")),
        read("request.GET.getlist('uid')", "query", "uid", request.GET.getlist("uid")),
        read("request.GET.dict()['uid']", "query", "uid", request.GET.dict().get("uid")),
        read("request.POST.get('fuid')", "form", "fuid", form.get("fuid")),
        read("request.POST.getlist('fuid')", "form", "fuid", form.getlist("fuid")),
        read("request.POST.dict()['fuid']", "form", "fuid", form.dict().get("fuid")),
        read("request.FILES.get('fuid')", "file", "fuid", upload(files.get("fuid"))),
        read("request.COOKIES.get('cuid')", "cookie", "cuid", request.COOKIES.get("cuid")),
    ]
    everything = {
        "query": dict(request.GET.lists()),
        "form": dict(form.lists()),
        "files": [file(name, one.name, one.read()) for name, several in files.lists() for one in several],
        "cookies": request.COOKIES,
        "headers": headers_of_wsgi(request.META),
        "json": document,
        "body_sha256": None if is_form else digest(body),
    }
    return JsonResponse({"accessors": accessors, "all": everything})


def upload(found) -> str | None:
    """The content of an uploaded file, left to be read again."""
    if found is None:
        return None
    text = found.read().decode("latin-1")
    found.seek(0)
    return text


urlpatterns = [re_path(r"(?s:.*)", everything)]
django.setup()
app = get_wsgi_application()
