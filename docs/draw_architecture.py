"""
Draws the packages and their imports, as the code has them: python docs/draw_architecture.py.

Writes `architecture.svg` and the tables between the markers of `architecture.md`. With `--check`
nothing is written, and the exit status is 1 where a file is not what would be written; so a test
keeps both true. Only the standard library is used, and nothing of the project is imported.
"""

import ast
import html
import re
import sys
import textwrap
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Set, Tuple

DOCS = Path(__file__).parent
ROOT = DOCS.parent / "spigot_allennlp"

BOX_WIDTH, BOX_HEIGHT, COLUMN_GAP, ROW_GAP, MARGIN = 210, 96, 64, 52, 24  # pixels
# The columns, from left to right. A package that is in none is drawn in the last one.
COLUMNS = (
    ("models", "metrics", "named_archives"),
    (
        "predictors",
        "modules",
        "layers",
        "estimators",
        "projections",
        "structures",
        "nn",
    ),
    ("commands", "ablation", "callbacks", "compat", "data", "config_checks", "registrable"),
    ("training",),
)
STYLE = """
.box { fill: #f6f8fa; stroke: #57606a; } .name { font: bold 15px sans-serif; fill: #1f2328; }
.text { font: 11px sans-serif; fill: #424a53; }
.arrow { stroke: #8c959f; stroke-width: 1.4; fill: none; } .head { fill: #8c959f; }
@media (prefers-color-scheme: dark) {
.box { fill: #161b22; stroke: #8b949e; } .name { fill: #e6edf3; } .text { fill: #b1bac4; }
.arrow { stroke: #6e7681; } .head { fill: #6e7681; } }
"""


class Package(NamedTuple):
    """
    A package of the project, or a single file beside the packages.

    # Parameters

    name : `str`
    purpose : `str`
        The first sentence of its docstring.
    needs : `Set[str]`
        The other packages that it imports, also inside functions.
    """

    name: str
    purpose: str
    needs: Set[str]


def modules(root: Path) -> Dict[str, Path]:
    """Returns the files of a package by the full names of the modules in them."""
    files = {}
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root.parent).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return files


def imports(tree: ast.Module, known: Dict[str, Path]) -> Iterator[str]:
    """
    Yields the full names of the modules that a module imports, also inside functions. What is
    imported from a package is a module if it is among the `known` ones, else the package.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield inner if inner in known else source


def packages(root: Path) -> List[Package]:
    """Returns the packages right below `root`, each with what it imports of the others."""
    known = modules(root)
    trees = {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in known.items()}
    names = sorted({name.split(".")[1] for name in known if "." in name})
    children = []
    for name in names:
        inside = [module for module in known if module.split(".")[1:2] == [name]]
        targets = {target for module in inside for target in imports(trees[module], known)}
        needs = {target.split(".")[1] for target in targets if target.startswith(f"{root.name}.")}
        docstring = ast.get_docstring(trees[f"{root.name}.{name}"]) or ""
        children.append(
            Package(
                name,
                re.split(r"(?<=\.)\s", " ".join(docstring.split()))[0],
                (needs & set(names)) - {name},
            )
        )
    return children


def rows_of(drawn: List[Package]) -> Dict[str, int]:
    """
    Returns the row of each package, 0 being the top: those that no other imports are there, each
    other one lies a row below the lowest that imports it.

    # Raises

    `ValueError` if packages import each other in a circle.
    """
    rows: Dict[str, int] = {}
    waiting = list(drawn)
    while waiting:
        ready = [
            package
            for package in waiting
            if not any(package.name in other.needs for other in waiting)
        ]
        if not ready:
            raise ValueError(f"in a circle: {sorted(package.name for package in waiting)}")
        for package in ready:
            above = [rows[other.name] for other in drawn if package.name in other.needs]
            rows[package.name] = max(above, default=-1) + 1
        waiting = [package for package in waiting if package.name not in rows]
    return rows


def direct_needs(package: Package, by_name: Dict[str, Package]) -> Set[str]:
    """Returns what a package needs, without what it reaches through another that it needs."""

    def reach(name: str) -> Set[str]:
        return set().union(*({other} | reach(other) for other in by_name[name].needs))

    return package.needs - set().union(*(reach(name) for name in package.needs))


def draw(drawn: List[Package]) -> str:
    """
    Returns the picture as SVG: a box for each package, an arrow to each that it imports. An arrow
    that others imply (it leads to what a neighbour imports, too) is left out; the table has all.
    """
    rows, by_name = rows_of(drawn), {package.name: package for package in drawn}
    columns = {
        name: next(
            (place for place, names in enumerate(COLUMNS) if name in names), len(COLUMNS) - 1
        )
        for name in rows
    }
    places = [(columns[name], rows[name]) for name in rows]
    if len(set(places)) < len(places):
        raise ValueError(
            f"two packages in one place, change COLUMNS: {sorted(zip(places, rows, strict=True))}"
        )
    width = len(COLUMNS) * (BOX_WIDTH + COLUMN_GAP) - COLUMN_GAP + 2 * MARGIN
    height = (max(rows.values()) + 1) * (BOX_HEIGHT + ROW_GAP) - ROW_GAP + 2 * MARGIN
    corners = {
        name: (
            MARGIN + columns[name] * (BOX_WIDTH + COLUMN_GAP),
            MARGIN + rows[name] * (BOX_HEIGHT + ROW_GAP),
        )
        for name in rows
    }
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" role="img" aria-label="Packages and their imports">',
        f"<style>{STYLE}</style>",
        '<marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path class="head" d="M0 0 L8 4 L0 8 z"/></marker>',
    ]
    arrows = [
        (package.name, target)
        for package in drawn
        for target in sorted(direct_needs(package, by_name))
    ]
    for number, (name, target) in enumerate(arrows):
        is_free = columns[name] == columns[target] and not any(
            place == columns[name] and rows[name] < row < rows[target] for place, row in places
        )
        track = 0 if is_free else 5 * (number % 9) - 20  # that arrows beside each other stay apart
        path = arrow(corners[name], corners[target], is_free, track)
        parts.append(f'<path class="arrow" marker-end="url(#head)" d="{path}"/>')
    for package in drawn:
        left, top = corners[package.name]
        parts.append(
            f'<rect class="box" x="{left}" y="{top}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" '
            f'rx="8"/><text class="name" x="{left + 10}" y="{top + 22}">{package.name}</text>'
        )
        lines = textwrap.wrap(package.purpose.replace("`", ""), 33, max_lines=4, placeholder=" ...")
        for number, line in enumerate(lines):
            parts.append(
                f'<text class="text" x="{left + 10}" y="{top + 41 + 14 * number}">'
                f"{html.escape(line)}</text>"
            )
    return "\n".join([*parts, "</svg>", ""])


def arrow(start: Tuple[int, int], end: Tuple[int, int], is_free: bool, track: int) -> str:
    """
    Returns the path from the bottom of one box to the top of another, between the boxes.

    # Parameters

    start, end : `Tuple[int, int]`
        The upper left corners of the boxes, in pixels.
    is_free : `bool`
        Whether nothing lies between them, so that it can go straight down.
    track : `int`
        How far to the right, in pixels, of the middle of the gap between two columns it goes down.
    """
    bottom = start[1] + BOX_HEIGHT
    if is_free:
        middle = start[0] + BOX_WIDTH // 2
        return f"M{middle} {bottom} V{end[1]}"
    out, into = start[0] + BOX_WIDTH // 2 + track, end[0] + BOX_WIDTH // 2 + track
    is_to_the_left = end[0] < start[0]
    lane = end[0] + (BOX_WIDTH + COLUMN_GAP // 2 if is_to_the_left else -COLUMN_GAP // 2) + track
    first, last = bottom + ROW_GAP // 2 + track, end[1] - ROW_GAP // 2 + track
    if first >= last:  # the next row: one bend is enough
        return f"M{out} {bottom} V{last} H{into} V{end[1]}"
    return f"M{out} {bottom} V{first} H{lane} V{last} H{into} V{end[1]}"


def table(drawn: List[Package]) -> str:
    """Returns a line of Markdown for each package, from the top of the picture to its bottom."""
    rows = rows_of(drawn)
    lines = ["| package | what it does | imports |", "|---|---|---|"]
    for package in sorted(drawn, key=lambda package: (rows[package.name], package.name)):
        needs = ", ".join(f"`{name}`" for name in sorted(package.needs)) or "nothing of ours"
        lines.append(f"| `{package.name}` | {package.purpose} | {needs} |")
    return "\n".join(lines)


def written() -> Dict[Path, str]:
    """Returns what the files should hold."""
    drawn = packages(ROOT)
    page = DOCS / "architecture.md"
    begin, end = "<!-- drawn from the imports -->\n", "\n<!-- end -->"
    before, tail = page.read_text(encoding="utf-8").split(begin)
    after = tail.split(end, 1)[1]
    return {
        DOCS / "architecture.svg": draw(drawn),
        page: f"{before}{begin}{table(drawn)}{end}{after}",
    }


def main() -> int:
    stale = {
        file: text
        for file, text in written().items()
        if not file.exists() or file.read_text(encoding="utf-8") != text
    }
    if "--check" in sys.argv:
        for file in stale:
            print(f"{file} is not what the imports say: run python docs/draw_architecture.py")
        return 1 if stale else 0
    for file, text in stale.items():
        file.write_text(text, encoding="utf-8")
        print(f"Wrote {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
