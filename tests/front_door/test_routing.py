"""Hosts, paths and methods: rules 1 and 2 of the design. Which function a request reached shows in the
path that its URL puts before the request's own."""

import pytest

from support.configuration import configuration, domain, jwt
from support.tokens import jwks, key

KEY = key("ES256")
TOKEN = KEY.token()
FUNCTIONS = ["default", "orders", "order", "deep", "exact", "wild", "other", "read", "write"]


def route(path, function, *methods):
    return {"path": path, "functionName": function, **({"methods": list(methods)} if methods else {})}


@pytest.fixture(scope="module")
def gateway(serve, recorder):
    auth = jwt(jwks(KEY))
    functions = [{"functionName": name, "url": f"{recorder.url}/{name}"} for name in FUNCTIONS]
    everything = [route("/*", "default")]
    domains = [
        domain(
            routes=[
                route("/orders/*", "orders"),
                route("/orders", "order"),
                route("/orders/deep/*", "deep"),
                route("/orders/deep/exact", "exact"),
                route("/*", "default"),
            ]
        ),
        domain("Exact.Wild.Example.com", routes=[route("/*", "exact")]),
        domain("*.wild.example.com", routes=[route("/*", "wild")]),
        domain("other.example.com", routes=[route("/only", "other"), route("/tree/*", "other")]),
        domain(
            "methods.example.com",
            routes=[
                route("/thing", "read", "GET", "HEAD"),
                route("/thing", "write", "PUT", "DELETE"),
                route("/tree/*", "read", "GET"),
                route("/tree/leaf", "write", "POST"),
                route("/any", "default"),
            ],
        ),
        domain("white.example.com", routes=everything, auth={**auth, "whitelist": ["/healthz", "/public/*"]}),
        domain("black.example.com", routes=everything, auth={**auth, "blacklist": ["/admin", "/admin/*", "/x/y"]}),
        domain("closed.example.com", routes=everything, auth=auth),
    ]
    return serve(configuration(domains, functions), recorder)


def reached(response) -> str:
    """The function's name and the path as it saw it, or the status and code of the refusal."""
    if response.status == 200:
        return response.seen.target.removeprefix("/")
    return f"{response.status} {response.json()['Code']}"


UNKNOWN = "404 DomainNameNotFound"
HOSTS = {
    "api.example.com": "default/",
    "API.Example.COM": "default/",
    "api.example.com:80": "default/",
    "api.example.com:65535": "default/",
    "api.example.com.": "default/",
    "api.example.com.:443": "default/",
    "exact.wild.example.com": "exact/",
    "EXACT.WILD.example.com.": "exact/",
    "a.wild.example.com": "wild/",
    "A.Wild.Example.Com:8080": "wild/",
    "xn--brf-5qa.wild.example.com": "wild/",
    "a.b.wild.example.com": UNKNOWN,
    "wild.example.com": UNKNOWN,
    "awild.example.com": UNKNOWN,
    "*.wild.example.com": None,
    ".wild.example.com": None,
    "example.com": UNKNOWN,
    "com": UNKNOWN,
    "localhost": UNKNOWN,
    "127.0.0.1": UNKNOWN,
    "[::1]": UNKNOWN,
    "[::1]:8080": UNKNOWN,
    "api.example.com.evil.net": UNKNOWN,
    "api.example.com..": None,
    "api..example.com": None,
    "xapi.example.com": UNKNOWN,
}


@pytest.mark.parametrize(("host", "expected"), HOSTS.items(), ids=HOSTS.keys())
def test_host(gateway, host, expected):
    """Where None is expected the name is none, and whether that is unknown or malformed does not matter."""
    found = reached(gateway.get(host=host))
    if expected is None:
        assert found == UNKNOWN or found.startswith("400 ")
    else:
        assert found == expected


BAD_HOSTS = [
    "", " ", "api.example.com:", "api.example.com:http", "api.example.com:99999", "api.example.com:80:80",
    "user@api.example.com", "api.example.com/x", "api.example.com?x", "api.example.com#x", "api.example.com\\x",
    "api.example.com x", "api.example.com, other.example.com", "[::1", "api%2eexample.com", "api.example.com%00",
    "http://api.example.com", "\u00e1pi.example.com", "api_.exa\tmple.com",
]  # fmt: skip


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_a_host_that_is_none_is_refused(gateway, host):
    response = gateway.get(host=host)
    allowed = {400} if host != "api.example.com:" else {400, 200}  # RFC 3986 allows an empty port.
    assert response.status in allowed or (host in ("api%2eexample.com", "\u00e1pi.example.com") and response.status == 404)


RAW_HOSTS = {
    "no host": (b"GET / HTTP/1.1\r\n\r\n", "400"),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: api.example.com\r\nHost: closed.example.com\r\n\r\n", "400"),
    "two equal hosts": (b"GET / HTTP/1.1\r\nHost: api.example.com\r\nHost: api.example.com\r\n\r\n", "400"),
    "absolute form": (b"GET http://api.example.com/a?b HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "default/a?b"),
    "absolute form, other spelling of the host": (
        b"GET HTTP://API.example.com./a HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "default/a",
    ),
    "absolute form without path": (b"GET http://api.example.com HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "default/"),
    "absolute form, another host": (b"GET http://api.example.com/ HTTP/1.1\r\nHost: closed.example.com\r\n\r\n", "400"),
    "absolute form, another host in Host": (
        b"GET http://closed.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "400",
    ),
    "absolute form, no Host": (b"GET http://api.example.com/ HTTP/1.1\r\n\r\n", "400"),
    "absolute form with a user": (b"GET http://u@api.example.com/ HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "400"),
    "authority form": (b"CONNECT api.example.com:80 HTTP/1.1\r\nHost: api.example.com:80\r\n\r\n", "400"),
    "CONNECT with a path": (b"CONNECT / HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "400"),
    "asterisk form": (b"OPTIONS * HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "400"),
    "no slash": (b"GET a HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "400"),
    "HTTP/1.0 without host": (b"GET / HTTP/1.0\r\n\r\n", "400"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), RAW_HOSTS.values(), ids=RAW_HOSTS.keys())
def test_request_target_and_host(gateway, data, expected):
    assert reached(gateway.raw(data)).startswith(expected)


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Host", "X-Original-Host", "Forwarded"])
def test_no_other_header_names_the_domain(gateway, name):
    value = "host=api.example.com" if name == "Forwarded" else "api.example.com"
    assert gateway.get(host="closed.example.com", headers=[(name, value)]).status == 401


# path, function and path as it saw it
ROUTES = {
    "/": "default/",
    "/x": "default/x",
    "/orders": "order/orders",
    "/orders/": "orders/orders/",
    "/orders/1": "orders/orders/1",
    "/orders?x=/orders/deep": "order/orders?x=/orders/deep",
    "/ordersx": "default/ordersx",
    "/Orders/1": "default/Orders/1",
    "/orders/deep": "orders/orders/deep",
    "/orders/deep/": "deep/orders/deep/",
    "/orders/deep/exact": "exact/orders/deep/exact",
    "/orders/deep/exact/": "deep/orders/deep/exact/",
    "/orders/deep/exact?q": "exact/orders/deep/exact?q",
    "/%6frders/1": "orders/%6frders/1",
    "/orders/./1": "orders/orders/1",
    "/orders/deep/../1": "orders/orders/1",
    "/orders/deep/%2e%2e/1": "orders/orders/1",
    "/orders/deep/.%2E/1": "orders/orders/1",
    "/orders/..": "default/",
    "/orders/deep/..": "orders/orders/",
    "/../../x": "default/x",
    "//orders/1": "default//orders/1",
    "/orders//1": "orders/orders//1",
    "/orders%2f1": "default/orders%2f1",
    "/orders%2F1": "default/orders%2F1",
    "/orders/a%2F%2e%2e%2Fb": None,
    "/a%7eb/%7E": "default/a%7eb/%7E",
    "/a%20b%C3%A9": "default/a%20b%C3%A9",
    "/%61/./b": "default/a/b",
    "/a;b=c/d": "default/a;b=c/d",
    "/a:b@c!$&'()*+,=": "default/a:b@c!$&'()*+,=",
    "/a?%2e%2e/&x=%00": "default/a?%2e%2e/&x=%00",
    "/x?": "default/x?",
    "/x??a": "default/x??a",
}


@pytest.mark.parametrize(("target", "expected"), ROUTES.items(), ids=ROUTES.keys())
def test_route_and_forwarded_path(gateway, target, expected):
    found = reached(gateway.get(target))
    if expected is None:
        assert found.startswith(("400", "orders/", "default/"))
        return
    assert found == expected


MALFORMED_PATHS = [
    "/a%00", "/%00", "/a%5cb", "/a%5Cb", "/a\\b", "/%0a", "/a%0d%0ab", "/a%7f", "/a%1fb", "/a%09", "/x/..;/y", "/..;x/y",
    "/x/%2e%2e;a=b/y", "/x/.;/y", "/a%u002e", "/a%2", "/a%zz", "/%", "/%2500", "/%255c",
]  # fmt: skip


@pytest.mark.parametrize("target", MALFORMED_PATHS, ids=repr)
@pytest.mark.parametrize("host", ["api.example.com", "white.example.com", "closed.example.com"])
def test_a_malformed_path_is_refused(gateway, host, target):
    """Written once more in percent-encoding it is another path, which is for the function to judge."""
    response = gateway.get(target, host=host, token=TOKEN)
    assert response.status == 400 or (target.startswith("/%25") and response.status == 200)


@pytest.mark.parametrize(
    ("host", "target", "expected"),
    [
        ("other.example.com", "/only", "other/only"),
        ("other.example.com", "/", "404 DomainRouteNotFound"),
        ("other.example.com", "/only/", "404 DomainRouteNotFound"),
        ("other.example.com", "/tree", "404 DomainRouteNotFound"),
        ("other.example.com", "/tree/", "other/tree/"),
        ("other.example.com", "/tree/../secret", "404 DomainRouteNotFound"),
        ("other.example.com", "/tree/%2e%2e/secret", "404 DomainRouteNotFound"),
        ("closed.example.com", "/", "401"),
    ],
)
def test_no_route(gateway, host, target, expected):
    assert reached(gateway.get(target, host=host)).startswith(expected)


# method, path, function or the methods of Allow
METHODS = {
    ("GET", "/thing"): "read",
    ("HEAD", "/thing"): "read",
    ("PUT", "/thing"): "write",
    ("DELETE", "/thing"): "write",
    ("POST", "/thing"): {"GET", "HEAD", "PUT", "DELETE"},
    ("OPTIONS", "/thing"): {"GET", "HEAD", "PUT", "DELETE"},
    ("get", "/thing"): {"GET", "HEAD", "PUT", "DELETE"},
    ("GET", "/tree/x"): "read",
    ("GET", "/tree/leaf"): {"POST"},  # The exact path decides, then the method.
    ("POST", "/tree/x"): {"GET"},
    ("POST", "/tree/leaf"): "write",
    ("PATCH", "/any"): "default",
    ("PROPFIND", "/any"): "default",
}


@pytest.mark.parametrize(("request_line", "expected"), METHODS.items(), ids=map(" ".join, METHODS))
def test_methods(gateway, request_line, expected):
    method, path = request_line
    response = gateway.request(method, path, host="methods.example.com")
    if isinstance(expected, str):
        assert response.status == 200
        assert response.seen.target == f"/{expected}{path}"
        assert response.seen.method == method
    else:
        assert response.status == 405
        assert {name.strip() for name in response.header("allow").split(",")} == expected


OVERRIDES = [
    ("X-HTTP-Method-Override", "GET"), ("X-HTTP-Method", "GET"), ("X-Method-Override", "GET"),
    ("X-Original-URL", "/any"), ("X-Rewrite-URL", "/any"), ("X-Forwarded-Uri", "/any"),
]  # fmt: skip


@pytest.mark.parametrize("header", OVERRIDES, ids=lambda header: header[0])
def test_no_header_overrides_method_or_path(gateway, header):
    assert gateway.post("/thing", host="methods.example.com", headers=[header]).status == 405
    name, value = header[0], "/healthz"
    assert gateway.get("/private", host="white.example.com", headers=[(name, value)]).status == 401


OPEN, GUARDED, MALFORMED = {200}, {401}, {400}
WHITELIST = {
    "/healthz": OPEN,
    "/healthz?x": OPEN,
    "/healthz?/../private": OPEN,
    "/public/": OPEN,
    "/public/a": OPEN,
    "/public/a/b": OPEN,
    "/public/a%20b": OPEN,
    "/public/a;b": OPEN,
    "/public/a%7eb": OPEN,
    "/": GUARDED,
    "/private": GUARDED,
    "/public": GUARDED,
    "/publicx": GUARDED,
    "/healthz/": GUARDED,
    "/healthz/x": GUARDED,
    "/HEALTHZ": GUARDED,
    "/Public/a": GUARDED,
    "/healthz;x": GUARDED,
    "/healthz%20": GUARDED,
    "/healthz.": GUARDED,
    "/%68ealthz": GUARDED,
    "/%70ublic/a": GUARDED,
    "/./healthz": GUARDED,
    "//healthz": GUARDED,
    "//public/a": GUARDED,
    "/x/../healthz": GUARDED,
    "/x/../public/a": GUARDED,
    "/public/../private": GUARDED,
    "/public/%2e%2e/private": GUARDED,
    "/public/%2E./private": GUARDED,
    "/public/..": GUARDED,
    "/public/a/../../private": GUARDED,
    "/public/./../private": GUARDED,
    "/public//../private": GUARDED,
    "/public//../../private": GUARDED,
    "/public/..%2fprivate": GUARDED,
    "/public/..%2Fprivate": GUARDED,
    "/public/%2e%2e%2fprivate": GUARDED,
    "/public%2f..%2fprivate": GUARDED,
    "/public/%252e%252e/private": GUARDED,
    "/public/%252e%252e%252fprivate": GUARDED,
    "/public/%25252e%25252e/private": GUARDED,
    "/public/a%2f..%2f..%2fprivate": GUARDED,
    "/public/..;/private": MALFORMED,
    "/public/..;x=y/private": MALFORMED,
    "/public/%2e%2e;/private": MALFORMED,
    "/public/..%5cprivate": MALFORMED,
    "/public/..\\private": MALFORMED,
    "/public/a%00/../../private": MALFORMED,
    "/public/a#/../../private": OPEN | MALFORMED,  # Open means: without the fragment.
    "/healthz#x": OPEN | MALFORMED,
    "/private#/healthz": GUARDED | MALFORMED,
    "/private?/healthz": GUARDED,
    "/private?/../healthz": GUARDED,
}


@pytest.mark.parametrize(("target", "allowed"), WHITELIST.items(), ids=WHITELIST.keys())
def test_whitelist(gateway, target, allowed):
    """Without a token only what is plainly in the whitelist gets through."""
    response = gateway.get(target, host="white.example.com")
    assert response.status in allowed
    assert response.seen is None or "#" not in response.seen.target


BLACKLIST = {
    "/": OPEN,
    "/adminx": OPEN,
    "/x/admin": OPEN,
    "/x?/admin": OPEN,
    "/x/y/": GUARDED,
    "/x/y.json": GUARDED,
    "/x/yz": OPEN,
    "/ADMIN": GUARDED,
    "/Admin/x": GUARDED,
    "/admin.json": GUARDED,
    "/admin": GUARDED,
    "/admin?x": GUARDED,
    "/admin/": GUARDED,
    "/admin/x": GUARDED,
    "/admin;x": GUARDED,
    "/admin/;x": GUARDED,
    "/admin;x/secret": GUARDED,
    "/;/admin/secret": GUARDED,
    "//x/admin": GUARDED,
    "//x:80/admin/secret": GUARDED,
    "/%c0%afadmin/secret": GUARDED,
    "/%e0%80%afadmin/secret": GUARDED,
    "/x/y": GUARDED,
    "//admin": GUARDED,
    "///admin": GUARDED,
    "//admin/x": GUARDED,
    "/admin//x": GUARDED,
    "/./admin": GUARDED,
    "/x/../admin": GUARDED,
    "/../admin": GUARDED,
    "/x/%2e%2e/admin": GUARDED,
    "/x/..%2fadmin": GUARDED,
    "/%61dmin": GUARDED,
    "/%61%64min/x": GUARDED,
    "/%2561dmin": GUARDED,
    "/%252561dmin": GUARDED,
    "/admin%2f": GUARDED,
    "/admin%2Fx": GUARDED,
    "/%2fadmin": GUARDED,
    "/%2f%2fadmin": GUARDED,
    "/x%2fy": GUARDED,
    "/admin/../x": GUARDED,  # The raw form is in it, and either form suffices.
    "/admin/%2e%2e/x": GUARDED,
    "/admin%00": MALFORMED,
    "/admin%5c": MALFORMED,
    "/admin\\x": MALFORMED,
    "/x/..;/admin": MALFORMED,
    "/admin#x": GUARDED | MALFORMED,
    "/x#/admin": OPEN | GUARDED | MALFORMED,
}


@pytest.mark.parametrize(("target", "allowed"), BLACKLIST.items(), ids=BLACKLIST.keys())
def test_blacklist(gateway, target, allowed):
    """Without a token nothing that any reading takes for an entry gets through."""
    assert gateway.get(target, host="black.example.com").status in allowed


LEAVING = ["/tree/..%2fadmin", "/tree/%2e%2e%2fadmin", "/tree/%252e%252e/admin", "/tree/..%252fadmin", "/tree/..%c0%afadmin"]


@pytest.mark.parametrize("target", LEAVING)
def test_no_encoded_path_leaves_the_folder_of_its_route_or_of_its_function(gateway, target):
    """nginx and others resolve dot segments after they have decoded a path."""
    for host in ["other.example.com", "closed.example.com"]:  # A route /tree/*; a URL with a path.
        assert gateway.get(target, host=host, token=TOKEN).status == 400
    assert gateway.get("/tree/a%2fb/..c", host="other.example.com").status == 200


@pytest.mark.parametrize("host", ["white.example.com", "black.example.com", "closed.example.com"])
@pytest.mark.parametrize("target", ["/public/../admin", "//admin", "/%2561dmin", "/admin%2fx", "/x?y"])
def test_with_a_token_every_well_formed_path_gets_through(gateway, host, target):
    assert gateway.get(target, host=host, token=TOKEN).status == 200


def test_a_bad_token_is_refused_on_guarded_paths_only(gateway):
    assert gateway.get("/private", host="white.example.com", token="bad").status == 401
    assert gateway.get("/healthz", host="white.example.com", token="bad").status == 200
    assert gateway.get("/admin", host="black.example.com", token="bad").status == 401
    assert gateway.get("/x", host="black.example.com", token="bad").status == 200


PREFLIGHTS = [
    [("Origin", "https://a.example"), ("Access-Control-Request-Method", "GET")],
    [("Origin", "https://a.example")],
    [],
]


@pytest.mark.parametrize("headers", PREFLIGHTS, ids=["preflight", "origin", "nothing"])
def test_options_is_a_method_like_others(gateway, headers):
    """Without a corsConfig there is nothing that could answer a preflight."""
    assert gateway.request("OPTIONS", "/x", host="closed.example.com", headers=headers).status == 401


def test_unknown_host_with_many_labels_and_a_long_name(gateway):
    assert reached(gateway.get(host="a." * 100 + "wild.example.com")) == UNKNOWN
    assert reached(gateway.get(host="a" * 300 + ".wild.example.com"))[:3] in ("400", "404")
