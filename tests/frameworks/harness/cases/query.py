"""Queries."""

from harness import spelling
from harness.case import Case
from harness.generator import SEPARATORS, Generator, escaped, fits_a_target, kind, make_flood


@kind(20)
def query_spelling(g: Generator) -> Case:
    pair, note, well_formed = g.pair(g.name(b"uid", b"fuid"), "query")
    query, repetition = g.pairs(pair)
    if not fits_a_target(query):
        query = b"".join(bytes((c,)) if 0x20 < c < 0x7F or c >= 0x80 else b"%%%02X" % c for c in query)
    case = Case("", f"{note}, {repetition}", query=query, must_pass=well_formed, hosts=("query", "forward"))
    return case.but(method=g.take("query method", [b"GET"] * 5 + [b"POST", b"DELETE", b"OPTIONS", b"PUT"]))


@kind(6)
def query_separator(g: Generator) -> Case:
    separator = g.take("query separator", SEPARATORS)
    name = g.name(b"uid", b"fuid")
    odd = name if g.rng.random() < 0.6 else g.decorated("query separator", name)[0]
    written = odd if fits_a_target(odd) else spelling.minimal(odd)
    query, repetition = g.pairs(written + b"=EVIL", separator)
    if separator not in query:
        query = b"a=1" + separator + query
    return Case(
        "", f"separator {escaped(separator)}, {repetition}", query=query,
        must_pass=separator in (b"&", b"&&") and odd == name, hosts=("query",),
    )  # fmt: skip


@kind(5)
def query_flood(g: Generator) -> Case:
    flood, note = make_flood(g, "query flood")
    if len(flood) > 14000:
        flood = flood[:14000].rpartition(b"&")[0] + b"&"
    name = g.name(b"uid", b"fuid")
    odd = g.take("query flood name", [b"N", b"[N]", b"N[]", b"[N][]", b"N%5B%5D", b"%20N", b".N", b"%%N"]).replace(b"N", name)
    # Length of a request's line is the gateway's and the function's own limit.
    return Case("", f"{note}, then {escaped(odd)}", query=flood + odd + b"=EVIL", hosts=("query",))


@kind(4)
def query_target(g: Generator) -> Case:
    name = g.name(b"uid", b"fuid")
    target = g.take(
        "target",
        [
            b"/p??N=EVIL", b"/p???N=EVIL", b"/p?a=1?N=EVIL", b"/p?/N=EVIL", b"/p?/?N=EVIL", b"/p%3FN=EVIL", b"/p%3fN=EVIL?a=1",
            b"/p;N=EVIL", b"/p;N=EVIL?a=1", b"/p;a=1;N=EVIL/q", b"/p?a=1#&N=EVIL", b"/p#?N=EVIL", b"/p?#N=EVIL",
            b"/p&N=EVIL", b"/p?&N=EVIL", b"/p?=&N=EVIL", b"/p?N=EVIL#x", b"/p/N=EVIL", b"/p?N", b"/p?EVIL", b"/p?EVIL+N",
            b"/p?a&N=EVIL&", b"/p?%3FN=EVIL", b"/p?%26N=EVIL", b"/p?a=%26N=EVIL", b"/p?a=1%26N%3DEVIL", b"/p?a=1%253FN=EVIL",
            b"/p?a=\"&N=EVIL\"", b"/p?a=(&N=EVIL)", b"/p?a=<&N=EVIL>", b"/p?a='&N=EVIL'", b"/p?{\"N\":\"EVIL\"}",
            b"/p?N:EVIL", b"/p?N%3DEVIL", b"/p?N==EVIL", b"/p?a=1&N=&N=EVIL", b"/p?N=&N[]=EVIL", b"/p?N[]=a&N=EVIL",
            b"/p?a=1&amp;N=EVIL", b"/p?a=1&#38;N=EVIL", b"/p.php?N=EVIL", b"/p/?N=EVIL", b"//p?N=EVIL", b"/p?a=%&N=EVIL",
            b"/p?a=%u0026N=EVIL", b"/p?%&N=EVIL", b"/p?a=%2&N=EVIL", b"/p?a=%FF&N=EVIL", b"/p?a=\xff&N=EVIL", b"/p?\xff&N=EVIL",
            b"/p?_method=POST&N=EVIL", b"/p?a=1&N=EVIL&&&&", b"/p?a=+&+N=EVIL", b"/p?jsonp={}&N=EVIL",
        ],
    )  # fmt: skip
    target = target.replace(b"N", name)
    path, question, query = target.partition(b"?")
    return Case("", escaped(target), path=path, query=query if question else None, hosts=("query",))
