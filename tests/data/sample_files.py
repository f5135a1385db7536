"""Where the tests of the formats and readers find their files."""

from pathlib import Path

import pytest

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


def _beside(folder: str, name: str) -> Path:
    path = REPOSITORY.parent / "shared" / "data" / folder / name
    if not path.exists():
        pytest.skip(f"{folder}/{name} is not here")
    return path
