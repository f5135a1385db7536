"""How the bytes of a sound file are changed: hypothesis draws what, and where."""

import bz2
import gzip
import lzma
import os
from typing import Callable, Dict

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

# How many inputs `make fuzz` asks for; 0 in the test suite, which runs a small sample, always the
# same.
INPUTS = int(os.environ.get("FUZZ_INPUTS", "0"))


def fuzz(share: float, sample: int = 60) -> settings:
    """
    The settings of a test that takes this `share` of all inputs, or `sample` in the test suite,
    where a failing input is not made smaller: that takes minutes.
    """
    return settings(
        max_examples=max(round(share * INPUTS), 1) if INPUTS else sample,
        derandomize=not INPUTS,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink] if INPUTS else [Phase.generate],
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


# What cells, words and numbers may be mistaken for; bytes, since not all of it is text.
NASTY_CELLS = [
    b"",
    b" ",
    b"_",
    b"0",
    b"-1",
    b"+1",
    b"007",
    b"1_0",
    b"1.1",
    b"1-2",
    b"0.1",
    b"99",
    b"9" * 5000,
    b"1e999",
    b"nan",
    b"inf",
    "１".encode(),
    "٣".encode(),
    "\u00a0".encode(),
    "\u2028".encode(),
    "\ufeff".encode(),
    b"\x00",
    b"\x0c",
    b"\x1a",
    b"\r",
    b"\xe9",
    b"\x92",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"+",
    b"-",
    b"*",
    b"0:root",
    b"1:x|1:y",
    b"1.1:x",
    b"99:x",
    b"|",
    b":",
    b"(",
    b")",
    b"(2 x)",
    b"(" * 3000,
    b"\\",
    b"{}",
    b"%s",
    b"x" * 20_000,
]

# Where a word may begin and end.
BREAKS = b"\t\n ()"


@st.composite
def mutated(draw: st.DrawFn, content: bytes, most: int = 3) -> bytes:
    """`content` after one to `most` mutations, of which each may be of any kind."""
    for _ in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from(sorted(MUTATIONS)))
        content = MUTATIONS[kind](draw, content)
    return content


def _place(draw: st.DrawFn, content: bytes) -> int:
    return draw(st.integers(0, len(content)))


def _flip_a_bit(draw: st.DrawFn, content: bytes) -> bytes:
    if not content:
        return content
    place = draw(st.integers(0, len(content) - 1))
    flipped = content[place] ^ 1 << draw(st.integers(0, 7))
    return content[:place] + bytes([flipped]) + content[place + 1 :]


def _cut(draw: st.DrawFn, content: bytes) -> bytes:
    return content[: _place(draw, content)]


def _take_out(draw: st.DrawFn, content: bytes) -> bytes:
    start, end = sorted((_place(draw, content), _place(draw, content)))
    return content[:start] + content[min(end, start + 40) :]


def _insert(draw: st.DrawFn, content: bytes) -> bytes:
    place = _place(draw, content)
    return content[:place] + draw(st.binary(min_size=1, max_size=4)) + content[place:]


def _insert_nasty(draw: st.DrawFn, content: bytes) -> bytes:
    place = _place(draw, content)
    return content[:place] + draw(st.sampled_from(NASTY_CELLS)) + content[place:]


def _replace_a_cell(draw: st.DrawFn, content: bytes) -> bytes:
    place = _place(draw, content)
    start = max(content.rfind(bytes([sign]), 0, place) for sign in BREAKS) + 1
    ends = [content.find(bytes([sign]), start) for sign in BREAKS]
    end = min((end for end in ends if end >= 0), default=len(content))
    return content[:start] + draw(st.sampled_from(NASTY_CELLS)) + content[end:]


def _on_lines(change: Callable[[st.DrawFn, list], None]) -> Callable[[st.DrawFn, bytes], bytes]:
    def mutation(draw: st.DrawFn, content: bytes) -> bytes:
        lines = content.split(b"\n")
        change(draw, lines)
        return b"\n".join(lines)

    return mutation


def _line(draw: st.DrawFn, lines: list) -> int:
    return draw(st.integers(0, len(lines) - 1))


def _delete_a_line(draw: st.DrawFn, lines: list) -> None:
    del lines[_line(draw, lines)]


def _repeat_a_line(draw: st.DrawFn, lines: list) -> None:
    lines.insert(_line(draw, lines), lines[_line(draw, lines)])


def _swap_lines(draw: st.DrawFn, lines: list) -> None:
    here, there = _line(draw, lines), _line(draw, lines)
    lines[here], lines[there] = lines[there], lines[here]


def _insert_an_empty_line(draw: st.DrawFn, lines: list) -> None:
    lines.insert(_line(draw, lines), draw(st.sampled_from([b"", b"", b" ", b"\t", b"#x", b"# y"])))


def _add_a_cell(draw: st.DrawFn, lines: list) -> None:
    lines[_line(draw, lines)] += b"\t" + draw(st.sampled_from([b"", b"_", b"ARG1", b"1"]))


def _swap_cells(draw: st.DrawFn, lines: list) -> None:
    line = _line(draw, lines)
    cells = lines[line].split(b"\t")
    _swap_lines(draw, cells)
    lines[line] = b"\t".join(cells)


def _encode(draw: st.DrawFn, content: bytes) -> bytes:
    encoding = draw(st.sampled_from(["utf-16", "utf-16-le", "cp1252", "utf-8-sig", "utf-7"]))
    return content.decode("utf-8", "replace").encode(encoding, "replace")


def _end_lines_otherwise(draw: st.DrawFn, content: bytes) -> bytes:
    return content.replace(b"\n", draw(st.sampled_from([b"\r\n", b"\r", b"\n\r", b"\x0b"])))


def _compress(draw: st.DrawFn, content: bytes) -> bytes:
    compress = draw(st.sampled_from(["gzip", "xz", "bz2"]))
    if compress == "gzip":
        return gzip.compress(content, mtime=0)
    return lzma.compress(content) if compress == "xz" else bz2.compress(content)


MUTATIONS: Dict[str, Callable[[st.DrawFn, bytes], bytes]] = {
    "flip a bit": _flip_a_bit,
    "cut": _cut,
    "take out": _take_out,
    "insert": _insert,
    "insert nasty": _insert_nasty,
    "replace a cell": _replace_a_cell,
    "delete a line": _on_lines(_delete_a_line),
    "repeat a line": _on_lines(_repeat_a_line),
    "swap lines": _on_lines(_swap_lines),
    "insert an empty line": _on_lines(_insert_an_empty_line),
    "add a cell": _on_lines(_add_a_cell),
    "swap cells": _on_lines(_swap_cells),
    "encode": _encode,
    "end lines otherwise": _end_lines_otherwise,
    "compress": _compress,
}
