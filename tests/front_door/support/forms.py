"""Bodies of forms, as browsers and attackers write them."""

from email.parser import BytesParser
from email.policy import HTTP

BOUNDARY = "----claimgate7MA4YWxk"
URLENCODED = ("Content-Type", "application/x-www-form-urlencoded")
MULTIPART = ("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")


def part(disposition: str, content: bytes, *headers: str) -> bytes:
    """One part of a multipart body, without its delimiters."""
    lines = [f"Content-Disposition: form-data; {disposition}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def field(name: str, value: str | bytes) -> bytes:
    return part(f'name="{name}"', value.encode() if isinstance(value, str) else value)


def multipart(*parts: bytes, boundary: str = BOUNDARY) -> bytes:
    delimiter = f"--{boundary}".encode()
    return b"".join(delimiter + b"\r\n" + p + b"\r\n" for p in parts) + delimiter + b"--\r\n"


def multipart_values(content_type: str, body: bytes, name: str) -> list[bytes]:
    """What a function reads for a name: the values of its parts, by Python's own parser."""
    if body.startswith(b"--") and body.rstrip().endswith(b"--") and body.count(b"\r\n") < 2:
        return []  # The closing delimiter alone, as browsers send an empty form; Python's parser wants a part.
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    assert message.is_multipart() and not message.defects, body
    parts = [p for p in message.iter_parts() if p.get_param("name", header="content-disposition") == name]
    return [p.get_payload(decode=True) for p in parts]
