"""A framework's row in docs/claims.md, made of what its accessors were seen to read."""

#: What a form's parameters may be read from besides forms, in words for the page.
OTHER_BODIES = {
    "json": "JSON",
    "form of type text/plain": "every type but multipart",
    "form without a type": "no type",
    "multipart/mixed": "other multipart types",
}

def row(version: str, found: dict) -> str:
    """A row: framework, accessors by position, those that mix positions, and what else is read as parameters."""
    accessors: dict[str, dict] = found["accessors"]
    cells = [version]
    for position in ("header", "cookie", "query", "form", "any"):
        own = [name for name, one in accessors.items() if one["position"] == position and one["reads"]]
        own = [name for name in own if position != "any" or accessors[name]["name"] == "uid"]
        # The shortest is the usual one.
        cells.append(f"`{min(own, key=len)}`" if own else "none")
    reads = {source for one in accessors.values() for source in one["reads"]}
    cells.append(", ".join(words for source, words in OTHER_BODIES.items() if source in reads) or "none")
    cells.append("yes" if found["cookies are decoded by"] else "no")
    return "| " + " | ".join(cells) + " |"

