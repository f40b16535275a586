"""The generator with all its kinds of cases, each of which adds itself when it is imported."""

from harness.cases import body_type, cookie, elsewhere, form, header, multipart, query
from harness.generator import KINDS, Generator

__all__ = ["KINDS", "Generator", "body_type", "cookie", "elsewhere", "form", "header", "multipart", "query"]
