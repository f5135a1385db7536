"""What an error advises is followed to the letter, and gives the text as it was meant."""

import bz2
import gzip
import lzma
import re
import shlex
import shutil
import subprocess

import pytest

from spigot_allennlp.data.dataset_readers.conll import ConllReader
from spigot_allennlp.data.dataset_readers.sst import SstReader
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault

CONLL = (
    "# sent_id = eins\n# text = na\u00efve \n1\tna\u00efve\t_\tA\t_\t_\t2\tmod\t_\t_\n"
    "2\tH\u00f6rer\t_\tN\t_\t_\t0\troot\t_\t_\n\n"
    "# sent_id = zwei\n1\tJa\t_\tX\t_\t_\t0\troot\t_\t_\n\n"
)
# Signs of Windows-1252 that Latin-1 does not have.
QUOTES = CONLL.replace("Ja", "\u201eJa\u201c")
LINES = "1\tit works fine\n0\tit fails\n"
GLUE = "it works fine \t1\nit fails \t0\n"


class Conll:
    """Files of CoNLL."""

    def read(self, path):
        return [
            (instance["metadata"].metadata["id"], instance["metadata"].metadata["words"])
            for instance in ConllReader().read(path)
        ]


class Lines:
    """Files of a label and a text, of two classes."""

    def read(self, path):
        return [
            (instance["label"].label, instance["metadata"].metadata["words"])
            for instance in SstReader("2-class").read(path)
        ]


# From a name to the fault that is met first, how the file is read, what was meant, what it holds.
CASES = {
    "UTF-16": (Fault.UTF_16, Conll, CONLL, CONLL.encode("utf-16")),
    "UTF-16, big-endian": (Fault.UTF_16, Conll, CONLL, ("\ufeff" + CONLL).encode("utf-16-be")),
    "UTF-16 without mark": (Fault.UTF_16_LE, Conll, CONLL, CONLL.encode("utf-16-le")),
    "big-endian, without mark": (Fault.UTF_16_BE, Conll, CONLL, CONLL.encode("utf-16-be")),
    "UTF-16 of Windows": (
        Fault.UTF_16,
        Lines,
        LINES,
        ("\ufeff" + LINES.replace("\n", "\r\n")).encode("utf-16-le"),
    ),
    "UTF-32": (Fault.UTF_32, Conll, CONLL, CONLL.encode("utf-32")),
    "Windows-1252": (Fault.ENCODING, Conll, QUOTES, QUOTES.encode("cp1252")),
    "Latin-1": (Fault.ENCODING, Conll, CONLL, CONLL.encode("latin-1")),
    "mark": (Fault.BYTE_ORDER_MARK, Conll, CONLL, ("\ufeff" + CONLL).encode()),
    "mark within": (
        Fault.BYTE_ORDER_MARK_WITHIN,
        Conll,
        CONLL,
        CONLL.replace("# sent_id = zwei", "\ufeff# sent_id = zwei").encode(),
    ),
    "lines of Windows": (
        Fault.CARRIAGE_RETURN,
        Conll,
        CONLL,
        CONLL.replace("\n", "\r\n").encode(),
    ),
    "lines of Windows, twice": (
        Fault.CARRIAGE_RETURN,
        Conll,
        CONLL,
        CONLL.replace("\n", "\r\r\n").encode(),
    ),
    "lines of Macintosh": (
        Fault.CARRIAGE_RETURN_ALONE,
        Conll,
        CONLL,
        CONLL.replace("\n", "\r").encode(),
    ),
    "tabs at the ends": (Fault.TRAILING_TAB, Conll, CONLL, CONLL.replace("_\n", "_\t\n").encode()),
    "spaces": (Fault.COLUMN_SPACE, Conll, CONLL, CONLL.replace("\t_\t", " \t_ \t").encode()),
    "a header": (Fault.HEADER_LINE, Lines, LINES, b"label\ttext\n" + LINES.encode()),
    "GLUE": (Fault.TEXT_BEFORE_LABEL, Lines, LINES, b"sentence\tlabel\n" + GLUE.encode()),
    "text before label": (Fault.COLUMN_ORDER, Lines, LINES, GLUE.encode()),
    "no tab": (Fault.NO_TAB, Lines, LINES, LINES.replace("1\t", "1 ").encode()),
    "a tab too many": (Fault.TRAILING_TAB, Lines, LINES, LINES.replace("\n", "\t\n").encode()),
    "empty lines": (Fault.EMPTY_LINE, Lines, LINES, LINES.replace("\n", "\n\t \n").encode()),
}
COMPRESS = {"plain": bytes, "gzip": gzip.compress, "xz": lzma.compress, "bzip2": bz2.compress}
COMMAND = re.compile(r"`([^`]+)`")


def read_as_advised(path, reader, env=None, steps=3):
    """What is in the file at last, and the faults that were met, once their advice was followed."""
    faults = []
    for step in range(steps):
        try:
            return reader.read(path), faults
        except MalformedInputError as error:
            faults.append(error.fault)
            new = path.with_name(f"step {step}")
            (command,) = COMMAND.findall(str(error))
            for tool in re.findall(r"(?:^|\| )(\w+)", command):
                if shutil.which(tool) is None:
                    pytest.skip(f"{tool} is not here")
            for name, real in ((" NEW_FILE", new), (" FILE", path)):
                command = command.replace(name, f" {shlex.quote(str(real))}")
            subprocess.run(["bash", "-c", command], check=True, env=env)
            path = new
    raise AssertionError(f"advised {faults}, in vain")


@pytest.mark.parametrize("name", CASES)
def test_the_command_of_the_message_makes_the_text_that_was_meant(tmp_path, name):
    fault, reader, meant, content = CASES[name]
    (tmp_path / "meant").write_text(meant, encoding="utf-8")
    path = tmp_path / "the file's"
    path.write_bytes(content)
    read, faults = read_as_advised(path, reader())
    assert read == reader().read(tmp_path / "meant")
    assert faults[0] is fault
    assert path.read_bytes() == content


@pytest.mark.parametrize("compression", ["gzip", "xz", "bzip2"])
@pytest.mark.parametrize("name", ["UTF-16", "Latin-1", "lines of Windows", "GLUE"])
def test_it_unpacks_a_compressed_file_first(tmp_path, name, compression):
    _, reader, meant, content = CASES[name]
    (tmp_path / "meant").write_text(meant, encoding="utf-8")
    (tmp_path / "file").write_bytes(COMPRESS[compression](content))
    read, _ = read_as_advised(tmp_path / "file", reader())
    assert read == reader().read(tmp_path / "meant")


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("name", ["mark", "mark within", "spaces"])
def test_it_does_so_whatever_the_locale(tmp_path, name, locale):
    _, reader, meant, content = CASES[name]
    (tmp_path / "meant").write_text(meant, encoding="utf-8")
    (tmp_path / "file").write_bytes(content)
    read, _ = read_as_advised(tmp_path / "file", reader(), {"LC_ALL": locale})
    assert read == reader().read(tmp_path / "meant")


@pytest.mark.parametrize(
    "bad, fault",
    [
        ("# a note\n", Fault.COMMENT_WITHIN),
        ("\n", Fault.EMPTY_LINE_WITHIN),
        (" \n", Fault.WHITE_SPACE_LINE),
    ],
)
def test_a_line_that_it_says_to_take_out_is_the_one(tmp_path, bad, fault):
    path = tmp_path / "file"
    path.write_text(CONLL.replace("2\tH", f"{bad}2\tH"), encoding="utf-8")
    with pytest.raises(MalformedInputError) as caught:
        Conll().read(path)
    assert caught.value.fault is fault
    lines = path.read_text(encoding="utf-8").split("\n")
    del lines[caught.value.line - 1]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert [identifier for identifier, _ in Conll().read(path)] == ["eins", "zwei"]


def test_no_command_is_advised_that_would_spoil_a_file_of_damaged_utf_8(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONLL.encode().replace("H\u00f6rer".encode(), b"H\xf6rer"))
    with pytest.raises(MalformedInputError, match="in a file that is: F6 as byte 4") as caught:
        Conll().read(path)
    assert not COMMAND.search(str(caught.value))


@pytest.mark.parametrize("encoding", ["koi8-r", "shift-jis", "gbk"])
def test_an_encoding_that_is_not_known_is_not_guessed(tmp_path, encoding):
    text = {"koi8-r": "\u043f\u0440\u0438\u0432\u0435\u0442"}.get(encoding, "\u6771\u4eac\u90fd")
    path = tmp_path / "file"
    path.write_bytes(CONLL.replace("na\u00efve", text).replace("\u00f6", "oe").encode(encoding))
    with pytest.raises(MalformedInputError, match="iconv -f ENCODING -t UTF-8") as caught:
        Conll().read(path)
    assert caught.value.fault is Fault.ENCODING_UNKNOWN


def test_surrogates_that_are_encoded_by_themselves_are_named(tmp_path):
    path = tmp_path / "file"
    emoji = "\ud83d\ude00".encode("utf-8", "surrogatepass")
    path.write_bytes(CONLL.encode().replace(b"Ja", emoji))
    with pytest.raises(MalformedInputError, match="half of a surrogate pair, as CESU-8 has it"):
        Conll().read(path)
