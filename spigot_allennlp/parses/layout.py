"""
Lays out the picture of a parse: words in a row, the tree's arcs above, the graph's below.

An arc leaves a word at a port of its own, runs level above the words in between, and ends with its
arrow at a port of the other word. Arcs whose extents overlap are on different levels, with an arc
above those within it, and a label lies on the level part of its arc. So labels never overlap.
Lengths are in pixels; x grows to the right, y downwards.
"""

import unicodedata
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

WORD_SIZE, POS_SIZE, LABEL_SIZE = 15, 10, 11  # of fonts
LEVEL_HEIGHT, LABEL_HEIGHT = 22, 15
WORD_GAP, PORT_GAP, MARGIN = 18, 9, 14
LABEL_PADDING = 3  # on either side of a label
CORNER = 6  # the radius of an arc's corners
WORD_HEIGHT = 38  # of word and part of speech together
FIRST_LEVEL = 6  # from the words to where levels begin
CAPTION_HEIGHT = 24


class LabelledArc(NamedTuple):
    """
    An arc to be drawn.

    # Parameters

    head : `int`
        The word at which it starts, from 1; 0 for the root of a tree, or for a top of a graph.
    dependent : `int`
        The word at which its arrow ends.
    label : `str`
    kind : `str`
        `"plain"`; or, if two parses are compared, `"both"`, `"predicted"` or `"gold"`.
    """

    head: int
    dependent: int
    label: str
    kind: str = "plain"


class Box(NamedTuple):
    """A rectangle: its left and upper edges, width and height."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: "Box") -> bool:
        """Returns whether the two rectangles overlap."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


class PlacedWord(NamedTuple):
    """A word, its part of speech (or nothing), and the x of its middle."""

    text: str
    pos: str
    center: float
    box: Box


class DrawnArc(NamedTuple):
    """
    An arc in its place.

    # Parameters

    arc : `LabelledArc`
    start, end : `float`
        The x of its two ports; the same for an arc from the root.
    level : `float`
        The y of its level part.
    foot : `float`
        The y of its ends, at the words.
    label : `Box`
    """

    arc: LabelledArc
    start: float
    end: float
    level: float
    foot: float
    label: Box


class Layout(NamedTuple):
    """
    A picture in its coordinates.

    # Parameters

    width, height : `float`
    words : `List[PlacedWord]`
    above, below : `List[DrawnArc]`
        The arcs of the tree; the arcs of the graph.
    caption : `str`
        A line above the picture, or nothing.
    """

    width: float
    height: float
    words: List[PlacedWord]
    above: List[DrawnArc]
    below: List[DrawnArc]
    caption: str


def lay_out(
    words: Sequence[str],
    pos: Optional[Sequence[str]],
    above: Sequence[LabelledArc],
    below: Sequence[LabelledArc],
    caption: str = "",
) -> Layout:
    """Returns the layout of a sentence with its arcs; see `Layout`."""
    tags = ["" if tag == "_" else tag for tag in pos or [""] * len(words)]
    sides = [_Side(above, len(words)), _Side(below, len(words))]
    widths = [
        max(
            text_width(word, WORD_SIZE),
            text_width(tag, POS_SIZE),
            *(sum(side.port_widths(position)) for side in sides),
        )
        for position, (word, tag) in enumerate(zip(words, tags, strict=True), start=1)
    ]
    centers = _centers(widths, sides)
    for side in sides:
        side.place(centers)
    # Labels at the edges may reach beyond the words.
    left = min([0.0, *(extent.low for side in sides for extent in side.extents)])
    shift = MARGIN - left
    right = max([extent.high for side in sides for extent in side.extents], default=0.0)
    ends = [center + width / 2 for center, width in zip(centers, widths, strict=True)]
    right = max([right, *ends, text_width(caption, LABEL_SIZE + 1)])
    top = MARGIN + (CAPTION_HEIGHT if caption else 0)
    upper = top + sides[0].height
    lower = upper + WORD_HEIGHT
    placed = [
        PlacedWord(
            word, tag, center + shift, Box(center - width / 2 + shift, upper, width, WORD_HEIGHT)
        )
        for word, tag, center, width in zip(words, tags, centers, widths, strict=True)
    ]
    return Layout(
        right + shift + MARGIN,
        lower + sides[1].height + MARGIN,
        placed,
        sides[0].drawn(shift, upper, -1),
        sides[1].drawn(shift, lower, 1),
        caption,
    )


class _Extent(NamedTuple):
    """How far an arc and its label reach along the words."""

    low: float
    high: float


class _Side:
    """The arcs above the words, or those below them."""

    def __init__(self, arcs: Sequence[LabelledArc], length: int) -> None:
        self.arcs = sorted(arcs, key=_length)
        #: For each word the ends of arcs at it, from left to right: (number of the arc, is head).
        self.ports: Dict[int, List[Tuple[int, bool]]] = {word: [] for word in range(length + 1)}
        for number, arc in enumerate(self.arcs):
            self.ports[arc.dependent].append((number, False))
            if arc.head:
                self.ports[arc.head].append((number, True))
        for word, ends in self.ports.items():
            ends.sort(key=lambda end: self._order(word, *end))
        self.label_widths = [
            text_width(arc.label, LABEL_SIZE) + 2 * LABEL_PADDING for arc in self.arcs
        ]
        self.spans: List[Tuple[float, float]] = []
        self.levels: List[int] = []
        self.extents: List[_Extent] = []

    def _order(self, word: int, number: int, is_head: bool) -> Tuple[int, int, int]:
        """
        Returns the sort key of an arc's end at a word, which keeps arcs from crossing there: arcs
        to the left come first, shortest first, and arcs to the right last, longest first.
        """
        arc = self.arcs[number]
        other = arc.dependent if is_head else arc.head
        if not arc.head:
            return (0, 0, number)
        if other == word:
            return (1 if is_head else 2, 0, number)
        return (-1, word - other, number) if other < word else (3, word - other, -number)

    def port_widths(self, word: int) -> List[float]:
        """
        Returns how much room each end at a word takes. The end of an arc from the root needs room
        for its label.
        """
        return [
            PORT_GAP if self.arcs[number].head else self.label_widths[number] + 2 * LABEL_PADDING
            for number, _ in self.ports[word]
        ]

    def port(self, word: int, number: int, is_head: bool) -> float:
        """Returns where an arc ends at a word, from the word's middle."""
        widths = self.port_widths(word)
        place = self.ports[word].index((number, is_head))
        return sum(widths[:place]) + (widths[place] - sum(widths)) / 2

    def place(self, centers: Sequence[float]) -> None:
        """Computes spans, extents and levels from the middles of the words."""
        for number, arc in enumerate(self.arcs):
            end = centers[arc.dependent - 1] + self.port(arc.dependent, number, False)
            start = end
            if arc.head:
                start = centers[arc.head - 1] + self.port(arc.head, number, True)
            low, high = min(start, end), max(start, end)
            middle, half = (low + high) / 2, self.label_widths[number] / 2
            self.spans.append((start, end))
            self.extents.append(_Extent(min(low, middle - half), max(high, middle + half)))
        order = sorted(range(len(self.arcs)), key=lambda number: _span(self.spans[number]))
        levels: Dict[int, int] = {}
        for number in order:
            low, high = sorted(self.spans[number])
            within = [
                level
                for other, level in levels.items()
                if low <= min(self.spans[other]) and max(self.spans[other]) <= high
            ]
            taken = {
                level
                for other, level in levels.items()
                if _overlap(self.extents[other], self.extents[number])
            }
            level = 1 + max(within, default=0)
            while level in taken:
                level += 1
            levels[number] = level
        self.levels = [levels[number] for number in range(len(self.arcs))]

    @property
    def height(self) -> float:
        """Returns how much room the levels take."""
        highest = LEVEL_HEIGHT * max(self.levels, default=0)
        return FIRST_LEVEL + highest + LABEL_HEIGHT / 2 if highest else 0.0

    def drawn(self, shift: float, foot: float, direction: int) -> List[DrawnArc]:
        """
        Returns the arcs in their places, from the `foot` at the words upwards (`direction` is -1)
        or downwards (1).
        """
        arcs = []
        for number, arc in enumerate(self.arcs):
            start, end = self.spans[number]
            level = foot + direction * (FIRST_LEVEL + LEVEL_HEIGHT * self.levels[number])
            width = self.label_widths[number]
            label = Box(
                self._label_middle(number) - width / 2 + shift,
                level - LABEL_HEIGHT / 2,
                width,
                LABEL_HEIGHT,
            )
            arcs.append(DrawnArc(arc, start + shift, end + shift, level, foot, label))
        return arcs

    def _label_middle(self, number: int) -> float:
        """
        Returns where on its arc a label is crossed by the fewest other arcs, which pass its level
        on their way to a word; near the middle, if there is a choice.
        """
        low, high = sorted(self.spans[number])
        middle, half = (low + high) / 2, self.label_widths[number] / 2
        room = high - low - 2 * (half + CORNER)
        if room <= 0:
            return middle
        verticals = [
            x
            for other, span in enumerate(self.spans)
            if self.levels[other] > self.levels[number]
            for x in span
            if low < x < high
        ]
        steps = [room / 2 * step / 10 for step in range(11)]
        places = [middle + sign * step for step in steps for sign in (1, -1)]
        return min(
            places,
            key=lambda place: (
                sum(abs(x - place) <= half + 1 for x in verticals),
                abs(place - middle),
            ),
        )


def _length(arc: LabelledArc) -> Tuple[int, int, int]:
    return (abs(arc.dependent - arc.head) if arc.head else 0, arc.head, arc.dependent)


def _span(span: Tuple[float, float]) -> float:
    return abs(span[0] - span[1])


def _overlap(first: _Extent, second: _Extent) -> bool:
    return first.low < second.high + LABEL_PADDING and second.low < first.high + LABEL_PADDING


def _centers(widths: Sequence[float], sides: Iterable[_Side]) -> List[float]:
    """Returns the middles of the words, far enough apart for each label to fit on its arc."""
    gaps = [float(WORD_GAP)] * len(widths)  # before each word
    for side in sides:
        for number, arc in enumerate(side.arcs):
            left, right = sorted((arc.head, arc.dependent))
            if not left or left == right:
                continue
            ports = [
                side.port(arc.dependent, number, False) * (1 if right == arc.dependent else -1),
                side.port(arc.head, number, True) * (1 if right == arc.head else -1),
            ]
            distance = sum(gaps[left:right]) + sum(widths[left : right - 1])
            distance += (widths[left - 1] + widths[right - 1]) / 2 + sum(ports)
            missing = side.label_widths[number] + 2 * CORNER + 2 - distance
            if missing > 0:
                for place in range(left, right):
                    gaps[place] += missing / (right - left)
    centers, x = [], 0.0
    for position, width in enumerate(widths):
        x += gaps[position] if position else 0.0
        centers.append(x + width / 2)
        x += width
    return centers


def text_width(text: str, size: float) -> float:
    """
    Returns an upper bound on the width of a text in a sans-serif font of this size, from the widths
    of DejaVu Sans, which is wider than most. It holds for ASCII and for the letters of Latin,
    Greek, Cyrillic, Hebrew, Arabic and East Asian scripts. Some symbols, and letters of rarer
    scripts, are wider.
    """
    return sum(map(_character_width, text)) * size


def _character_width(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    if character in "ijlI.,:;'|!/\\()[] ftr":
        return 0.42
    if not character.isascii():
        return 1.25 if unicodedata.category(character) == "Lo" else 1.1  # Lo is Arabic, say
    if character in "mwMW%@":
        return 1.0
    if character in "#&+<=>^~":
        return 0.84
    return 0.79 if character.isupper() else 0.65
