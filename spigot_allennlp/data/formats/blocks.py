"""
Splits text with one token per line into sentences: the common part of the column formats.

`read_blocks` splits the text. Each format gives `parse_blocks` a function that turns a `Block` into
a sentence. `head_of` and `number_of` read a column, `identifier_of` reads comments, and
`join_columns` and `join_lines` write a sentence.
"""

import re
from dataclasses import dataclass
from typing import Callable, Iterator, List, Optional, Sequence, Tuple, TypeVar, Union

from spigot_allennlp.data.errors import MalformedInputError, attempt, quoted
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.lines import Line, numbered_lines, warn_that_it_may_be_cut
from spigot_allennlp.data.formats.source import PathOrSource, as_source

Sentence = TypeVar("Sentence")

# A sentence begins with token 1 or, in CoNLL-U, with a range or an empty node before it.
FIRST_IDS = ("1\t", "1-", "0.1\t")

# The memory limit of a sentence, in characters, and the additional cost of each line.
SENTENCE_LIMIT, LINE_COST = 1 << 25, 100

_NOT_IN_COLUMNS = re.compile("[\t\n\r\0\ud800-\udfff]|^ | $")
_NOT_IN_COMMENTS = re.compile("[\n\r\0\ud800-\udfff]|^[^#]")
# Finds in a line: characters that may not be in a column, except a tab; a space at the edge of a
# column; and an empty column.
_NOT_IN_LINES = re.compile("[\n\r\0\ud800-\udfff]|^[ \t]|[ \t]$|\t[ \t]| \t|^$")


@dataclass(frozen=True)
class Block:
    """
    The lines of one sentence.

    # Parameters

    path : `str`
        The file of the lines, or the name of another source.
    comments : `Tuple[str, ...]`
        All lines before the first token: comments with their `#`, and empty lines beyond the one
        that ends the previous sentence. They are kept unchanged, so that a file can be written
        again.
    rows : `Tuple[str, ...]`
        The lines of the tokens.
    line_numbers : `Tuple[int, ...]`
        The line number of each row.
    error : `Optional[MalformedInputError]`
        What is wrong with the lines themselves.
    missing_end : `str`, optional
        What is missing at the end of the file, if it ends in this sentence.
    """

    path: str
    comments: Tuple[str, ...]
    rows: Tuple[str, ...]
    line_numbers: Tuple[int, ...]
    error: Optional[MalformedInputError] = None
    missing_end: Optional[str] = None

    def columns(self, width: Optional[Callable[[], int]] = None) -> List[List[str]]:
        """
        Returns the columns of each row.

        # Parameters

        width : `Callable[[], int]`, optional
            The expected number of columns, to tell an empty column from a trailing tab.

        # Raises

        `MalformedInputError` if the block has an `error`, or a column is empty, or has a space at
        its beginning or end, since other programs would not take `"_ "` for `"_"`.
        """
        if self.error is not None:
            raise self.error
        rows = []
        for index, text in enumerate(self.rows):
            row = text.split("\t")
            if "" in row:
                raise self._empty_column(index, row, width)
            if text[0] == " " or text[-1] == " " or "\t " in text or " \t" in text:
                column = next(i for i, text in enumerate(row, 1) if text != text.strip(" "))
                detail = f"column {column} is {quoted(row[column - 1])}"
                raise self.error_at(index, Fault.COLUMN_SPACE, detail)
            rows.append(row)
        return rows

    def error_at(self, index: int, fault: Fault, detail: str) -> MalformedInputError:
        """Returns the error that the row at `index` has this `fault`."""
        return MalformedInputError(self.path, self.line_numbers[index], fault, detail)

    def _empty_column(
        self, index: int, row: Sequence[str], width: Optional[Callable[[], int]]
    ) -> MalformedInputError:
        due = len(row) if width is None else width()
        if len(row) > due and not any(row[due:]):
            detail = f"{len(row)} columns, of which the last is empty, instead of {due}"
            return self.error_at(index, Fault.TRAILING_TAB, detail)
        return self.error_at(index, Fault.EMPTY_COLUMN, f"column {row.index('') + 1}")


def parse_blocks(
    name: str, blocks: Iterator[Block], parse: Callable[[Block], Sentence]
) -> Iterator[Union[Sentence, MalformedInputError]]:
    """
    Yields the result of `parse` for each of the `blocks` of the text `name`, with an error in place
    of each sentence that cannot be read. Warns if the text ends within a sentence that was read,
    since it may be truncated.
    """
    is_empty = True
    for block in blocks:
        is_empty = False
        result = attempt(parse, block)
        if block.missing_end is not None and not isinstance(result, MalformedInputError):
            warn_that_it_may_be_cut(name, block.line_numbers[-1], block.missing_end)
        yield result
    if is_empty:
        yield MalformedInputError(name, 1, Fault.EMPTY_FILE, "no line has a token")


def read_blocks(source: PathOrSource) -> Iterator[Block]:
    """
    Yields the sentences of a text. An empty line ends a sentence.

    A fault in the lines never affects the count of later sentences. If an empty line is missing
    (the ids restart, or a comment follows a token), there are still two sentences, and both have
    the fault. If, after an empty line or a comment, the ids continue or a line has no id, and no
    comment names a sentence in between, it is one sentence with the fault. Comments that are
    separated from the tokens by an empty line are a sentence without tokens, unless they are at the
    beginning of the text and do not name a sentence.
    """
    source = as_source(source)
    # The sentence that is being read, and the one before it. The latter is kept, after an empty
    # line or comment has followed its last token, until it is certain that the next token does not
    # continue it.
    draft = _BlockBuilder(source.name)
    last: Optional[_BlockBuilder] = None
    has_tokens = False  # whether the text has had a token so far
    for line in numbered_lines(source):
        # Only comments, but no empty line, have followed the last token.
        is_interrupted = last is not None and last.end_line is None
        if not line.text.strip():
            draft.end(line)
            if draft.rows:
                last, draft = draft, _BlockBuilder(source.name)
            elif draft.is_named or (has_tokens and draft.has_comments and not is_interrupted):
                # Comments between two empty lines: a sentence without tokens.
                if last is not None:
                    yield last.finish_before(draft)
                last = None
                yield draft.finish()
                draft = _BlockBuilder(source.name)
        elif line.text.startswith("#"):
            if draft.rows:
                last, draft = draft, _BlockBuilder(source.name)
            draft.add_comment(line)
        else:
            if last is not None:
                if last.continues_with(line) and not draft.is_named:
                    last.resume(line, draft)
                    draft = last
                else:
                    yield last.finish_before(draft)
                last = None
            elif draft.must_end_before(line):
                ended, draft = draft, _BlockBuilder(source.name)
                _set_missing_empty_line(line, ended, draft)
                yield ended.finish()
            draft.add_row(line)
            has_tokens = True
    if last is not None:
        yield last.finish_before(draft)
    if draft.rows or any(line.text for line in draft.comments):
        yield draft.finish()


def identifier_of(comments: Sequence[str]) -> Optional[str]:
    """
    Returns the name of a sentence: the value of a comment `# sent_id = ...`, or else the last
    comment that is a single word right after the sign, as in `#20001001`, or else `None`.
    """
    names = _sent_ids(comments)
    if names:
        return names[-1]
    for comment in reversed(comments):
        if comment[1:] and not any(map(str.isspace, comment)):
            return comment[1:]
    return None


def _sent_ids(comments: Sequence[str]) -> List[str]:
    pairs = [comment[1:].partition("=") for comment in comments if "sent_id" in comment]
    return [value.strip() for name, equals, value in pairs if equals and name.strip() == "sent_id"]


def number_of(text: str) -> Optional[int]:
    """
    Returns `text` as a number, from 0; `None` if it is not a plain number: without sign or leading
    zeros, with at most nine ASCII digits.
    """
    is_number = text.isdigit() and text.isascii() and len(text) <= 9
    return int(text) if is_number and (text[0] != "0" or text == "0") else None


def head_of(block: Block, index: int, column: str, length: int) -> Optional[int]:
    """
    Returns the head in a column, `None` for `_`.

    # Parameters

    block : `Block`
        The sentence.
    index : `int`
        The zero-based row of the column.
    column : `str`
        The content of the column.
    length : `int`
        The number of words, which is the highest possible head.

    # Raises

    `MalformedInputError` if it is not a number, or not that of a token.
    """
    if column == "_":
        return None
    head = number_of(column)
    if head is None:
        raise block.error_at(index, Fault.HEAD, f"the head is {quoted(column)}, not a number")
    if head > length:
        raise block.error_at(index, Fault.HEAD, f"the head is {column}, of {length} tokens")
    return head


def join_columns(columns: Sequence[str]) -> str:
    """
    Returns a line with these columns, without its line end.

    # Raises

    `ValueError` if a column could not be read back: it is empty, contains a tab, a line end, a NUL,
    or half of a surrogate pair, which UTF-8 cannot encode, or has a space at its edge.
    """
    line = "\t".join(columns)
    if line.count("\t") == len(columns) - 1 and not _NOT_IN_LINES.search(line):
        return line
    for column in columns:
        if not column or _NOT_IN_COLUMNS.search(column):
            raise ValueError(
                f"{quoted(column)} cannot be a column: it must not be empty, nor hold a tab, the "
                "end of a line, a NUL or half of a surrogate pair, nor have a space at its edge. "
                f"The line was to be {', '.join(map(quoted, columns[:10]))}."
            )
    return line


def join_lines(comments: Sequence[str], rows: Sequence[str]) -> str:
    """
    Returns the text of a sentence, with the empty line that ends it.

    # Raises

    `ValueError` if a comment could not be read back: it contains a line end, a NUL, or half of a
    surrogate pair, or does not begin with `#`.
    """
    for comment in comments:
        if _NOT_IN_COMMENTS.search(comment):
            raise ValueError(
                f"{quoted(comment)} cannot be a comment: it must be one line that begins with #, "
                "and not hold a NUL or half of a surrogate pair. Is the name of the sentence right?"
            )
    return "\n".join([*comments, *rows, "", ""])


def _set_missing_empty_line(line: Line, *drafts: "_BlockBuilder") -> None:
    """Sets the error that an empty line is missing before `line`, where the second draft begins."""
    start = line.text.partition("\t")[0]
    for draft in drafts:
        detail = f"{quoted(start)} starts a sentence after a token"
        draft.set_error(line, Fault.MISSING_EMPTY_LINE, detail)


class _BlockBuilder:
    """
    Builds a block from the lines of a sentence while they are read. `comments` and `rows` are those
    of the block, still as `Line`s.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.comments: List[Line] = []
        self.rows: List[Line] = []
        self.error: Optional[MalformedInputError] = None
        #: The empty line after the last token.
        self.end_line: Optional[Line] = None
        #: Whether a comment was read. `comments` also holds empty lines.
        self.has_comments = False
        #: Whether there is certainly a sentence: a comment names it, or contains a tab, which means
        #: that the line of a token was joined to the comment.
        self.is_named = False
        self._num_words = 0
        self._size = 0

    def must_end_before(self, line: Line) -> bool:
        """Returns whether the token `line` must belong to another sentence."""
        return self._num_words > 0 and line.text.startswith(FIRST_IDS)

    def continues_with(self, line: Line) -> bool:
        """
        Returns whether the token `line` is the next one of this sentence, or a piece of a token.
        """
        name = line.text.partition("\t")[0]
        word, node = name.partition("-")[0], name.partition(".")[0]
        is_next = number_of(word) == self._num_words + 1
        is_empty_node = node != name and number_of(node) == self._num_words
        is_piece = not name[:1].isdigit() or not any(map(str.isspace, line.text))
        return self._num_words > 0 and (is_next or is_empty_node or is_piece)

    def resume(self, line: Line, between: "_BlockBuilder") -> None:
        """
        Continues at the token `line`, with an error, since the lines `between` do not belong there.
        """
        self.error = self.error or between.error
        if self.end_line is None:
            comment = between.comments[0]
            self.set_error(comment, Fault.COMMENT_WITHIN, f"{quoted(comment.text)} after a token")
        else:
            name = line.text.partition("\t")[0]
            detail = f"{quoted(name)} goes on with the sentence above"
            self.set_error(self.end_line, Fault.EMPTY_LINE_WITHIN, detail)
        self.end_line = None

    def add_comment(self, line: Line) -> None:
        """Adds a comment."""
        self.has_comments = True
        is_name = "\t" in line.text or identifier_of((line.text,)) is not None
        self.is_named = self.is_named or is_name
        if self._reserve_room(line):
            self.comments.append(line)

    def add_row(self, line: Line) -> None:
        """Adds the line of a token."""
        if self._reserve_room(line):
            self.rows.append(line)
        self._num_words = number_of(line.text.partition("\t")[0]) or self._num_words

    def end(self, line: Line) -> None:
        """Adds an empty line, which ends the sentence or comes before it."""
        self.error = self.error or line.error
        if line.text:
            self.set_error(line, Fault.WHITE_SPACE_LINE, f"{quoted(line.text)} instead of nothing")
        if self.rows:
            self.end_line = line
        elif self._reserve_room(line):
            self.comments.append(line)

    def set_error(self, line: Line, fault: Fault, detail: str) -> None:
        """Sets the error of the sentence, unless it already has one."""
        self.error = self.error or MalformedInputError(self.path, line.number, fault, detail)

    def finish_before(self, draft: "_BlockBuilder") -> Block:
        """
        Returns the block. There must be an empty line between it and the `draft` that follows.
        """
        if self.end_line is None:
            _set_missing_empty_line(draft.comments[0], self, draft)
        return self.finish()

    def finish(self) -> Block:
        """Returns the block."""
        comments = tuple(line.text for line in self.comments)
        if not self.rows:
            first = next(line for line in self.comments if line.text)
            self.set_error(first, Fault.NO_TOKENS, f"{quoted(first.text)}, and no token follows")
        elif len(set(_sent_ids(comments))) > 1:
            names = " and ".join(map(quoted, _sent_ids(comments)[:2]))
            self.set_error(self.rows[0], Fault.SENTENCE_ID, f"{names} before this token")
        return Block(
            path=self.path,
            comments=comments,
            rows=tuple(line.text for line in self.rows),
            line_numbers=tuple(line.number for line in self.rows),
            error=self.error,
            missing_end=self._missing_end(),
        )

    def _reserve_room(self, line: Line) -> bool:
        """
        Counts the size of the line, and returns whether there is room for it. Of a sentence that is
        too long, only the beginning is kept, with an error. An error of the line itself is also
        kept.
        """
        self.error = self.error or line.error
        self._size += len(line.text) + LINE_COST
        if self._size > SENTENCE_LIMIT:
            detail = f"more than {SENTENCE_LIMIT} characters and {LINE_COST} a line, up to here"
            self.set_error(line, Fault.SENTENCE_TOO_LONG, detail)
            return False
        return True

    def _missing_end(self) -> Optional[str]:
        """Returns what is missing if the text ends after the last row."""
        if not self.rows or self.end_line is not None:
            return None
        if not self.rows[-1].is_ended:
            return "the file ends without a line feed"
        return "the file ends without the empty line that ends a sentence"
