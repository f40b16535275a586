"""Multipart forms."""

import re

from harness import spelling
from harness.case import EVIL, MULTIPART, ODD, Case, content_type, field, multipart, part
from harness.generator import Generator, base64_of, escaped, kind


@kind(20)
def multipart_name(g: Generator) -> Case:
    name = g.name(b"fuid", b"uid")
    odd, decoration = g.decorated("multipart", name)
    odd = odd.replace(b"\r\n", b"\n") if g.rng.random() < 0.5 else odd
    encoding = g.take("multipart encoding", ["raw"] * 6 + ["quoted-pair", "percent", "percent all", "HTML", "encoded word"])
    match encoding:
        case "quoted-pair":
            odd = odd.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        case "percent":
            odd = spelling.minimal(odd)
        case "percent all":
            odd = spelling.percent(odd)
        case "HTML":
            odd = odd.replace(b'"', b"%22").replace(b"\r", b"%0D").replace(b"\n", b"%0A")
        case "encoded word":
            odd = b"=?utf-8?B?" + base64_of(odd) + b"?="
    quotes = g.take("multipart quotes", [b'"%s"'] * 8 + [b"%s", b"'%s'", b'"%s', b' "%s"', b'"%s" ', b'""%s', b'"%s"x'])
    well_formed = decoration in (b"N", b"N[]") and encoding in ("raw", "quoted-pair", "HTML", "percent") and quotes == b'"%s"'
    parts = [part(b"name=" + quotes % odd, EVIL)] * g.take("times", [1, 1, 1, 2])
    label, before, behind = g.take(
        "neighbours",
        [("alone", [], []), ("behind", [field(b"a", b"1")], []), ("before", [], [field(b"b", b"2")]), ("between", [field(b"a", b"1")], [field(b"b", b"2")])],
    )
    note = f"{escaped(decoration)} {encoding}, quotes {escaped(quotes)}, {label}"
    return g.multi([*before, *parts, *behind], note, well_formed and b"\n" not in odd)


CD = b"Content-Disposition"
#: Heads of parts with N for the name, without the empty line behind.
HEADS = [
    # Two dispositions, and one within another header's value.
    b'CD: form-data; name="a"\r\nCD: form-data; name="N"', b'CD: form-data; name="N"\r\nCD: form-data; name="a"',
    b'X: CD: form-data; name="N"\r\nCD: form-data; name="a"', b'Content-Type: text/plain; CD: form-data; name="N"\r\nCD: form-data; name="a"',
    b'CD: form-data; name="a"\r\nX: CD: form-data; name="N"', b'X: y\r\n CD: form-data; name="N"\r\nCD: form-data; name="a"',
    b'X-CD: form-data; name="N"\r\nCD: form-data; name="a"', b'X-CD: form-data; name="N"', b'X: CD: form-data; name="N"',
    b'CD: form-data; name="a"\nCD: form-data; name="N"', b'CD: form-data; name="a"\rCD: form-data; name="N"',
    b'CD: form-data; name="a"; x="\nCD: form-data; name=N"', b'CD: attachment; name="a"\r\nCD: form-data; name="N"',
    b'X: a\nCD: form-data; name="N"', b'X: a\rCD: form-data; name="N"\r\nCD: form-data; name="a"', b'X: a\x00CD: form-data; name="N"',
    # Two names.
    b'CD: form-data; name="a"; name="N"', b'CD: form-data; name="N"; name="a"', b'CD: form-data; name=a; name=N',
    b'CD: form-data; name="a";name="N"', b'CD: form-data; name="a" name="N"', b'CD: form-data; name="a", name="N"', b'CD: form-data; Name="a"; name="N"',
    b'CD: form-data; xname="N"; name="a"', b'CD: form-data; xname="N"', b'CD: form-data; x-name="N"', b'CD: form-data; x name="N"',
    b'CD: form-data; x=" name="; name="N"', b'CD: form-data; x="; name=N; y="; name="a"', b'CD: form-data; x=\'; name="N"; y=\'; name="a"',
    b'CD: form-data; name="a\\"; name="N"', b'CD: form-data; name="a\\\\"; name="N"', b'CD: form-data; name="a"b"; name="N"', b'CD: form-data; name="a; name="N"',
    b'CD: form-data; name=a"; name="N"', b"CD: form-data; name='a'; name=\"N\"", b"CD: form-data; name='a\"; name=\"N'", b'CD: form-data; name=(a) "N"',
    # File names.
    b'CD: form-data; filename="x"; name="N"', b'CD: form-data; name="N"; filename="x"', b'CD: form-data; name="N"; filename=""', b'CD: form-data; name="N"; filename',
    b'CD: form-data; filename="; name="N"; x="', b'CD: form-data; filename="a\\"; name="N"', b'CD: form-data; filename="a"; name=N"', b'CD: form-data; filename=name="N"',
    b'CD: form-data; filename="C:\\x\\"; name="N"', b'CD: form-data; filename="a;b"; name="N"', b'CD: form-data; filename="name=\\"N\\""; name="a"',
    b'CD: form-data; filename*=utf-8\'\'x; name="N"', b'CD: form-data; filename="name=N"', b'CD: form-data; name="a"; filename="b"; name="N"',
    b'CD: form-data; name="a"; filename="\r\nCD: form-data; name=\\"N\\""', b'CD: form-data; filename="N"', b'CD: form-data; name=""; filename="N"', b'CD: form-data; name=; filename=N', b"CD: form-data; name=\"\"; filename*=utf-8''N", b'CD: form-data; filename="N[]"',
    b'CD: file; filename="x"; name="N"',
    # Extended, continued and encoded names.
    b"CD: form-data; name*=utf-8''N", b"CD: form-data; name*=UTF-8''%66uid", b"CD: form-data; name*=utf-8'en'%75id", b"CD: form-data; name*=iso-8859-1''N",
    b"CD: form-data; name=\"a\"; name*=utf-8''N", b"CD: form-data; name*=utf-8''N; name=\"a\"", b'CD: form-data; name*0="fu"; name*1="id"', b'CD: form-data; name*0="N"',
    b'CD: form-data; name*0*=utf-8\'\'%66u; name*1="id"', b'CD: form-data; name*1="id"; name*0="fu"', b'CD: form-data; name="a"; name*0="N"', b'CD: form-data; name*="N"',
    b"CD: form-data; name*=N", b"CD: form-data; name*=''N", b"CD: form-data; name*=\"utf-8''N\"", b"CD: form-data; name*=utf-16''%00f%00u%00i%00d", b"CD: form-data; name *=utf-8''N",
    b'CD: form-data; name="=?utf-8?q?N?="', b'CD: form-data; name==?utf-8?q?N?=', b'CD: form-data; name="=?utf-8?b?ZnVpZA==?="', b'CD: form-data; name="=?iso-8859-1?q?=66uid?="',
    b'CD: =?utf-8?q?form-data=3B_name=3dN?=', b"CD: form-data; name*=cp037''%86%A4%89%84", b"CD: form-data; name*=utf-7''N",
    # Quotes, backslashes and white space.
    b"CD: form-data; name=N", b"CD: form-data; name='N'", b'CD: form-data; name="N', b'CD: form-data; name=N"', b'CD: form-data; name= "N"', b'CD: form-data; name ="N"', b'CD: form-data; name = "N"',
    b'CD: form-data; name\t=\t"N"', b'CD: form-data; name="\\f\\u\\i\\d"', b'CD: form-data; name="\\uid"', b'CD: form-data; name="f\\uid"', b'CD: form-data; name=\\N', b'CD: form-data; name="N\\"', b'CD: form-data; name="N" "x"',
    b'CD: form-data; name=N x', b'CD: form-data; name=N; x', b'CD: form-data; name=N,x', b'CD: form-data; name=N;', b'CD: form-data; name=N\xa0', b'CD: form-data; name=\x0bN', b'CD: form-data; name="N"\x0b', b'CD: form-data; name="N\x0b"', b'CD: form-data; name=N\x0b',
    b'CD: form-data; name="N\x00"', b'CD: form-data; name=N\x00', b'CD: form-data; name="N\x00x"', b'CD: form-data; name="N\t"', b'CD: form-data; name="N\x7f"', b'CD: form-data; name="\x0cN"', b'CD: form-data; name="N\x1f"', b'CD: form-data; name="\x1cN"',
    b'CD: form-data; name="N\n"', b'CD: form-data; name="\r\n N"', b'CD: form-data; name="N\r\n "', b'CD: form-data; name="fu\r\n id"', b"CD: form-data; name=&quot;N&quot;", b'CD: form-data; name=""N""', b'CD: form-data; name=""; name="N"',
    # The word itself.
    b'CD: form-data;name="N"', b'CD:form-data; name="N"', b'CD : form-data; name="N"', b'CD\t: form-data; name="N"', b' CD: form-data; name="N"', b'cd: form-data; name="N"', b'CD: FORM-DATA; NAME="N"', b'CD: Form-Data; nAmE="N"',
    b'CD: form-data ; name="N"', b'CD: form-data\t;\tname="N"', b'CD: form-data;; name="N"', b'CD: form-data, name="N"', b'CD: form-data name="N"', b'CD: form-data: name="N"', b'CD: "form-data"; name="N"', b'CD: form-data;\x0bname="N"', b'CD: form-data;\xa0name="N"',
    b'CD: attachment; name="N"', b'CD: inline; name="N"', b'CD: file; name="N"', b'CD: mixed; name="N"', b'CD: x; name="N"', b'CD: ; name="N"', b'CD: name="N"', b'CD: form-datax; name="N"', b'CD: multipart/form-data; name="N"', b'CD: form_data; name="N"', b'CD; form-data; name="N"',
    b'CD: (x) form-data; name="N"', b'CD: form-data (x); name="N"', b'CD: form-data; (x) name="N"', b'CD: form-data; name(x)="N"', b'CD= form-data; name="N"', b'CD form-data; name="N"', b'CD:: form-data; name="N"', b'C_D: form-data; name="N"',
    b'CD: form-data; name:"N"', b'CD: form-data; "name"="N"', b'CD: form-data; name="N"; name', b'CD: form-data; name; name="N"', b'CD: form-data; name=; name="N"', b'CD: form-data; %6eame="N"', b'CD: form-data; \xef\xbb\xbfname="N"', b'\xef\xbb\xbfCD: form-data; name="N"',
    # Folded.
    b'CD: form-data;\r\n name="N"', b'CD:\r\n form-data; name="N"', b'CD: form-data; name="a"\r\n ; name="N"', b'CD: form-data;\r\n\tname="N"', b'CD: form-data;\n name="N"', b'CD: form-data; name=\r\n "N"', b'X: y\r\n\tz\r\nCD: form-data; name="N"', b'\r\n CD: form-data; name="N"',
    b'CD: form-data; name="a";\r\n\r\n name="N"', b'X\r\nCD: form-data; name="N"', b': x\r\nCD: form-data; name="N"', b'X: ' + b"y" * 5000 + b'\r\nCD: form-data; name="N"', b'CD: form-data; x="' + b"y" * 3000 + b'"; name="N"',
    # Other headers of a part.
    b'CD: form-data; name="N"\r\nContent-Type: text/plain', b'Content-Type: text/plain; name="N"', b'Content-Type: text/plain; name="N"\r\nCD: form-data', b'Content-ID: <N>', b'Content-ID: N\r\nContent-Type: text/plain', b'Content-Type: application/x-www-form-urlencoded; name="N"',
    b'Content-Transfer-Encoding: base64\r\nCD: form-data; name="N"', b'CD: form-data; name="N"\r\nContent-Transfer-Encoding: quoted-printable', b'CD: form-data; name="N"\r\nContent-Type: application/json', b'CD: form-data; name="N"\r\nContent-Length: 2', b'CD: form-data; name="N"\r\nTransfer-Encoding: chunked',
    b'CD: form-data; name="N"\r\nContent-Type: application/octet-stream', b'CD: form-data; name="N"\r\nContent-Type: text/plain; charset=utf-16', b'content-name: N', b'Content-Disposition-x: form-data; name="N"', b'CD: form-data; name="N"; filename="N"; name*=utf-8\'\'a',
    b"CD: form-data; name=\"a\r\nCD: form-data; name=\"N\"", b'CD: form-data; name="a"\r\nname="N"', b'name="N"', b'CD: form-data; id="N"', b'CD: form-data; name[]="N"', b'CD: form-data; "name="N"', b'CD: form-data; name="' + b"a" * 2000 + b'"; name="N"',
]  # fmt: skip


@kind(24)
def multipart_head(g: Generator) -> Case:
    head = g.take("head", HEADS)
    name = g.name(b"fuid", b"uid")
    written = head.replace(b"CD", CD).replace(b"cd:", b"content-disposition:").replace(b"C_D", b"Content_Disposition")
    written = re.sub(rb"(?<![A-Z])N(?![A-Z])", lambda _: name, written)
    value = EVIL
    if b"base64" in head:
        value = base64_of(EVIL * 3)
    note = escaped(head if len(head) < 200 else head[:100])
    label, before, behind = g.take(
        "head neighbours", [("alone", [], []), ("behind", [field(b"a", b"1")], []), ("before", [], [field(b"b", b"2")])]
    )
    parts = [*before, written + b"\r\n\r\n" + value, *behind]
    return g.multi(parts, f"head {note}, {label}")


#: A boundary parameter, and what readers may take for the boundary.
BOUNDARIES: list[tuple[bytes, list[bytes]]] = [
    *((b"b%cc" % c, [b"b%cc" % c, b"b"]) for c in b"=:/?(),@[]<>\\'{} ;\t|!#$%&*^`~\x0b\x0c\x00\xa0\xe9"),
    *((b'"b%cc"' % c, [b"b%cc" % c, b"b", b'"b']) for c in b"=:/?(),@[]<>\\'{} ;\t|!#$%&*^`~\x0b\x0c\xa0\xe9"),
    (b'"b\\"c"', [b'b"c', b'b\\"c', b"b\\", b"b"]),
    (b'"b\\\\c"', [b"b\\c", b"b\\\\c", b"b"]),
    (b'"\\b"', [b"b", b"\\b"]),
    (b"'b'", [b"'b'", b"b"]),
    (b'"b', [b"b", b'"b']),
    (b'b"', [b"b", b'b"']),
    (b'b"c"', [b'b"c"', b"b", b"bc", b"c"]),
    (b'"b"c', [b"b", b"bc", b'"b"c']),
    (b'""', [b"", b'""']),
    (b"", [b"", b"--"]),
    (b'"b"; boundary=c', [b"b", b"c"]),
    (b"b; boundary=c", [b"b", b"c"]),
    (b"b; Boundary=c", [b"b", b"c"]),
    (b"b;boundary=c", [b"b", b"c"]),
    (b"b, boundary=c", [b"b", b"c", b"b, boundary=c", b"b,"]),
    (b"b boundary=c", [b"b", b"c", b"b boundary=c"]),
    (b"b; boundary*=utf-8''c", [b"b", b"c"]),
    (b"b; boundary*0=c", [b"b", b"c"]),
    (b"b; xboundary=c", [b"b", b"c"]),
    (b"b; x-boundary=c", [b"b", b"c"]),
    (b"b; x=boundary=c", [b"b", b"c"]),
    (b'b; x="boundary=c"', [b"b", b"c"]),
    (b'b; x="; boundary=c"', [b"b", b"c"]),
    (b"b, multipart/form-data; boundary=c", [b"b", b"c", b"b, multipart/form-data"]),
    (b"b; charset=utf-8", [b"b"]),
    (b"b;", [b"b", b"b;"]),
    (b"b ; x=y", [b"b", b"b "]),
    (b"b%3Dc", [b"b%3Dc", b"b=c"]),
    (b"%62", [b"%62", b"b"]),
    (b"=?utf-8?q?b?=", [b"=?utf-8?q?b?=", b"b"]),
    (b"--b", [b"--b", b"b"]),
    (b"b--", [b"b--", b"b"]),
    (b"B", [b"B", b"b"]),
    (b" b", [b"b", b" b"]),
    (b'" b"', [b" b", b"b"]),
    (b'"b "', [b"b ", b"b"]),
    (b"b" * 70, [b"b" * 70]),
    (b"b" * 71, [b"b" * 71, b"b" * 70]),
    (b"b" * 201, [b"b" * 201, b"b" * 200, b"b" * 70]),
    (b"b" * 3000, [b"b" * 3000, b"b" * 70]),
    (b'"b"; a="', [b"b"]),
    (b"\xc3\xa9", [b"\xc3\xa9", b"\xe9", b"\xc3\x83\xc2\xa9"]),
]
#: What comes before the value of the boundary.
PARAMETERS = [
    b"; boundary=", b";boundary=", b"; Boundary=", b"; BOUNDARY=", b"; charset=utf-8; boundary=", b" ; boundary=", b";; boundary=", b"; boundary =",
    b"; boundary= ", b"; boundary\t=", b"; x; boundary=", b'; x="; boundary=z"; boundary=', b'; x=\\"; boundary=z; boundary=', b"; xboundary=z; boundary=",
    b"; boundary=z; boundary=", b"; boundary*=utf-8''", b"; boundary*0=", b"; boundary*=", b" boundary=", b", boundary=", b"; x=boundary=", b"; 'boundary'=", b"; (x) boundary=",
    b"; boundary==", b"; boundary:", b"; x=\"\\\"; boundary=z\"; boundary=", b"\t;\tboundary=", b"; boundary", b"; charset=\"utf-8; boundary=z\"; boundary=", b"; q=1, boundary=",
]  # fmt: skip


@kind(20)
def multipart_boundary(g: Generator) -> Case:
    written, readings = g.take("boundary parameter", BOUNDARIES)
    lead = b"; boundary=" if g.rng.random() < 0.6 else g.take("boundary lead", PARAMETERS)
    if b"=z" in lead and g.rng.random() < 0.5:
        readings = [*readings, b"z"]
    name = g.name(b"fuid", b"uid")
    outer = g.rng.choice(readings)
    inner = g.rng.choice(readings)
    shape = g.take("boundary shape", ["hidden", "hidden in a file", "hidden before", "plain", "hidden behind"])
    hidden = multipart([field(name)], inner)
    plain = [field(b"a", b"1")]
    match shape:
        case "hidden":
            body = multipart([field(b"a", b"1\r\n" + hidden)], outer)
        case "hidden in a file":
            body = multipart([part(b'name="f"; filename="x"', b"1\r\n" + hidden, b"Content-Type: text/plain")], outer)
        case "hidden before":
            body = hidden + multipart(plain, outer)
        case "hidden behind":
            body = multipart(plain, outer) + hidden
        case _:
            body = multipart([*plain, field(name)], outer)
    note = f"boundary {escaped(lead)}{escaped(written[:80])}, body of {escaped(outer[:20])} with {escaped(inner[:20])} {shape}"
    return g.form(body, note, lines=(content_type(MULTIPART + lead + written),), body_kind=ODD)


#: Bodies with @ for the boundary, $ for the name, | for the line's end and CD for Content-Disposition.
STRUCTURES = [
    # Pairs inside a part, for those that read every body as pairs.
    b'--@|CD: form-data; name="a"||1&$=EVIL&b=2|--@--|', b'--@|CD: form-data; name="a"; filename="x"||&$=EVIL;$=EVIL&|--@--|', b'--@|CD: form-data; name="a"||1|&$=EVIL|--@--|',
    b'--@|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="$"||EVIL', b'--@|CD: form-data; name="$"||EVIL|', b'--@|CD: form-data; name="$"||EVIL|--@',
    b'--@|CD: form-data; name="$"||EVIL|--@|', b'--@|CD: form-data; name="$"||EVIL|--@-', b'--@|CD: form-data; name="$"||EVIL|--@--', b'--@|CD: form-data; name="$"||EVIL|--@--junk',
    b'junk|--@|CD: form-data; name="$"||EVIL|--@--|', b'|--@|CD: form-data; name="$"||EVIL|--@--|', b'|||--@|CD: form-data; name="$"||EVIL|--@--|', b'junk--@|CD: form-data; name="$"||EVIL|--@--|',
    b'CD: form-data; name="$"||EVIL|--@|CD: form-data; name="a"||1|--@--|', b'--@--|--@|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="a"||1|--@--|--@|CD: form-data; name="$"||EVIL|--@--|',
    b'--@|CD: form-data; name="a"||1|--@--|CD: form-data; name="$"||EVIL', b'--@|CD: form-data; name="a"||1|--@--@|CD: form-data; name="$"||EVIL|--@--|',
    b'--@ |CD: form-data; name="$"||EVIL|--@--|', b'--@\t|CD: form-data; name="$"||EVIL|--@--|', b'--@ \t |CD: form-data; name="$"||EVIL|--@ --|', b'--@x|CD: form-data; name="$"||EVIL|--@--|', b'--@-|CD: form-data; name="$"||EVIL|--@--|',
    b'--@|CD: form-data; name="a"||1|--@ |CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="a"||1|--@x|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="a"||1|--@-|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="a"||1|--@\x00|CD: form-data; name="$"||EVIL|--@--|',
    b'--@|CD: form-data; name="a"||1--@|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="a"||1| --@|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="a"||1|-@|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="a"||1|@|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="a"||1|---@|CD: form-data; name="$"||EVIL|--@--|',
    b'--@|CD: form-data; name="a"||1\n--@|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="a"||1\r--@|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="a"||1\n--@\nCD: form-data; name="$"\n\nEVIL\n--@--\n', b'--@|CD: form-data; name="a"||1\r--@\rCD: form-data; name="$"\r\rEVIL\r--@--\r',
    b'--@\nCD: form-data; name="$"\n\nEVIL\n--@--\n', b'--@\rCD: form-data; name="$"\r\rEVIL\r--@--\r', b'--@\nCD: form-data; name="$"\r\n\r\nEVIL\r\n--@--\r\n', b'--@\r\nCD: form-data; name="$"\n\nEVIL\r\n--@--\r\n', b'--@\r\nCD: form-data; name="$"\r\n\nEVIL\r\n--@--\r\n', b'--@\r\nCD: form-data; name="$"\n\r\nEVIL\r\n--@--\r\n',
    b'--@\r\nCD: form-data; name="a"\n\nx\r\nCD: form-data; name="$"\r\n\r\nEVIL\r\n--@--\r\n', b'--@\r\nCD: form-data; name="$"\n\nEVIL\r\n\r\n1\r\n--@--\r\n', b'--@\r\nX: y\n\nCD: form-data; name="$"\r\n\r\nEVIL\r\n--@--\r\n', b'--@\r\nCD: form-data; name="a"\r\r\nCD: form-data; name="$"\r\n\r\nEVIL\r\n--@--\r\n',
    b'--@||CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="$"|EVIL|--@--|', b'--@|--@|CD: form-data; name="$"||EVIL|--@--|', b'--@|||--@|CD: form-data; name="$"||EVIL|--@--|', b'--@||--@|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="$"|||--@|CD: form-data; name="$"||EVIL|--@--|',
    b'--@|CD: form-data; name="a"|Content-Type: multipart/mixed; boundary=c||--c|CD: form-data; name="$"||EVIL|--c--||--@--|', b'--@|CD: form-data; name="$"|Content-Type: multipart/mixed; boundary=c||--c|CD: attachment; filename="x"||EVIL|--c--||--@--|', b'--@|Content-Type: multipart/form-data; boundary=c||--c|CD: form-data; name="$"||EVIL|--c--||--@--|',
    b'--@|CD: form-data; name="$"|Content-Type: multipart/mixed; boundary=@||--@|CD: attachment; filename="x"||EVIL|--@--||--@--|', b'--@|CD: form-data; name="a"|Content-Type: multipart/mixed; boundary=@x||--@x|CD: form-data; name="$"||EVIL|--@x--||--@--|', b'--@|CD: form-data; name="$"|Content-Type: message/rfc822||CD: form-data; name="$"||EVIL|--@--|',
    b'--@|CD: form-data; name="a"||CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="$"||EVIL|--@|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="a"|', b'@|CD: form-data; name="$"||EVIL|@--|', b'----@|CD: form-data; name="$"||EVIL|----@--|', b'-@|CD: form-data; name="$"||EVIL|-@--|', b'--"@"|CD: form-data; name="$"||EVIL|--"@"--|',
    b'\xef\xbb\xbf--@|CD: form-data; name="$"||EVIL|--@--|', b' --@|CD: form-data; name="$"||EVIL| --@--|', b'--@|CD: form-data; name="$"||EVIL|--@--|--@--|', b'$=EVIL&a=|--@|CD: form-data; name="a"||1|--@--|', b'$=EVIL', b'a=1&$=EVIL&--@|', b'{"$":"EVIL"}',
    b'--@|CD: form-data; name="a"; filename="x"|Content-Type: application/x-www-form-urlencoded||$=EVIL|--@--|', b'--@|CD: form-data; name="a"|Content-Type: application/json||{"$":"EVIL"}|--@--|', b'--@|CD: form-data; name="payload_json"|||{"$":"EVIL"}|--@--|', b'--@|CD: form-data; name="operations"||{"$":"EVIL"}|--@--|', b'--@|CD: form-data; name=""||$=EVIL|--@--|', b'--@||$=EVIL|--@--|',
    b'--@|CD: form-data; name="a"|Content-Length: 1||1|--@|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="a"|Content-Length: 9999||1|--@|CD: form-data; name="$"||EVIL|--@--|', b'--@|Content-Transfer-Encoding: base64|CD: form-data; name="a"||MQ==|--@|CD: form-data; name="$"||EVIL|--@--|',
    b'--@|CD: form-data; name="a"||' + b"x" * 70000 + b'|--@|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="a"||' + b"\r\n" * 3000 + b'|--@|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="a"||' + b"\r\n--" * 2000 + b'|--@|CD: form-data; name="$"||EVIL|--@--|', b'--@|CD: form-data; name="a"; filename="x"||' + b"\r" * 5000 + b'|--@|CD: form-data; name="$"||EVIL|--@--|',
]  # fmt: skip


@kind(14)
def multipart_structure(g: Generator) -> Case:
    structure = g.take("structure", STRUCTURES)
    end = g.take("line end", [b"\r\n"] * 4 + [b"\n", b"\r"])
    boundary = g.boundary()
    name = g.name(b"fuid", b"uid")
    body = structure.replace(b"|", end).replace(b"@", boundary).replace(b"$", name).replace(b"CD", CD)
    note = f"structure {escaped(structure[:120])}, ends {escaped(end)}"
    lines = (content_type(MULTIPART + b"; boundary=" + boundary),)
    return g.form(body, note, lines=lines, body_kind=ODD)


@kind(3)
def multipart_flood(g: Generator) -> Case:
    count = g.take("parts", [999, 1000, 1001, 1001, 500, 2000])
    what = g.take("parts of", ["fields", "files", "names", "empty"])
    name = g.name(b"fuid", b"uid")
    match what:
        case "fields":
            parts = [field(b"a", b"")] * count
        case "files":
            parts = [part(b'name="f"; filename="x"', b"")] * count
        case "names":
            parts = [field(b"a%d" % i, b"") for i in range(count)]
        case _:
            parts = [b"\r\n"] * count
    odd = g.take("multipart flood name", [b"N", b"N[]", b"[N]", b" N"]).replace(b"N", name)
    return g.multi([*parts, field(odd)], f"{count} {what}, then {escaped(odd)}", odd == name and what != "empty")
