"""Writes the layout of a picture as SVG, and pictures of many sentences as an HTML page."""

import html
import re
from typing import Iterable, List, NamedTuple

from spigot_allennlp.parses.layout import CORNER, LABEL_SIZE, POS_SIZE, WORD_SIZE, DrawnArc, Layout

# Characters that XML must not contain, not even escaped.
_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_LIGHT = {
    "paper": "#ffffff",
    "ink": "#1f2328",
    "muted": "#59636e",
    "tree": "#57606a",
    "graph": "#0b6e69",
    "both": "#6e7781",
    "predicted": "#bc4c00",
    "gold": "#0969da",
}
_DARK = {
    "paper": "#0d1117",
    "ink": "#e6edf3",
    "muted": "#9198a1",
    "tree": "#a5b0bb",
    "graph": "#56d4c5",
    "both": "#8b949e",
    "predicted": "#ffa657",
    "gold": "#79b8ff",
}

STYLE = f"""
.parse {{ {"; ".join(f"--{name}: {colour}" for name, colour in _LIGHT.items())} }}
@media (prefers-color-scheme: dark) {{
.parse {{ {"; ".join(f"--{name}: {colour}" for name, colour in _DARK.items())} }} }}
.parse {{ font-family: "DejaVu Sans", "Helvetica Neue", Arial, sans-serif }}
.parse .paper {{ fill: var(--paper) }}
.parse text {{ text-anchor: middle; fill: var(--ink); stroke: none }}
.parse .word {{ font-size: {WORD_SIZE}px }}
.parse .pos {{ font-size: {POS_SIZE}px; fill: var(--muted) }}
.parse .caption {{ font-size: {LABEL_SIZE + 1}px; fill: var(--muted); text-anchor: start }}
.parse .arc path {{ fill: none; stroke-width: 1.4 }}
.parse .arc text {{ font-size: {LABEL_SIZE}px }}
.parse .arc:hover path {{ stroke-width: 3 }}
.parse .arc:hover text {{ font-weight: bold }}
"""
STYLE += "".join(
    f".parse .{name} path {{ stroke: var(--{name}) }} "
    f".parse .{name} polygon, .parse .{name} text {{ fill: var(--{name}) }}\n"
    for name in ("tree", "graph", "both", "predicted", "gold")
)
STYLE += ".parse .gold path { stroke-dasharray: 5 3 }\n"

# A picture that is wider than its box scrolls in it, and each side with more to see has a shadow.
# The shadow stays fixed; at an end the cover, which moves with the picture, hides it.
PAGE_STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --text: #1f2328; --soft: #59636e }
:root { --line: #d1d9e0; --shadow: rgb(31 35 40 / .45) }
@media (prefers-color-scheme: dark) {
:root { --page: #0d1117; --text: #e6edf3; --soft: #9198a1 }
:root { --line: #3d444d; --shadow: rgb(200 215 230 / .5) } }
body { margin: 0; padding: 1rem; font: 16px/1.5 sans-serif }
body { background: var(--page); color: var(--text) }
h1 { font-size: 1.4rem; overflow-wrap: anywhere }
figure { margin: 0 0 1.5rem; border: 1px solid var(--line); border-radius: 6px; padding: .5rem }
figcaption { padding: .25rem .5rem; overflow-wrap: anywhere }
figcaption small { color: var(--soft) }
.scroll { overflow-x: auto; background:
linear-gradient(to right, var(--page) 40%, transparent) left / 3rem 100% no-repeat local,
linear-gradient(to left, var(--page) 40%, transparent) right / 3rem 100% no-repeat local,
linear-gradient(to right, var(--shadow), transparent) left / 1rem 100% no-repeat scroll,
linear-gradient(to left, var(--shadow), transparent) right / 1rem 100% no-repeat scroll }
.scroll svg { display: block }
.scroll svg > .paper { fill: none }
"""

#: What the colours of a comparison mean.
LEGEND = (("both", "in both"), ("predicted", "predicted alone"), ("gold", "gold alone"))


class Picture(NamedTuple):
    """
    A sentence on a page.

    # Parameters

    name : `str`
        Its name on the page, or nothing.
    text : `str`
        Its words.
    svg : `str`
        The result of `svg(..., with_style=False)`.
    """

    name: str
    text: str
    svg: str


def svg(layout: Layout, with_style: bool = True) -> str:
    """
    Returns a picture as SVG, in light or dark colours as the reader prefers. With its style it is a
    complete file; without, the page around it must contain `STYLE`.
    """
    width, height = _number(layout.width), _number(layout.height)
    text = escape(" ".join(word.text for word in layout.words))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="parse" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="{text}">'
    ]
    if with_style:
        lines.append(f"<style>{STYLE}</style>")
    lines.append(f'<rect class="paper" width="{width}" height="{height}"/>')
    if layout.caption:
        lines.append(f'<text class="caption" x="10" y="20">{escape(layout.caption)}</text>')
    words = [word.text for word in layout.words]
    for name, arcs in (("tree", layout.above), ("graph", layout.below)):
        # Higher arcs first, so that no line crosses the label of an arc below it.
        for drawn in sorted(arcs, key=lambda drawn: -abs(drawn.level - drawn.foot)):
            lines.append(_arc(drawn, name, words))
    for word in layout.words:
        x, y = _number(word.center), word.box.y
        lines.append(f'<text class="word" x="{x}" y="{_number(y + 18)}">{escape(word.text)}</text>')
        if word.pos:
            lines.append(
                f'<text class="pos" x="{x}" y="{_number(y + 33)}">{escape(word.pos)}</text>'
            )
    return "\n".join([*lines, "</svg>"]) + "\n"


def _arc(drawn: DrawnArc, name: str, words: List[str]) -> str:
    arc, box = drawn.arc, drawn.label
    kind = name if arc.kind == "plain" else arc.kind
    up = 1 if drawn.level > drawn.foot else -1  # from the words towards the level
    tip = drawn.foot + up * 2
    if arc.head:
        right = 1 if drawn.end > drawn.start else -1
        corner = min(CORNER, abs(drawn.end - drawn.start) / 2)
        turn = _number(drawn.level - up * corner)
        start, end, level = map(_number, (drawn.start, drawn.end, drawn.level))
        path = (
            f"M{start} {_number(drawn.foot)} V{turn} "
            f"Q{start} {level} {_number(drawn.start + right * corner)} {level} "
            f"H{_number(drawn.end - right * corner)} Q{end} {level} {end} {turn} "
            f"V{_number(tip + up * 5)}"
        )
    else:
        end = _number(drawn.end)
        path = f"M{end} {_number(drawn.level)} V{_number(tip + up * 5)}"
    corners = ((0, 0), (-3.5, 7), (3.5, 7))
    points = " ".join(f"{_number(drawn.end + x)},{_number(tip + up * y)}" for x, y in corners)
    head = words[arc.head - 1] if arc.head else "root"
    title = escape(f"{head} → {words[arc.dependent - 1]}: {arc.label}")
    x, y = _number(box.x + box.width / 2), _number(drawn.level + LABEL_SIZE * 0.36)
    return (
        f'<g class="arc {kind}"><title>{title}</title><path d="{path}"/>'
        f'<polygon points="{points}"/>'
        f'<rect class="paper" x="{_number(box.x)}" y="{_number(box.y)}" '
        f'width="{_number(box.width)}" height="{_number(box.height)}"/>'
        f'<text x="{x}" y="{y}">{escape(arc.label)}</text></g>'
    )


def html_page(title: str, pictures: Iterable[Picture], compared: bool = False) -> Iterable[str]:
    """
    Yields the parts of an HTML page that needs no other files. A picture that is wider than the
    page scrolls in its own box. With `compared` the page explains the colours.
    """
    yield f"{html_head(title)}<body>\n<h1>{escape(title)}</h1>\n"
    if compared:
        entries = ", ".join(
            f'<span style="color: var(--{name})">{text}</span>' for name, text in LEGEND
        )
        yield f'<p class="parse">Arcs: {entries}.</p>\n'
    for number, picture in enumerate(pictures, start=1):
        yield figure(picture._replace(name=picture.name or str(number)))
    yield "</body></html>\n"


def html_head(title: str, style: str = "") -> str:
    """Returns an HTML page up to its body, with the style of pictures followed by `style`."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{PAGE_STYLE}{STYLE}{style}</style></head>\n"
    )


def figure(picture: Picture) -> str:
    """Returns a picture as part of an HTML page."""
    return (
        f"<figure><figcaption><small>{escape(picture.name)}</small> {escape(picture.text)}"
        f'</figcaption>\n<div class="scroll" tabindex="0">\n{picture.svg}</div></figure>\n'
    )


def escape(text: str) -> str:
    """
    Returns a text escaped for XML and HTML, with a replacement character for what they cannot hold.
    """
    return html.escape(_NOT_XML.sub("\ufffd", text))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
