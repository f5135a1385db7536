"""Defines what can be wrong with a file: each fault has a reason and a way out."""

from enum import Enum

# Readers read these, and count those that they skip.
SENTENCES, RECORDINGS = "sentences", "recordings"


class Fault(Enum):
    """
    The kinds of malformed input. Each value holds a reason and the way out.

    A fault has one cause, so its way out works when followed to the letter. A command is in
    backquotes, and makes a `NEW_FILE` from the `FILE`, which stays unchanged. A fault concerns a
    sentence unless it is listed in `_OF_FILE` or `_OF_RECORDING` below.
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
        "Remove it: `sed '1s/^\\xEF\\xBB\\xBF//' < FILE > NEW_FILE`.",
    )
    BYTE_ORDER_MARK_WITHIN = (
        "a byte order mark at the beginning of a later line",
        "Files that begin with one were joined; remove it: "
        "`sed 's/^\\xEF\\xBB\\xBF//' < FILE > NEW_FILE`.",
    )
    UTF_16 = (
        "the file is UTF-16, not UTF-8",
        "Convert it: `iconv -f UTF-16 -t UTF-8 < FILE > NEW_FILE`.",
    )
    UTF_16_LE = (
        "the file is UTF-16, little-endian and without a byte order mark, not UTF-8",
        "Convert it: `iconv -f UTF-16LE -t UTF-8 < FILE > NEW_FILE`.",
    )
    UTF_16_BE = (
        "the file is UTF-16, big-endian and without a byte order mark, not UTF-8",
        "Convert it: `iconv -f UTF-16BE -t UTF-8 < FILE > NEW_FILE`.",
    )
    UTF_32 = (
        "the file is UTF-32, not UTF-8",
        "Convert it: `iconv -f UTF-32 -t UTF-8 < FILE > NEW_FILE`.",
    )
    NUL = (
        "a NUL byte",
        "No text holds one: the file is damaged, or no text; fetch or write it again.",
    )
    CARRIAGE_RETURN = (
        "a carriage return at the end of a line",
        "Lines end with a line feed alone; convert the file: `sed 's/\\r*$//' < FILE > NEW_FILE`.",
    )
    CARRIAGE_RETURN_ALONE = (
        "lines that end with a carriage return alone",
        "Lines end with a line feed; convert the file: `tr '\\r' '\\n' < FILE > NEW_FILE`.",
    )
    CARRIAGE_RETURN_WITHIN = (
        "a carriage return within a line",
        "Put a line feed in its place if a line should end there; else take it out.",
    )
    ENCODING = (
        "bytes that are not UTF-8",
        "Those of this file can be Latin-1 or Windows-1252. Unless its source states another "
        "encoding, which then takes the place of WINDOWS-1252, convert the file: "
        "`iconv -f WINDOWS-1252 -t UTF-8 < FILE > NEW_FILE`.",
    )
    ENCODING_UNKNOWN = (
        "bytes that are neither UTF-8 nor Latin-1 nor Windows-1252",
        "Find out how the file is encoded, and convert it, with the name of that in the place of "
        "ENCODING: `iconv -f ENCODING -t UTF-8 < FILE > NEW_FILE`.",
    )
    ENCODING_MIXED = (
        "bytes that are not UTF-8 in a file that is",
        "Mend these bytes alone. To convert the whole file would spoil its other lines.",
    )
    LINE_TOO_LONG = (
        "a line that is too long",
        "No sentence is that long; check that the file is of this format, and where its lines end.",
    )
    WHITE_SPACE_LINE = (
        "white space on an empty line",
        "The line between two sentences holds nothing at all; take the white space out.",
    )
    MISSING_EMPTY_LINE = (
        "no empty line between two sentences",
        "Put an empty line before the comments, or the first token, of the second.",
    )
    EMPTY_LINE_WITHIN = (
        "an empty line within a sentence",
        "Take it out; or, if it is a sentence that begins there, number its tokens from 1.",
    )
    COMMENT_WITHIN = (
        "a comment within a sentence",
        "Comments stand before the first token; move it there, or take it out.",
    )
    NO_TOKENS = (
        "a sentence without tokens",
        "Restore it, or remove its comments; at the end of a file, that may be cut short.",
    )
    SENTENCE_ID = (
        "a sentence with two names",
        "One comment has its sent_id; a sentence, or the empty line after it, may be missing.",
    )
    SENTENCE_TOO_LONG = (
        "a sentence that is too long",
        "Put the empty lines between the sentences; or the file is of another format.",
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
    TRAILING_TAB = (
        "a tab at the end of a line",
        "Take it out, as here for all lines: `sed '/^#/!s/\\t*$//' < FILE > NEW_FILE`.",
    )
    COLUMN_SPACE = (
        "a space at the edge of a column",
        "Take it out, as here for all lines: "
        "`sed '/^#/!{s/ *\\t */\\t/g; s/^ *//; s/ *$//}' < FILE > NEW_FILE`.",
    )
    GLOBAL_COLUMNS = (
        "columns that are not those of CoNLL-U",
        "Write a file of the ten columns ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC.",
    )
    SDP_HEADER = (
        "a header of an unknown form of SDP",
        "The headers #SDP 2014 and #SDP 2015 are known; without one, the columns tell the form.",
    )
    SDP_LAYOUT = (
        "a file that is in two forms of SDP",
        "Put the header #SDP 2014 or #SDP 2015 on a line before the first sentence of each form.",
    )
    FLAG = (
        "a flag that is neither + nor -",
        "The top and pred columns of a token hold + or -.",
    )
    ARGUMENT_COLUMNS = (
        "argument columns and predicates differ in number",
        "Each token with + in its pred column has one argument column, in the same order; and the "
        "header, if there is one, names the form that the file is in.",
    )
    ANNOTATION = (
        "an annotation that does not fit its sentence",
        "Correct the file, or the reader of it: words count from 1, each layer has an entry for "
        "each word, and from one word to another there is at most one arc; join its roles to one.",
    )
    HEAD = (
        "no such head",
        "A head is the id of a token of the sentence, or 0 for the root; "
        'to read sentences that have no tree, give the reader "trees": false.',
    )
    CYCLE = (
        "a cycle in the tree",
        "Every token must reach the root by its heads; correct the heads.",
    )
    ROOTS = (
        "more than one root in the tree",
        "One token has head 0. To learn from such trees, give the structure of the model "
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
        "out: `sed '/^[[:space:]]*$/d' < FILE > NEW_FILE`.",
    )
    NO_WORDS = (
        "a sentence without words",
        "Restore its text, or take it out.",
    )
    BRACKETS = (
        "a tree that is not well bracketed",
        "A line holds one whole tree, as in (3 (2 It) (3 works)), or, in another layout, a label, "
        "a tab and the text; the file may be cut short.",
    )
    LABEL = (
        "no such sentiment label",
        "Labels count from 0, the most negative; where a file in columns or lines has not as many "
        'classes as are asked for, give the reader its "file_granularity".',
    )
    FINER_LABELS = (
        "a sentiment label of more classes than the file is said to have",
        "If the file has three or five classes, say so to the reader, as in "
        '"file_granularity": "5-class"; its other labels mean something else then. If this label '
        "is a mistake, correct it.",
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
        "Check that it is a text, and convert it, with the name of its encoding: "
        "`iconv -f ENCODING -t UTF-8 < FILE > NEW_FILE`.",
    )
    NO_INSTANCES = (
        "nothing was read",
        "Check the path, and whether the reader is the one for this format.",
    )
    VECTOR = (
        "an embedding that cannot be read",
        "A line holds a word and embedding_dim numbers, all parted by one space; correct the file, "
        "or embedding_dim, or leave such lines out: SPIGOT_ALLENNLP_EMBEDDINGS_ON_ERROR=skip.",
    )
    NO_NEUTRAL_SENTENCE = (
        "no neutral sentence",
        "A long document goes on with neutral sentences of its file: give one whose labels tell "
        "them apart, of three or five classes.",
    )
    NO_TAB = (
        "no tab between label and text",
        "A tab parts them; to make one of the space: "
        "`sed -E '/\\t/!s/^([0-9]+) +/\\1\\t/' < FILE > NEW_FILE`.",
    )
    LINE_WITHIN = (
        "a line feed within a sentence",
        "A line without label and tab goes on with the sentence above; join the two.",
    )
    HEADER_LINE = (
        "a line with the names of the columns",
        "Each line holds a sentence; take the header out: `tail -n +2 < FILE > NEW_FILE`.",
    )
    TEXT_BEFORE_LABEL = (
        "a file whose header puts the text before the label",
        "Take the header out, and put the label first: "
        "`awk -F '\\t' 'NR > 1 {print $2 \"\\t\" $1}' < FILE > NEW_FILE`. The labels of GLUE's "
        'SST-2 are those of "granularity": "2-class".',
    )
    NO_LABELS = (
        "a file whose header names no label",
        "Give a file of two columns, label and text; the test data of GLUE have no labels.",
    )
    COLUMN_ORDER = (
        "the label after the text",
        "Put the label first: `awk -F '\\t' '{print $2 \"\\t\" $1}' < FILE > NEW_FILE`.",
    )
    COMPANION = (
        "the companion file does not match",
        "Both files hold the same sentences in the same order, token for token; "
        'where only the forms differ, give the reader "match_forms": false.',
    )

    @property
    def reason(self) -> str:
        """Returns the fault in a few words."""
        return self.value[0]

    @property
    def remedy(self) -> str:
        """Returns the way out, as a sentence."""
        return self.value[1]

    @property
    def is_of_file(self) -> bool:
        """
        Returns whether the fault concerns a whole file, so that skipping a part does not help.
        """
        return self in _OF_FILE

    @property
    def items(self) -> str:
        """Returns what a reader skips because of the fault: `SENTENCES` or `RECORDINGS`."""
        return RECORDINGS if self in _OF_RECORDING else SENTENCES


_OF_FILE = frozenset(
    {
        Fault.EMPTY_FILE,
        Fault.NOTHING_LEFT,
        Fault.UTF_16,
        Fault.UTF_16_LE,
        Fault.UTF_16_BE,
        Fault.UTF_32,
        Fault.CARRIAGE_RETURN_ALONE,
        Fault.GLOBAL_COLUMNS,
        Fault.SDP_HEADER,
        Fault.SDP_LAYOUT,
        Fault.TEXT_BEFORE_LABEL,
        Fault.NO_LABELS,
        Fault.FINER_LABELS,
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
        Fault.NO_NEUTRAL_SENTENCE,
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
