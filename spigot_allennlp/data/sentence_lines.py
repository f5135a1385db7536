"""A file of one sentence a line, before anyone knows what is in a line."""

from typing import Iterator, List, Union

from spigot_allennlp.data.errors import Fault, MalformedInputError
from spigot_allennlp.data.numbered_lines import Line, numbered_lines


def sentence_lines(path: str, layout: str) -> Iterator[Union[Line, MalformedInputError]]:
    """
    The lines of a file, with an error in the place of each that has a fault, or is empty: a
    sentence may be missing there. Empty lines at the end of the file do not count. See
    `open_source` for `layout`.
    """
    empty: List[Line] = []
    is_empty = True
    for line in numbered_lines(path, layout):
        if line.fault is None and not line.text.strip():
            empty.append(line)
        else:
            for one in empty:
                yield MalformedInputError(path, one.number, Fault.EMPTY_LINE, repr(one.text))
            empty, is_empty = [], False
            yield line.fault or line
    if is_empty:
        yield MalformedInputError(path, 1, Fault.EMPTY_FILE, "no line has a word")
