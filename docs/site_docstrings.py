"""
Turns our docstrings into the Markdown of the site: the headings `# Parameters`, `# Returns` and
`# Raises` become titles, `name : type` with an indented text below becomes an entry of a list of
definitions, and a class that is named in backticks becomes a link to it.
"""

import re
from typing import Any, Dict, Iterator

import griffe

TITLE = re.compile(r"^# (\w+)$", re.MULTILINE)
# A line that is followed by an indented one, outside of a list.
ENTRY = re.compile(r"^(?![-*] |\d+\. )(\S.*)\n((?: {4}.*(?:\n|\Z)|\n(?= {4}))+)", re.MULTILINE)
NAME = re.compile(r"(?<!\[)`([A-Z]\w+)`")


class Docstrings(griffe.Extension):
    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        objects = list(defined(pkg))
        paths: Dict[str, str] = {}
        for thing in objects:
            if thing.is_class:
                # A name that two classes have is no link.
                paths[thing.name] = "" if thing.name in paths else thing.path
        for thing in objects:
            if thing.docstring is not None:
                thing.docstring.value = markdown(thing.docstring.value, paths, thing.path)


def defined(owner: Any) -> Iterator[Any]:
    """Yields an object and all that is defined in it."""
    yield owner
    for member in owner.members.values():
        if not member.is_alias:
            yield from defined(member)


def markdown(docstring: str, paths: Dict[str, str], own_path: str) -> str:
    """
    Returns the Markdown of a docstring. `paths` gives the path of each class by its name, or "" if
    several have it; the object's own path is not linked.
    """

    def link(match: "re.Match[str]") -> str:
        path = paths.get(match[1])
        return f"[{match[0]}][{path}]" if path and path != own_path else match[0]

    def entry(match: "re.Match[str]") -> str:
        term, text = match[1], match[2].rstrip()
        name, colon, kind = term.partition(" : ")
        term = f"`{name}` : {kind}" if colon else term
        return f"{term}\n:   {text.lstrip()}\n\n"

    head, *sections = TITLE.split(docstring)
    parts = [head]
    for title, text in zip(sections[::2], sections[1::2], strict=True):
        parts.append(f"**{title}**\n{{: .doc-part }}\n\n{ENTRY.sub(entry, text.lstrip())}\n")
    return NAME.sub(link, "".join(parts))
