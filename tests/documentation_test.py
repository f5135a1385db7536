"""What the documentation shows is what there is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_estimator_that_the_documentation_walks_through_is_the_one_in_use():
    page = (ROOT / "docs" / "add_an_estimator.md").read_text(encoding="utf-8")
    shown = "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    source = (ROOT / "spigot_allennlp/estimators/blackbox.py").read_text(encoding="utf-8")
    assert _lines(shown) == _lines(source)
    assert len(source.splitlines()) < 60


def _lines(text):
    return [line for line in text.splitlines() if line]
