"""Files that are written all at once: whoever reads one finds all of the old or all of the new."""

import json
import os
from pathlib import Path
from typing import Any, Union


def write(path: Path, content: Union[str, bytes]) -> None:
    """Under another name first, then under its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    os.replace(new, path)


def write_json(path: Path, content: Any) -> None:
    write(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
