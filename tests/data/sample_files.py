"""Where the tests of the formats and readers find their files."""

from pathlib import Path
from typing import Iterable, Iterator, TypeVar, Union

import pytest

from spigot_allennlp.data.errors import MalformedInputError

Record = TypeVar("Record")

REPOSITORY = Path(__file__).parents[2]
FIXTURES = REPOSITORY / "fixtures" / "data"
SDP_2015 = FIXTURES / "sdp" / "sdp_2015.sdp"
SDP_2014 = FIXTURES / "sdp" / "sdp_2014.sdp"
AUGMENTED = FIXTURES / "sdp" / "augmented.sdp"
CONLLX = FIXTURES / "sdp" / "sdp_2015.conll"
CONLLU = FIXTURES / "conll" / "enhanced.conllu"
SST = FIXTURES / "sst.txt"
SST_COLUMNS = FIXTURES / "sst_columns.txt"
SST_LINES = FIXTURES / "sst_lines.tsv"


def wescience(name: str) -> Path:
    """A file of the treebank that lies beside the repository; skips the test where it does not."""
    return _beside("wescience_dm", name)


def stanford(name: str) -> Path:
    """The same for the Stanford Sentiment Treebank."""
    return _beside("sst", name)


def records_of(results: Iterable[Union[Record, MalformedInputError]]) -> Iterator[Record]:
    """The records of a format; the first error among them is raised."""
    for result in results:
        if isinstance(result, MalformedInputError):
            raise result
        yield result


def _beside(folder: str, name: str) -> Path:
    path = REPOSITORY.parent / "shared" / "data" / folder / name
    if not path.exists():
        pytest.skip(f"{folder}/{name} is not here")
    return path
