"""A file of one sentence a line, before anyone knows what is in a line."""

from typing import Callable, Iterable, Iterator, TypeVar, Union

from spigot_allennlp.data.errors import Fault, MalformedInputError, attempt, quoted
from spigot_allennlp.data.numbered_lines import Line, numbered_lines, warn_that_it_may_be_cut

Sentence = TypeVar("Sentence")


def sentence_lines(path: str, layout: str) -> Iterator[Union[Line, MalformedInputError]]:
    """
    The lines of a file, with an error in the place of each that has a fault, or is empty: a
    sentence may be missing there. Empty lines at the end of the file do not count. See
    `open_source` for `layout`.
    """
    num_empty, is_empty = 0, True
    for line in numbered_lines(path, layout):
        if line.fault is None and not line.text.strip(" \t\v\f"):
            num_empty += 1
        else:
            for number in range(line.number - num_empty, line.number):
                yield MalformedInputError(path, number, Fault.EMPTY_LINE, "it has no words")
            num_empty, is_empty = 0, False
            yield _checked(path, line)
    if is_empty:
        yield MalformedInputError(path, 1, Fault.EMPTY_FILE, "no line has a word")


def scan_lines(
    path: str,
    lines: Iterable[Union[Line, MalformedInputError]],
    parse: Callable[[Line], Sentence],
) -> Iterator[Union[Sentence, MalformedInputError]]:
    """
    What `parse` makes of each of the `lines`, with an error in the place of each that cannot be
    read. Warns if no line feed ends the last, and it was read, since it may have been cut.
    """
    for line in lines:
        if isinstance(line, MalformedInputError):
            yield line
            continue
        result = attempt(parse, line)
        if not isinstance(result, MalformedInputError) and not line.is_ended:
            warn_that_it_may_be_cut(path, line.number, "the file ends without a line feed")
        yield result


def _checked(path: str, line: Line) -> Union[Line, MalformedInputError]:
    if line.fault is None and not line.text.strip():
        detail = f"{quoted(line.text)} instead of nothing"
        return MalformedInputError(path, line.number, Fault.WHITE_SPACE_LINE, detail)
    return line.fault or line
