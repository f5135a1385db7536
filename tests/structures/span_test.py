"""The structure of `docs/add_a_structure.md` keeps the contract of structures."""

import re
from pathlib import Path

import torch

from spigot_allennlp.structures.structure import Structure

PAGE = Path(__file__).parents[2] / "docs" / "add_a_structure.md"


def run_page():
    """Runs the page, and returns its names. It is no structure of ours: its name is given up."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL))
    names = {"__name__": "add_a_structure"}
    try:
        exec(compile(code, str(PAGE), "exec"), names)
    finally:
        Structure._registry[Structure].pop("span")
    return names


NAMES = run_page()
TestSpan = NAMES["TestSpan"]


def test_the_log_partition_of_nothing_stays_on_its_device():
    # as on a GPU, a tensor of another device is refused
    mask = torch.ones(2, 3, dtype=torch.bool, device="meta")
    scores = torch.zeros(2, 3, device="meta")
    assert NAMES["Span"].log_partition.__wrapped__(NAMES["Span"](), scores, mask).is_meta
