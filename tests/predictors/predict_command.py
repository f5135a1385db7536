"""The command `allennlp predict`, run in this process."""

import json
import sys
from pathlib import Path
from typing import Tuple
from unittest.mock import patch

from allennlp.commands import main


def predict(archive: str, folder: Path, text: str, *options: str, name: str = "input.jsonl") -> str:
    """What the command writes, given the `text` of a file. Both files stay in `folder`."""
    (folder / name).write_text(text)
    output = folder / "output"
    command = ["allennlp", "predict", archive, str(folder / name), "--silent"]
    with patch.object(sys, "argv", [*command, "--output-file", str(output), *options]):
        main()
    return output.read_text()


def predictor_args(**values: str) -> Tuple[str, str]:
    """The options that hand these values to the predictor."""
    return "--predictor-args", json.dumps(values)


def lines(*inputs: dict) -> str:
    """JSON lines."""
    return "".join(f"{json.dumps(record)}\n" for record in inputs)
