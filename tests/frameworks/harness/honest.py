"""Requests that honest clients send, byte for byte as they write them. All of them must pass unchanged."""

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, quote_plus, urlencode

from harness.case import FORM, NONE, OTHER, URLENCODED, Case, chunked, content_type

#: Where forms pass, where other bodies pass, and where requests without a body do.
FORM_HOSTS = ("all", "query", "header", "cookie", "forward")
OTHER_HOSTS = ("forward", "query", "header", "cookie")
MIB = 1 << 20


@dataclass(frozen=True)
class Honest:
    client: str
    what: str
    case: Case
    #: Where it must pass.
    hosts: tuple[str, ...]
    #: The multipart boundary, if it has one.
    boundary: bytes | None = None
    big: bool = False

    def __str__(self):
        return f"{self.client}: {self.what}"


@dataclass(frozen=True)
class Field:
    name: str
    value: str | bytes
    #: For files.
    filename: str | None = None
    type: str = "application/octet-stream"


_random = random.Random("honest")
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4 + b"\r\n--\r\n----\r\n" + _random.randbytes(3000)


def _every(text: str) -> str:
    return text


#: What people fill in.
FORMS: dict[str, list[Field]] = {
    "a login": [Field("username", "jón"), Field("password", "a+b c&d=e%f;g")],
    "neighbours of the name": [
        Field("my[uid]", "2"), Field("filter[uid]", "3"), Field("uid2", "1"), Field("uid_type", "x"), Field("user[id]", "7"),
        Field("UID", "8"), Field("_uid", "9"), Field("fuid2", "1"), Field("my[fuid]", "2"), Field("xfuid", "3"),
    ],
    "names of other alphabets": [Field("名前", "雪 é 😀"), Field("prénom", "Zoë"), Field("имя", "Иван"), Field("ü[ö]", "ß")],
    "names of frameworks": [
        Field("user.name", "a"), Field("user[address][street]", "b"), Field("items[0][name]", "c"), Field("items[]", "d"), Field("items[]", "e"),
        Field("__RequestVerificationToken", "CfDJ8_-abc=="), Field("g-recaptcha-response", "03AGdBq2"), Field("utf8", "✓"), Field("a b", "f"),
        Field("csrf-token:x", "g"), Field("j_username", "h"), Field("$type", "i"), Field("a/b", "j"),
    ],
    "texts of many kinds": [
        Field("empty", ""), Field("lines", "one\r\ntwo\r\n\r\nfour"), Field("equals", "a=b&uid=c"), Field("quotes", "\"it's\" \\ / <b>"),
        Field("head", 'Content-Disposition: form-data; name="a"'), Field("dashes", "--\r\n----\r\n-----"), Field("spaces", "  a  "), Field("percent", "100% %41 %"),
        Field("json", '{"uid":"x","a":[1,2]}'), Field("long", "lorem ipsum " * 400),
    ],
    "a picture": [Field("title", "Snær"), Field("photo", PICTURE, "mynd.png", "image/png")],
    "an empty file": [Field("title", "x"), Field("file", b"", "", "application/octet-stream"), Field("other", b"", "empty.txt", "text/plain")],
    "files of one name": [
        Field("files[]", b"one\n", "one.txt", "text/plain"), Field("files[]", b"two\r\n", "two.txt", "text/plain"), Field("files[]", PICTURE, "3.png", "image/png"),
        Field("note", "three files"),
    ],
    "names of files": [
        Field("a", b"1", "skýrsla 2024 (1).pdf", "application/pdf"), Field("b", b"2", "a;b=c, d.txt", "text/plain"), Field("c", b"3", "雪.txt", "text/plain"),
        Field("d", b'{"uid":"EV"}', "uid.json", "application/json"), Field("e", b"uid=1&fuid=2", "form.txt", "application/x-www-form-urlencoded"),
        Field("f", b"<a/>", "uid=1&x.xml", "text/xml"),
    ],
    "many fields": [Field(f"field_{i}", str(i)) for i in range(150)],
}  # fmt: skip


def _browser_name(name: str) -> str:
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def _backslash_name(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')


def _plain(field: Field, escape: Callable[[str], str], more: list[str] = (), before: list[str] = (), word: str = "Content-Disposition") -> bytes:
    """A part as most clients write it."""
    filename = f'; filename="{escape(field.filename)}"' if field.filename is not None else ""
    lines = [*before, f'{word}: form-data; name="{escape(field.name)}"{filename}', *more]
    content = field.value if isinstance(field.value, bytes) else field.value.encode()
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def _file_type(field: Field) -> list[str]:
    return [f"Content-Type: {field.type}"] if field.filename is not None else []


def _size(field: Field) -> int:
    return len(field.value if isinstance(field.value, bytes) else field.value.encode())


def browser(field: Field) -> bytes:
    return _plain(field, _browser_name, _file_type(field))


def curl(field: Field) -> bytes:
    return _plain(field, _backslash_name, _file_type(field))


def octets(field: Field) -> bytes:
    return _plain(field, _backslash_name, ["Content-Type: application/octet-stream"] if field.filename is not None else [])


def with_length(field: Field) -> bytes:
    return _plain(field, _browser_name, [*_file_type(field), f"Content-Length: {_size(field)}"])


def length_first(field: Field) -> bytes:
    return _plain(field, _backslash_name, [f"Content-Length: {_size(field)}", *_file_type(field)])


def aiohttp(field: Field) -> bytes:
    kind = field.type if field.filename is not None else "text/plain; charset=utf-8"
    return _plain(field, _browser_name, before=[f"Content-Type: {kind}"])


def apache(field: Field) -> bytes:
    if field.filename is not None:
        return _plain(field, _backslash_name, [f"Content-Type: {field.type}", "Content-Transfer-Encoding: binary"])
    return _plain(field, _backslash_name, ["Content-Type: text/plain; charset=UTF-8", "Content-Transfer-Encoding: 8bit"])


def spring(field: Field) -> bytes:
    kind = field.type if field.filename is not None else "text/plain;charset=UTF-8"
    return _plain(field, _backslash_name, [f"Content-Type: {kind}", f"Content-Length: {_size(field)}"])


def faraday(field: Field) -> bytes:
    if field.filename is None:
        return _plain(field, _backslash_name)
    more = [f"Content-Length: {_size(field)}", f"Content-Type: {field.type}", "Content-Transfer-Encoding: binary"]
    return _plain(field, _backslash_name, more)


def dart(field: Field) -> bytes:
    if field.filename is not None:
        return _plain(field, _browser_name, before=[f"content-type: {field.type}"], word="content-disposition")
    if field.value.isascii():
        return _plain(field, _browser_name, word="content-disposition")
    more = ["content-type: text/plain; charset=utf-8", "content-transfer-encoding: binary"]
    return _plain(field, _browser_name, more, word="content-disposition")


def dot_net(field: Field) -> bytes:
    """Names without quotes where they are tokens; file names in both ways."""

    def written(text: str) -> str:
        return text if text and all(c.isalnum() and c.isascii() or c in "-_." for c in text) else f'"{text}"'

    lines = [] if field.filename is not None else ["Content-Type: text/plain; charset=utf-8"]
    disposition = f"Content-Disposition: form-data; name={written(field.name)}"
    if field.filename is not None:
        name = field.filename if field.filename.isascii() else "=?utf-8?B?" + _base64(field.filename) + "?="
        disposition += f"; filename={written(name)}; filename*=utf-8''{quote(field.filename)}"
        lines = [f"Content-Type: {field.type}"]
    content = field.value if isinstance(field.value, bytes) else field.value.encode()
    return "\r\n".join([*lines, disposition]).encode() + b"\r\n\r\n" + content


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def unity(field: Field) -> bytes:
    kind = field.type if field.filename is not None else 'text/plain; charset="utf-8"'
    return _plain(field, _browser_name, before=[f"Content-Type: {kind}"], word="Content-disposition")


def urllib3_1(field: Field) -> bytes:
    """File names that are not ASCII by RFC 5987 alone."""
    if field.filename is None or field.filename.isascii():
        return _plain(field, _browser_name, _file_type(field))
    head = f"Content-Disposition: form-data; name=\"{field.name}\"; filename*=utf-8''{quote(field.filename)}\r\nContent-Type: {field.type}"
    return head.encode() + b"\r\n\r\n" + field.value


ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def _chars(count: int, alphabet: str = ALNUM) -> str:
    return "".join(_random.choices(alphabet, k=count))


def _uuid(upper: bool = False) -> str:
    text = "-".join(_chars(n, "0123456789abcdef") for n in (8, 4, 4, 4, 12))
    return text.upper() if upper else text


CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15"
ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@dataclass(frozen=True)
class Client:
    name: str
    boundary: str
    part: Callable[[Field], bytes]
    lines: tuple[str, ...] = ()
    #: How the boundary is written in Content-Type.
    type: str = "multipart/form-data; boundary=@"
    chunks: int | None = None
    ends_with_crlf: bool = True
    begins_with_crlf: bool = False


CLIENTS = [
    Client("Chrome", "----WebKitFormBoundary" + _chars(16), browser, (f"User-Agent: {CHROME}", f"Accept: {ACCEPT}", "Sec-Fetch-Mode: navigate", 'sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"', "Upgrade-Insecure-Requests: 1", "Origin: https://shop.example", "Referer: https://shop.example/a?uid=1", "Accept-Language: is,en;q=0.9")),
    Client("Safari", "----WebKitFormBoundary" + _chars(16), browser, (f"User-Agent: {SAFARI}", "Accept: */*", "Sec-Fetch-Dest: empty", "Priority: u=3, i")),
    Client("Firefox", "----geckoformboundary" + _chars(32, "0123456789abcdef"), browser, (f"User-Agent: {FIREFOX}", f"Accept: {ACCEPT}", "DNT: 1", "Sec-GPC: 1")),
    Client("Firefox 100", "---------------------------" + _chars(28, "0123456789"), browser, (f"User-Agent: {FIREFOX}",)),
    Client("Firefox 60", "---------------------------" + _chars(14, "0123456789"), browser),
    Client("Edge from a page's script", "----WebKitFormBoundary" + _chars(16), browser, ("X-Requested-With: XMLHttpRequest", "Accept: application/json, text/javascript, */*; q=0.01")),
    Client("curl 7", "------------------------" + _chars(16, "0123456789abcdef"), curl, ("User-Agent: curl/7.88.1", "Accept: */*")),
    Client("curl 8", "------------------------" + _chars(22), curl, ("User-Agent: curl/8.9.1", "Accept: */*")),
    Client("requests", _chars(32, "0123456789abcdef"), browser, ("User-Agent: python-requests/2.32.3", "Accept-Encoding: gzip, deflate", "Accept: */*")),
    Client("requests with urllib3 1", _chars(32, "0123456789abcdef"), urllib3_1, ("User-Agent: python-requests/2.28.1",)),
    Client("httpx", _chars(32, "0123456789abcdef"), browser, ("user-agent: python-httpx/0.27.2", "accept: */*")),
    Client("aiohttp", _chars(32, "0123456789abcdef"), aiohttp, ("User-Agent: Python/3.11 aiohttp/3.10.10",), chunks=4096),
    Client("form-data for Node", "--------------------------" + _chars(24, "0123456789"), browser, ("Accept: application/json, text/plain, */*", "User-Agent: axios/1.7.7")),
    Client("axios", f"axios-1.7.7-boundary-{_chars(25)}", browser, ("User-Agent: axios/1.7.7",)),
    Client("undici", f"----formdata-undici-0{_chars(11, '0123456789')}", octets, ("user-agent: node", "accept-language: *", "sec-fetch-mode: cors")),
    Client("node-fetch", f"--------------------------formdata-{_chars(16, '0123456789')}", octets, chunks=1000),
    Client("Bun", "-WebkitFormBoundary" + _chars(32, "0123456789abcdef"), octets),
    Client("Go", _chars(60, "0123456789abcdef"), octets, ("User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip")),
    Client("Go in chunks", _chars(60, "0123456789abcdef"), octets, chunks=2048),
    Client("Apache HttpClient", _chars(38, ALNUM + "-_"), apache, ("User-Agent: Apache-HttpClient/4.5.14 (Java/17.0.9)",)),
    Client("Apache HttpClient 5", "httpclient_boundary_" + _uuid(), apache, type="multipart/form-data; charset=UTF-8; boundary=@"),
    Client("Spring", _chars(38, ALNUM + "-_"), spring, ("User-Agent: Java/17.0.9",), type="multipart/form-data;boundary=@"),
    Client("Spring with charset", _chars(38, ALNUM + "-_"), spring, type="multipart/form-data;charset=UTF-8;boundary=@"),
    Client("Methanol", "----------------" + _chars(24), browser, ("User-Agent: Java-http-client/21",), chunks=16384),
    Client("OkHttp", _uuid(), with_length, ("User-Agent: okhttp/4.12.0", "Accept-Encoding: gzip")),
    Client("OkHttp 3", _uuid(), length_first, ("User-Agent: okhttp/3.14.9",)),
    Client(".NET", _uuid(), dot_net, type='multipart/form-data; boundary="@"'),
    Client("RestSharp", "-----------------------------" + _chars(14, "0123456789"), curl, type='multipart/form-data; boundary="@"'),
    Client("Postman", "--------------------------" + _chars(24, "0123456789"), browser, ("User-Agent: PostmanRuntime/7.42.0", "Postman-Token: " + _uuid(), "Cache-Control: no-cache")),
    Client("Insomnia", "X-INSOMNIA-BOUNDARY", browser, ("User-Agent: insomnia/10.1.1", "Accept: */*")),
    Client("Dart", "dart-http-boundary-" + _chars(51, ALNUM + "+_-."), dart, ("user-agent: Dart/3.5 (dart:io)",), type="multipart/form-data; boundary=@"),
    Client("Dio", "--dio-boundary-" + _chars(10, "0123456789"), dart),
    Client("URLSession", "Boundary-" + _uuid(True), browser, ("User-Agent: App/1 CFNetwork/1568.100.1 Darwin/24.0.0",)),
    Client("Alamofire", "alamofire.boundary." + _chars(16, "0123456789abcdef"), browser),
    Client("reqwest", "-".join(_chars(16, "0123456789abcdef") for _ in range(4)), browser),
    Client("Guzzle", _chars(40, "0123456789abcdef"), with_length, ("User-Agent: GuzzleHttp/7",)),
    Client("Faraday", "-----------RubyMultipartPost-" + _chars(32, "0123456789abcdef"), faraday, ("User-Agent: Faraday v2.12.0",)),
    Client("LWP", "xYzZY", curl, ("User-Agent: libwww-perl/6.68", "TE: deflate,gzip;q=0.3")),
    Client("Unity", _chars(40), unity, ("User-Agent: UnityPlayer/2022.3", "X-Unity-Version: 2022.3"), type='multipart/form-data; boundary="@"'),
    Client("seventy characters", _chars(70), browser),
    Client("mixed case of the type", "MyBoundary", browser, type="Multipart/Form-Data; Boundary=@"),
    Client("a parameter behind the boundary", _uuid(), browser, type="multipart/form-data; boundary=@; charset=utf-8"),
    Client("without a last line end", _uuid(), browser, ends_with_crlf=False),
    Client("Unity's WWWForm", _chars(40), unity, ("User-Agent: UnityPlayer/2022.3",), type='multipart/form-data; boundary="@"', begins_with_crlf=True),
]  # fmt: skip


def _body(client: Client, fields: list[Field]) -> bytes:
    delimiter = b"--" + client.boundary.encode()
    body = b"".join(delimiter + b"\r\n" + client.part(field) + b"\r\n" for field in fields) + delimiter + b"--"
    return (b"\r\n" if client.begins_with_crlf else b"") + body + (b"\r\n" if client.ends_with_crlf else b"")


def uploads() -> list[Honest]:
    """Each client with each form."""
    found = []
    for number, client in enumerate(CLIENTS):
        for what, fields in FORMS.items():
            lines = (*(line.encode() for line in client.lines), content_type(client.type.replace("@", client.boundary).encode()))
            case = Case(
                "honest", what, b"PUT" if number % 9 == 8 else b"POST", lines=lines, body=_body(client, fields), chunks=client.chunks, body_kind=FORM
            )  # fmt: skip
            # Of a type in capitals some frameworks read nothing unless the gateway passes it on in small letters.
            hosts = ("recorder only",) if client.type[0] == "M" else FORM_HOSTS
            found.append(Honest(client.name, what, case, hosts, client.boundary.encode()))
    # As browsers send a form without fields.
    boundary = "----WebKitFormBoundary" + _chars(16)
    case = Case("honest", "nothing", b"POST", lines=(content_type(b"multipart/form-data; boundary=" + boundary.encode()),), body=f"--{boundary}--\r\n".encode(), body_kind=FORM)  # fmt: skip
    return [*found, Honest("Chrome", "a form without fields", case, ("recorder only",), boundary.encode())]


FORM_TYPES = {
    "Chrome": (b"application/x-www-form-urlencoded", quote_plus),
    "fetch": (b"application/x-www-form-urlencoded;charset=UTF-8", quote_plus),
    "requests": (b"application/x-www-form-urlencoded", quote_plus),
    "axios": (b"application/x-www-form-urlencoded;charset=utf-8", quote),
    "jQuery": (b"application/x-www-form-urlencoded; charset=UTF-8", quote_plus),
    "Go": (b"application/x-www-form-urlencoded", quote_plus),
    ".NET": (b"application/x-www-form-urlencoded", quote_plus),
    "upper case": (b"Application/X-WWW-Form-URLEncoded", quote_plus),
}
WRITTEN = [
    b"a=1", b"a=1&b=2&a=3", b"a=&b=&c", b"a", b"filter[uid]=3&my[uid]=2&uid2=1&uid_type=x", b"filter%5Buid%5D=3&my%5Bfuid%5D=2", b"user[id]=1&user[name]=x", b"UID=1&_uid=2&Fuid=3",
    b"a=1;b=2", b"q=a+b+c", b"q=a%20b%2Bc", b"q=100%25", b"q=%E9%9B%AA&%C3%A9=1", b"next=%2Fa%3Fuid%3D1%26x%3D2", b"a[]=1&a[]=2&a[3]=4", b"a.b=1&a[b].c=2", b"a=1&&b=2", b"a=1&", b"json=%7B%22uid%22%3A1%7D",
    b"token=eyJhbGciOiJub25lIn0.e30.&x==", b"a==", b"a=b=c", b"url=https://example.com/?uid=1", b"email=a@example.com", b"t=12:30", b"x=1,2,3", b"x=(1)", b"x=it's", b"x=~a-b_c.d!*", b"q=uid", b"q=uid%3DEV", b"guid=1&fluid=2&druid=3&build=4",
    b"sort=-uid&fields=uid,name", b"page=2&per_page=50&uids[]=1&uids[]=2", b"x=" + b"y" * 5000, b"&".join(b"k%d=%d" % (i, i) for i in range(300)),
]  # fmt: skip


def forms() -> list[Honest]:
    """Urlencoded forms."""
    found = []
    for client, (kind, escape) in FORM_TYPES.items():
        for what, fields in FORMS.items():
            texts = [(f.name, f.value) for f in fields if isinstance(f.value, str)]
            body = urlencode(texts, quote_via=escape).encode()
            case = Case("honest", what, b"POST", lines=(content_type(kind),), body=body, body_kind=FORM)
            found.append(Honest(client, what, case, ("recorder only",) if kind[:1] == b"A" else FORM_HOSTS))
    for body in WRITTEN:
        lines = (b"User-Agent: Wget/1.21.3", content_type(URLENCODED))
        case = Case("honest", body[:60].decode(), b"POST", lines=lines, body=body, chunks=7 if len(body) % 5 == 0 else None, body_kind=FORM)
        found.append(Honest("wget --post-data", body[:60].decode(), case, FORM_HOSTS))
    case = Case("honest", "nothing", b"POST", lines=(content_type(URLENCODED),), body=b"", body_kind=FORM)
    found.append(Honest("curl -d ''", "an empty form", case, FORM_HOSTS))
    return found


QUERIES = [
    *WRITTEN, b"a=1;b=2;c=3&filter[uid]=3", b"filter[uid]=3&my[uid]=2&uid2=1&uid_type=x&a=1;b=2", b"a=%zz&b=%", b"redirect_uri=https%3A%2F%2Fa.example%2F%3Fuid%3D1&state=abc", b"a=1?b=2", b"?".replace(b"?", b"x?y"), b"a=/b/c",
    b"_=1700000000000", b"fbclid=IwAR0x_-&utm_source=a&utm_medium=b%20c", b"bbox=1.5,2.5,3,4", b"a=b|c", b"ids=1&ids=2&ids=3", b"x=%00", b"q=%F0%9F%98%80", b"callback=jQuery123_456&_=1", b"X-Amz-Signature=abc&X-Amz-Date=20240101T000000Z",
    b"$filter=uid%20eq%201&$top=5", b"where=%7B%22uid%22:1%7D", b"a=%5B%5D", b"a%5B%5D=1", b"cuid=1",
]  # fmt: skip


def queries() -> list[Honest]:
    found = []
    for number, query in enumerate(QUERIES):
        method = (b"GET", b"GET", b"DELETE", b"GET", b"POST")[number % 5]
        # A POST without a body may become a form, for its claim.
        case = Case("honest", query[:60].decode(), method, query=query, lines=(b"Accept: */*",), body=b"" if method == b"POST" else None, body_kind=NONE)
        found.append(Honest("any client", "query " + query[:60].decode(), case, FORM_HOSTS))
    body = b"a=1&b=2"
    case = Case("honest", "both", b"POST", query=b"c=3&filter[uid]=4", lines=(content_type(URLENCODED),), body=body, body_kind=FORM)
    found.append(Honest("any client", "a query beside a form", case, FORM_HOSTS))
    return found


COOKIES = [
    b"a=1", b"a=1; b=2; c=3", b"_ga=GA1.2.1234567890.1700000000; _gid=GA1.2.987.654; _fbp=fb.1.1700.123", b"session=eyJhIjoxfQ.ZzH0Xw.abc-_x", b"token=YWJjZA==; x=1", b"sid=s%3Aabc.def%2Fghi%2B%3D", b'theme="dark"; b=2',
    b"prefs=%7B%22a%22%3A1%7D", b'prefs={"a":1}; b=2', b"a=b=c=d; e=f", b"PHPSESSID=0123456789abcdef; csrftoken=Ab-9", b"JSESSIONID=ABC.node1; Path=x", b"__Host-session=abc; __Secure-id=def", b"cuid2=1; mycuid=2; cuid_x=3; xcuid=4",
    b"a=; b=1", b"ids=1|2|3; x=a/b:c", b"consent=a%2Cb%2Cc; x=1", b"x=!#$%&'()*+-./:<>?@[]^_`{}~; y=1", b"_session_id=QVZ6--abc123", b"connect.sid=s%3Ax.y; io=abc", b"wp-settings-1=a%3Db%26c; wordpress_logged_in_0123=admin%7C17%7Cx", b"laravel_session=eyJpdiI6IkE9PSJ9%3D%3D; XSRF-TOKEN=eyJ%3D",
    b"ASP.NET_SessionId=abc; .AspNetCore.Antiforgery.x=CfDJ8", b"a=" + b"y" * 3000, b"; ".join(b"k%d=%d" % (i, i) for i in range(60)), b"lang=is-IS; tz=Atlantic/Reykjavik", b"amp_0123=a.b.c; ajs_user_id=%22uid%22", b"utag_main=v_id:0123$_sn:2$_ss:0; s_cc=true", b"c=#1; d=50%", b"a.b=1; c-d=2; e_f=3; g!=4",
]  # fmt: skip


def cookies() -> list[Honest]:
    found = []
    for cookie in COOKIES:
        case = Case("honest", cookie[:60].decode(), query=b"a=1", lines=(b"Cookie: " + cookie, f"User-Agent: {FIREFOX}".encode()))
        found.append(Honest("a browser", "cookie " + cookie[:60].decode(), case, FORM_HOSTS))
    case = Case("honest", "cookies and a form", b"POST", lines=(b"Cookie: a=1; b=2", content_type(URLENCODED)), body=b"c=3", body_kind=FORM)
    found.append(Honest("a browser", "cookies and a form", case, FORM_HOSTS))
    return found


HEADERS = [
    (b"X-User: 1", b"X-Uid2: 2", b"Uid: 3", b"My-X-Uid: 4"), (b"X-Requested-With: XMLHttpRequest", b"X-CSRF-Token: abc=="), (b"If-None-Match: \"abc\"", b"If-Modified-Since: Mon, 01 Jan 2024 00:00:00 GMT"), (b"Range: bytes=0-99",),
    (b"Accept: */*", b"Accept-Language: is", b"Cache-Control: no-cache", b"Pragma: no-cache"), (b"X-Api-Version: 2", b"X-Correlation-Id: 0123"), ("X-Name: Snær".encode(),), (b"X-Empty:",), (b"X-Long: " + b"x" * 4000,), (b"Prefer: return=minimal", b"Idempotency-Key: \"x\""),
    (b"User-Agent: kube-probe/1.31",), (b"X-Json: {\"uid\":1}", b"Link: <a>; rel=\"b\""),
]  # fmt: skip


def headers() -> list[Honest]:
    return [
        Honest("any client", f"header {lines[0][:40].decode()}", Case("honest", "headers", lines=lines), FORM_HOSTS) for lines in HEADERS
    ]


DOCUMENTS = [
    {"a": 1}, {"uid": "x", "fuid": "y"}, {"user": {"uid": 1}}, [1, 2, 3], [{"uid": 1}], "text", 17, None, True, {}, [], {"名": "雪"}, {"a": "x" * 3000}, {"query": "query($uid: ID!) { user(uid: $uid) { name } }", "variables": {"uid": 1}},
    {"jsonrpc": "2.0", "method": "x", "params": {"uid": 1}, "id": 1}, {"data": {"type": "users", "id": "1", "attributes": {"uid": 2}}}, {"a": 1.5, "b": -0.0, "c": 1e300}, {"nested": {"a": {"b": {"c": [[[1]]]}}}},
]  # fmt: skip
JSON_TYPES = [b"application/json", b"application/json; charset=utf-8", b"application/json;charset=UTF-8", b"application/vnd.api+json"]
BYTES = [
    (b"text/plain", b"uid=1&a=2"), (b"text/plain;charset=UTF-8", "snær\n".encode()), (b"application/xml", b"<?xml version=\"1.0\"?><uid>1</uid>"), (b"text/xml; charset=utf-8", b"<a/>"), (b"application/octet-stream", PICTURE), (b"image/png", PICTURE),
    (b"application/pdf", b"%PDF-1.7\n" + PICTURE), (b"text/csv", b"uid,name\r\n1,a\r\n"), (b"application/x-ndjson", b"{\"a\":1}\n{\"uid\":2}\n"), (b"application/x-protobuf", b"\x08\x96\x01"), (b"text/html; charset=utf-8", b"<p>"), (b"application/zip", b"PK\x03\x04" + PICTURE),
    (b"application/soap+xml; charset=utf-8; action=\"x\"", b"<Envelope/>"), (b"application/graphql", b"{ user(uid: 1) { name } }"), (b"application/merge-patch+json", b"{\"uid\":null}"), (b"application/cbor", b"\xa1aa\x01"), (b"video/mp4", PICTURE), (b"audio/ogg", b"OggS"),
]  # fmt: skip


def documents() -> list[Honest]:
    found = []
    for number, document in enumerate(DOCUMENTS):
        for indent in (None, 2):
            kind = JSON_TYPES[(number + bool(indent)) % len(JSON_TYPES)]
            body = json.dumps(document, ensure_ascii=bool(indent), indent=indent).encode()
            method = (b"POST", b"PUT", b"PATCH")[number % 3]
            case = Case("honest", "JSON", method, query=b"a=1", lines=(content_type(kind),), body=body, chunks=50 if number % 4 == 3 else None, body_kind=OTHER)
            found.append(Honest("fetch", f"{kind.decode()} {body[:40].decode()}", case, OTHER_HOSTS))
    for kind, body in BYTES:
        case = Case("honest", "bytes", b"PUT", lines=(content_type(kind),), body=body, body_kind=OTHER)
        found.append(Honest("any client", f"a body of {kind.decode()}", case, OTHER_HOSTS))
    return found


def big() -> list[Honest]:
    """Bodies of 2 MiB."""
    content = random.Random("big").randbytes(2 * MIB)
    found = []
    for client in (one for one in CLIENTS if one.name in ("Chrome", "curl 8", ".NET", "Unity's WWWForm")):
        body = _body(client, [Field("title", "x"), Field("video", content, "v.mp4", "video/mp4"), Field("my[uid]", "y")])
        lines = (content_type(client.type.replace("@", client.boundary).encode()),)
        case = Case("honest", "2 MiB", b"POST", lines=lines, body=body, body_kind=FORM)
        found.append(Honest(client.name, "an upload of 2 MiB", case, FORM_HOSTS, client.boundary.encode(), big=True))
    body = json.dumps({"a": "x" * (2 * MIB)}).encode()
    case = Case("honest", "2 MiB", b"POST", lines=(content_type(b"application/json"),), body=body, body_kind=OTHER)
    found.append(Honest("fetch", "JSON of 2 MiB", case, OTHER_HOSTS, big=True))
    case = Case("honest", "2 MiB", b"PUT", lines=(content_type(b"application/octet-stream"),), body=content, chunks=100000, body_kind=OTHER)
    found.append(Honest("curl -T", "2 MiB in chunks", case, OTHER_HOSTS, big=True))
    return found


ALL = [*uploads(), *forms(), *queries(), *cookies(), *headers(), *documents(), *big()]
__all__ = ["ALL", "Honest", "chunked"]
