"""A file of one token a line, cut into sentences, before anyone knows what the columns mean."""

from dataclasses import dataclass
from typing import Iterator, List, Optional, Sequence, Tuple

from spigot_allennlp.data.errors import Fault, MalformedInputError
from spigot_allennlp.data.numbered_lines import Line, numbered_lines

# A first token, after a range or an empty node that may stand before it in CoNLL-U.
FIRST_IDS = ("1\t", "1-", "0.1\t")


@dataclass(frozen=True)
class Block:
    """
    The lines of one sentence.

    # Parameters

    path : `str`
        The file that they come from.
    comments : `Tuple[str, ...]`
        All lines before the first token: comments with their `#`, and empty lines beyond the one
        that ends the sentence before. Kept as they are, so that a file can be written again.
    rows : `Tuple[str, ...]`
        The lines of the tokens.
    lines : `Tuple[int, ...]`
        The number in the file of each of `rows`.
    fault : `Optional[MalformedInputError]`
        What is wrong with the lines as such.
    """

    path: str
    comments: Tuple[str, ...]
    rows: Tuple[str, ...]
    lines: Tuple[int, ...]
    fault: Optional[MalformedInputError] = None

    def cells(self) -> List[List[str]]:
        """
        The columns of each row.

        # Raises

        `MalformedInputError` if the block has a `fault`, or a column is empty.
        """
        if self.fault is not None:
            raise self.fault
        rows = [row.split("\t") for row in self.rows]
        for index, row in enumerate(rows):
            if "" in row:
                raise self.error(index, Fault.EMPTY_COLUMN, f"column {row.index('') + 1}")
        return rows

    def error(self, index: int, fault: Fault, detail: str) -> MalformedInputError:
        """The error that says that the row at `index` has this `fault`."""
        return MalformedInputError(self.path, self.lines[index], fault, detail)


def read_blocks(path: str, layout: str) -> Iterator[Block]:
    """
    The sentences of a file, one at a time. An empty line ends a sentence. Where it is missing (the
    ids start anew, or a comment follows a token) both sentences are told apart all the same, and
    both bear the fault: so no later sentence is counted wrongly. See `open_source` for `layout`.
    """
    draft = _Draft(path)
    for line in numbered_lines(path, layout):
        if not line.text.strip():
            draft.note_white_space(line)
            if draft.rows:
                yield draft.finish()
                draft = _Draft(path)
            else:
                draft.comments.append(line)
        else:
            if draft.is_over_at(line):
                draft.fault = draft.fault or _missing_empty_line(path, line)
                yield draft.finish()
                draft = _Draft(path, _missing_empty_line(path, line))
            draft.add(line)
    if draft.rows or any(line.text for line in draft.comments):
        yield draft.finish()


def identifier_of(comments: Sequence[str]) -> Optional[str]:
    """
    The name of a sentence: the value of a comment `# sent_id = ...`, else the first comment that is
    one word right after its sign, as in `#20001001`, else `None`.
    """
    bare = None
    for comment in comments:
        name, equals, value = comment[1:].partition("=")
        if equals and name.strip() == "sent_id":
            return value.strip()
        if bare is None and comment[1:] and not any(map(str.isspace, comment)):
            bare = comment[1:]
    return bare


def _missing_empty_line(path: str, line: Line) -> MalformedInputError:
    start = line.text.split("\t")[0]
    return MalformedInputError(
        path, line.number, Fault.MISSING_EMPTY_LINE, f"{start!r} starts a sentence after a token"
    )


class _Draft:
    """A block in the making."""

    def __init__(self, path: str, fault: Optional[MalformedInputError] = None) -> None:
        self.path = path
        self.comments: List[Line] = []
        self.rows: List[Line] = []
        self.fault = fault
        self._has_word = False

    def is_over_at(self, line: Line) -> bool:
        """Whether `line` must belong to another sentence."""
        if line.text.startswith("#"):
            return bool(self.rows)
        return self._has_word and line.text.startswith(FIRST_IDS)

    def add(self, line: Line) -> None:
        """Takes in a comment or a token."""
        self.fault = self.fault or line.fault
        if line.text.startswith("#"):
            self.comments.append(line)
        else:
            self.rows.append(line)
            self._has_word = self._has_word or line.text.partition("\t")[0].isdigit()

    def note_white_space(self, line: Line) -> None:
        """Looks at the line that ends the sentence, or stands before it."""
        self.fault = self.fault or line.fault
        if line.text and self.fault is None:
            detail = f"{line.text!r} instead of nothing"
            self.fault = MalformedInputError(self.path, line.number, Fault.WHITE_SPACE_LINE, detail)

    def finish(self) -> Block:
        """The block."""
        if not self.rows and self.fault is None:
            first = next(line for line in self.comments if line.text)
            self.fault = MalformedInputError(
                self.path, first.number, Fault.NO_TOKENS, f"{first.text!r}, then the file ends"
            )
        return Block(
            path=self.path,
            comments=tuple(line.text for line in self.comments),
            rows=tuple(line.text for line in self.rows),
            lines=tuple(line.number for line in self.rows),
            fault=self.fault,
        )
