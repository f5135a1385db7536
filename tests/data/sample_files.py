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


def wescience(name: str) -> Path:
    """A file of the treebank that lies beside the repository; skips the test where it does not."""
    path = REPOSITORY.parent / "shared" / "data" / "wescience_dm" / name
    if not path.exists():
        pytest.skip("the WeScience treebank is not here")
    return path
