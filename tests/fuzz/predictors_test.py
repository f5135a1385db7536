"""Every predictor of sentences, under mutated lines of input."""

import json
from codecs import BOM_UTF8
from typing import Any, Dict

import pytest
from allennlp.commands.predict import _PredictManager
from allennlp.predictors import Predictor
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.mutations import fuzz, mutated
from tests.fuzz.outcomes import LONGEST_MESSAGE, TABLE, Silent, no_hang
from tests.predictors.conftest import make_archive  # noqa: F401

SOUND = [
    {"sentence": "We know it ."},
    {"id": 7, "words": ["We", "know"], "pos": ["PRP", "VBP"]},
    {"words": ["A", "ä", "😀"], "lemmas": ["a", "b", "c"]},
]
LINES = "".join(json.dumps(line) + "\n" for line in SOUND).encode()
MODELS = {"parser": {"type": "chain_parser"}, "sentiment": {"type": "length_classifier"}}
READERS = {"parser": {"type": "sdp"}, "sentiment": {"type": "sst"}}


@pytest.mark.parametrize("name", MODELS)
@fuzz(share=0.06, sample=30)
@given(data=st.data())
def test_each_line_has_its_output_or_its_error(make_archive, tmp_path, name, data):  # noqa: F811
    content = data.draw(mutated(LINES))
    source, output = tmp_path / "input.jsonl", tmp_path / "output.jsonl"
    source.write_bytes(content)
    predictor = predictor_of(name, make_archive)
    size = data.draw(st.sampled_from([1, 2, 8]))
    with no_hang():
        _PredictManager(predictor, str(source), str(output), size, False, False).run()
    outputs = [strictly_json(line) for line in output.read_text("utf-8").splitlines()]
    content = content.removeprefix(BOM_UTF8)
    lines = [line for line in content.split(b"\n") if not is_blank(line)]
    if len(outputs) != len(lines):
        raise Silent(f"{len(lines)} lines of input, and {len(outputs)} of output")
    for line, result in zip(lines, outputs, strict=True):
        if "error" in result:
            TABLE[f"predictor {name}"]["left out"] += 1
            assert len(json.dumps(result)) < LONGEST_MESSAGE + 8 * len(line), "a long error"
        else:
            TABLE[f"predictor {name}"]["right"] += 1
            asked = json.loads(line)
            if "words" in asked and result["words"] != asked["words"]:
                raise Silent(f"{asked['words']} was asked, and {result['words']} answered")


PREDICTORS: Dict[str, Predictor] = {}


def predictor_of(name: str, make: Any) -> Predictor:
    """Made once, since that takes longer than thousands of lines."""
    if name not in PREDICTORS:
        archive = make(model=MODELS[name], dataset_reader=READERS[name])
        PREDICTORS[name] = Predictor.from_path(archive, name, on_error="report")
    return PREDICTORS[name]


def strictly_json(line: str) -> dict:
    """NaN and Infinity are no JSON."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} in the output is no JSON")

    return json.loads(line, parse_constant=refuse)


def is_blank(line: bytes) -> bool:
    """As `allennlp predict` has it, which asks Python."""
    return not line.decode("utf-8", "surrogateescape").strip()
