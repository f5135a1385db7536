"""The structure of `docs/add_a_structure.md` keeps the contract of structures."""

import re
from pathlib import Path

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


TestSpan = run_page()["TestSpan"]
