"""The generator: requests in which a client tries to set a mapped parameter itself.

Each kind is a product of axes, from which values are drawn by seeded chance. Every axis is a deck, so that no value
comes again before all others had their turn.
"""

import base64
import random
from collections.abc import Callable, Iterator

from harness import spelling
from harness.case import EVIL, FORM, MULTIPART, URLENCODED, Case, Deck, content_type, multipart

#: How often each kind is drawn, in proportion.
KINDS: dict[str, tuple[int, Callable[["Generator"], Case]]] = {}


def kind(weight: int):
    def register(make):
        KINDS[make.__name__.replace("_", "-")] = weight, make
        return make

    return register


class Generator:
    """Cases for one framework; the same seed gives the same cases."""

    def __init__(self, seed: str):
        self.seed = seed
        self.rng = random.Random(seed)
        self._decks: dict[str, Deck] = {}

    def take(self, axis: str, values):
        """The next value of an axis."""
        if axis not in self._decks:
            self._decks[axis] = Deck(values, random.Random(f"{self.seed} {axis}"))
        return self._decks[axis]()

    def cases(self, count: int, only: str = "") -> Iterator[Case]:
        """`count` cases that differ, each kind by its weight; of each kind at least one."""
        kinds = {name: entry for name, entry in KINDS.items() if only in name}
        total = sum(weight for weight, _ in kinds.values())
        seen: set[bytes] = set()
        for name, (weight, make) in kinds.items():
            misses, wanted = 0, max(1, round(count * weight / total))
            while wanted and misses < 50:
                case = make(self).but(kind=name)
                key = case.request("h")
                if key in seen:
                    misses += 1
                    continue
                seen.add(key)
                wanted -= 1
                yield case

    # --- What several kinds share ---

    def name(self, usual: bytes, other: bytes) -> bytes:
        return usual if self.rng.random() < 0.75 else other

    def decorated(self, axis: str, name: bytes) -> tuple[bytes, bytes]:
        """The name with something around it, and what."""
        if self.rng.random() < 0.15:
            return name, b"N"
        if self.rng.random() < 0.08:
            label, changed = self.take(axis + " letters", list(spelling.letters(name.decode()).items()))
            return changed, label.encode()
        decoration = self.take(axis + " decoration", spelling.DECORATIONS)
        if self.rng.random() < 0.08:
            second = self.rng.choice(spelling.DECORATIONS)
            return second.replace(b"N", decoration.replace(b"N", name)), second.replace(b"N", decoration)
        return decoration.replace(b"N", name), decoration

    def encoded(self, axis: str, name: bytes) -> tuple[bytes, str]:
        # Half of the time as a client would, as most odd names are only read that way.
        if self.rng.random() < 0.5:
            label = self.rng.choice(("visible", "minimal"))
        else:
            label = self.take(axis + " encoding", list(spelling.ENCODINGS))
        return spelling.ENCODINGS[label](name, self.rng), label

    def pairs(self, pair: bytes, separator: bytes = b"&") -> tuple[bytes, str]:
        """A pair, once or twice, alone or among honest ones."""
        label, before, times, behind = self.take(
            "repetition",
            [
                ("alone", b"", 1, b""),
                ("twice", b"", 2, b""),
                ("thrice", b"", 3, b""),
                ("behind another", b"a=1" + separator, 1, b""),
                ("before another", b"", 1, separator + b"a=1"),
                ("between others", b"a=1" + separator, 1, separator + b"b=2"),
                ("behind a valueless one", b"a" + separator, 1, b""),
                ("behind empty pairs", separator * 3, 1, separator * 2),
                ("behind its own prefix", b"uid2=1" + separator, 1, separator + b"uid_type=x"),
                ("behind a nested one", b"my[uid]=1" + separator, 1, separator + b"user[id]=2"),
                ("behind an array", b"a[]=1" + separator + b"a[]=2" + separator, 1, b""),
            ],
        )
        return before + separator.join([pair] * times) + behind, label

    def pair(self, name: bytes, axis: str) -> tuple[bytes, str, bool]:
        """name=value as in a query, what is odd in it, and whether it is well-formed."""
        odd, decoration = self.decorated(axis, name)
        written, encoding = self.encoded(axis, odd)
        assign = self.rng.choice((b"=",) * 12 + (b"==", b"=%20", b"=+", b"%3D", b"=%00", b"= "[:1]))
        value = self.rng.choice((EVIL,) * 8 + (b"%45%56%49%4C", b"%45VIL", b"EVIL+x", b"xEVIL", b"EVIL%00", b"[\"EVIL\"]"))
        usual = decoration in (b"N", b"N[]", b"N[0]", b"N[a]") and encoding in spelling.WELL_FORMED
        well_formed = usual and assign == b"=" and b"\"" not in value and b"%00" not in value
        return written + assign + value, f"{escaped(decoration)} {encoding}", well_formed

    def body_method(self) -> bytes:
        return self.take("method", [b"POST"] * 6 + [b"PUT", b"PATCH"])

    def chunking(self) -> int | None:
        return self.take("chunking", [None] * 7 + [1, 3, 100000])

    def form(self, body: bytes, note: str, well_formed: bool = False, **more) -> Case:
        """An urlencoded form of a clean type."""
        values = {
            "method": self.body_method(),
            "lines": (content_type(URLENCODED),),
            "body": body,
            "chunks": self.chunking(),
            "body_kind": FORM,
            "must_pass": well_formed,
            "hosts": ("forward", "query"),
            **more,
        }
        return Case("", note, **values)

    def multi(self, parts: list[bytes], note: str, well_formed: bool = False, **more) -> Case:
        """A multipart form of a clean type."""
        boundary = self.boundary()
        values = {
            "lines": (content_type(MULTIPART + b"; boundary=" + boundary),),
            "body": multipart(parts, boundary),
            **more,
        }
        return self.form(note=note, well_formed=well_formed, **values)

    def boundary(self) -> bytes:
        return self.take(
            "boundary",
            [
                b"----WebKitFormBoundary7MA4YWxkTrZu0gW3",
                b"----geckoformboundary3f1a0b7c9d2e4f5a6b7c8d9e",
                b"---------------------------735323031399963166993862150",
                b"------------------------d74496d66958873e",
                b"X-INSOMNIA-BOUNDARY",
                b"xYzZY",
                b"dart-http-boundary-0Zt-aB.c_dE+fG",
                b"Boundary-1B2F3A4C-5D6E-4F70-8192-A3B4C5D6E7F8",
            ],
        )


def escaped(data: bytes) -> str:
    return data.decode("latin-1").encode("unicode_escape").decode()


def fits_a_target(data: bytes) -> bool:
    return all(c > 0x20 and c != 0x7F for c in data)


SEPARATORS = [
    b"&", b";", b"&;", b";&", b",", b"|", b"&amp;", b"&&", b"?", b"??", b"/", b"%26", b"%3B", b"%0A", b"%0D%0A", b"&%00", b"&?",
    b"&+", b"&%20", b"&=", b"=&", b"#", b"%23", b"&%26", b":", b"&&&;", b"\\", b"'&", b"\"&", b"&#38;", b"&%EF%BB%BF", b"$", b"!",
]  # fmt: skip


FLOODS = [b"a&", b"a=1&", b"&", b"a[]=1&", b"a[b]=1&", b"a%d=1&", b"=&", b"a=&", b"a[%d]=1&", b";", b"a;", b"[a]=1&", b"a.b=1&"]


def make_flood(g: Generator, axis: str) -> tuple[bytes, str]:
    one = g.take(axis, FLOODS)
    count = g.take(axis + " count", [999, 1000, 1001, 1000, 1000, 2000, 500, 4096])
    if b"%d" in one:
        return b"".join(one % i for i in range(count)), f"{count} times {escaped(one)}"
    return one * count, f"{count} times {escaped(one)}"


def base64_of(data: bytes) -> bytes:
    return base64.b64encode(data)


TOKEN_CHARACTERS = b"!#$%&'*+-.^_`|~"
