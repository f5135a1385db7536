"""What can be wrong with a file, each fault with its way out, and the one error that tells it."""

from enum import Enum
from typing import Any, Callable, Optional, Union


class Fault(Enum):
    """
    The kinds of malformed input. The value of each is its reason, and the way out.
    """

    EMPTY_FILE = (
        "the file holds no sentence",
        "Check the path, and whether the file was written to its end.",
    )
    NOTHING_LEFT = (
        "every sentence of the file was left out",
        "Mend what is listed, or check that the reader is the one for this format.",
    )
    DAMAGED_ARCHIVE = (
        "the compressed file is damaged",
        "Fetch or compress it again; what follows the damage cannot be read.",
    )
    BYTE_ORDER_MARK = (
        "the file begins with a byte order mark",
        "Remove it: sed -i '1s/^\\xEF\\xBB\\xBF//' FILE",
    )
    CARRIAGE_RETURN = (
        "a carriage return in a line",
        "Lines end with a line feed alone; convert the file: sed -i 's/\\r$//' FILE",
    )
    ENCODING = (
        "bytes that are not UTF-8",
        "Convert the file: iconv -f LATIN1 -t UTF-8 FILE > NEW_FILE",
    )
    WHITE_SPACE_LINE = (
        "white space on an empty line",
        "The line between two sentences holds nothing at all; take the white space out.",
    )
    MISSING_EMPTY_LINE = (
        "no empty line between two sentences",
        "Put an empty line before the comments, or the first token, of the second.",
    )
    NO_TOKENS = (
        "comment lines that no token follows",
        "The file may be cut short; restore the sentence or remove its comments.",
    )
    TOKEN_ID = (
        "token ids that do not count 1, 2, 3, ...",
        "Number the tokens of each sentence from 1, without gaps.",
    )
    COLUMN_COUNT = (
        "wrong column count",
        "Columns are parted by one tab, and every line of a sentence has as many.",
    )
    EMPTY_COLUMN = (
        "an empty column",
        "Write _ for what is not given.",
    )
    FLAG = (
        "a flag that is neither + nor -",
        "The top and pred columns of a token hold + or -.",
    )
    ARGUMENT_COLUMNS = (
        "argument columns and predicates differ in number",
        "Each token with + in its pred column has one argument column, in the same order.",
    )
    HEAD = (
        "no such head",
        "A head is the id of a token of the sentence, or 0 for the root; "
        'to read sentences that have no tree, give the reader "trees": false.',
    )
    CYCLE = (
        "a cycle in the tree",
        "Every token must reach the root by its heads; mend the heads.",
    )
    ROOTS = (
        "more than one root in the tree",
        'One token has head 0. To learn from such trees, give the structure of the model '
        '"single_root": false, and the reader "multiple_roots": true.',
    )
    NON_PROJECTIVE = (
        "a tree with crossing arcs",
        'To learn from such trees, set the structure of the model to "non_projective_tree", and '
        'the reader to "projective": false.',
    )
    ROLE_TWICE = (
        "a graph in which a predicate has a deterministic role twice",
        "To learn from such graphs, take the role out of the deterministic_roles of the structure, "
        "and of the reader.",
    )
    ENHANCED_GRAPH = (
        "an enhanced graph that cannot be read",
        "The ninth column (DEPS) holds head:relation pairs, parted by |; "
        'without such a column, set "enhanced_graph": false.',
    )
    EMPTY_LINE = (
        "an empty line between two sentences",
        "Each line holds a sentence, and one may be missing here. If none is, take the empty lines "
        "out: sed -i '/^\\s*$/d' FILE",
    )
    NO_WORDS = (
        "a sentence without words",
        "Restore its text, or take it out.",
    )
    BRACKETS = (
        "a tree that is not well bracketed",
        "A line holds one whole tree, as in (3 (2 It) (3 works)); the file may be cut short.",
    )
    LABEL = (
        "no such sentiment label",
        "Labels count from 0, the most negative; where a file in columns or lines has not as many "
        'classes as are asked for, give the reader its "file_granularity".',
    )
    UNREAD_COMPRESSION = (
        "a compression that is not read here",
        "Decompress the file, or compress it with gzip, bzip2 or xz.",
    )
    TOO_LARGE = (
        "more data than the file may hold",
        "Check the file: a small one that holds so much is damaged, or was made to fill memory.",
    )
    FORMAT = (
        "a file of another format",
        "Check the path, and which reader is the one for this format.",
    )
    SIZE = (
        "a size other than that in the header",
        "The file was cut short, or something was added; fetch it again.",
    )
    ARRAY_TYPE = (
        "numbers of another type",
        "Images and labels are unsigned bytes, type 08 of the idx format; scale and convert them.",
    )
    ARRAY_PAIR = (
        "images and labels that do not match",
        "The file of the labels has as many labels as that of the images has images.",
    )
    TAR = (
        "a damaged tar archive",
        "Fetch or make it again: what follows the damage may be missing.",
    )
    RECORDING_NAME = (
        "a recording whose name says nothing",
        "Names are digit_speaker_number.wav, as in 7_theo_12.wav.",
    )
    RECORDING_FORMAT = (
        "a recording in a format that is not read here",
        "Convert it: sox IN.wav -b 16 -e signed OUT.wav",
    )
    RECORDING = (
        "a recording that cannot be read",
        "It may have been cut short or damaged; fetch it again, or take it out.",
    )
    EMPTY_RECORDING = (
        "a recording without samples",
        "Record or fetch it again, or take it out.",
    )
    EVENTS = (
        "events that cannot be read",
        "The file may be cut short, or in another format than that of N-MNIST; fetch it again.",
    )
    NOT_TEXT = (
        "a file that is no text in UTF-8",
        "Check that it is a text, and convert it: iconv -f ENCODING -t UTF-8 FILE > NEW_FILE",
    )
    NO_INSTANCES = (
        "nothing was read",
        "Check the path, and whether the reader is the one for this format.",
    )
    VECTOR = (
        "an embedding that cannot be read",
        "A line holds a word and its numbers, all parted by one space; mend or remove the line.",
    )
    COMPANION = (
        "the companion file does not match",
        "Both files hold the same sentences in the same order, token for token; "
        'where only the forms differ, give the reader "match_forms": false.',
    )

    @property
    def reason(self) -> str:
        """The fault in a few words."""
        return self.value[0]

    @property
    def remedy(self) -> str:
        """The way out, in a sentence."""
        return self.value[1]

    @property
    def is_of_file(self) -> bool:
        """Whether it concerns a whole file, so that leaving out a part of it is no way out."""
        return self in _OF_FILE

    @property
    def items(self) -> str:
        """What a reader leaves out where it meets the fault: "sentences" or "recordings"."""
        return "recordings" if self in _OF_RECORDING else "sentences"


_OF_FILE = frozenset(
    {
        Fault.EMPTY_FILE,
        Fault.NOTHING_LEFT,
        Fault.DAMAGED_ARCHIVE,
        Fault.UNREAD_COMPRESSION,
        Fault.TOO_LARGE,
        Fault.FORMAT,
        Fault.SIZE,
        Fault.ARRAY_TYPE,
        Fault.ARRAY_PAIR,
        Fault.TAR,
        Fault.EVENTS,
        Fault.NOT_TEXT,
        Fault.NO_INSTANCES,
        Fault.VECTOR,
    }
)
_OF_RECORDING = frozenset(
    {
        Fault.RECORDING_NAME,
        Fault.RECORDING_FORMAT,
        Fault.RECORDING,
        Fault.EMPTY_RECORDING,
    }
)


class MalformedInputError(ValueError):
    """
    Raised for, or yielded in the place of, a part of a file that cannot be read: a sentence, a
    recording, or the file as a whole.

    # Parameters

    path : `str`
        The file.
    place : `Union[int, str, None]`
        Where in the file the fault shows: the 1-based line of a text; in a file that has no lines,
        a few words, as `"member 7_theo_0.wav"` or `"byte 16"`; or `None`, the file as a whole.
    fault : `Fault`
        The kind of fault: reason and way out.
    detail : `str`
        What was found there, and what was expected.
    """

    def __init__(self, path: str, place: Union[int, str, None], fault: Fault, detail: str) -> None:
        # The arguments as they are make the error cross process borders.
        super().__init__(path, place, fault, detail)
        self.path = path
        self.place = place
        self.fault = fault
        self.detail = detail

    @property
    def line(self) -> Optional[int]:
        """The line, where the place is one."""
        return self.place if isinstance(self.place, int) else None

    @property
    def location(self) -> str:
        """`file:line`, `file: place` or `file`."""
        if self.place is None:
            return self.path
        return f"{self.path}:{self.place}" if self.line else f"{self.path}: {self.place}"

    def __str__(self) -> str:
        text = f"{self.location}: {self.fault.reason}: {self.detail}. {self.fault.remedy}"
        if self.fault.is_of_file:
            return text
        return (
            f'{text} A reader with "on_error": "skip" leaves such {self.fault.items} out, and '
            "counts them."
        )


def attempt(function: Callable, *arguments: Any) -> Any:
    """
    `function(*arguments)`, or the `MalformedInputError` that it raised or that is among the
    arguments. So a generator can hand on a bad sentence, and continue with the next.
    """
    for argument in arguments:
        if isinstance(argument, MalformedInputError):
            return argument
    try:
        return function(*arguments)
    except MalformedInputError as error:
        return error
