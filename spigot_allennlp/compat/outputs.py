"""Checks where a command may write, before it starts work that may take hours."""

import os
from io import BytesIO
from pathlib import Path
from typing import Any, Optional

from spigot_allennlp.compat.atomic_io import PathLike, is_written_at_once, write
from spigot_allennlp.compat.plain_errors import plain_error


def check_output(path: Optional[PathLike], option: str = "--output") -> None:
    """
    # Raises

    `ConfigurationError` if no file can be written at `path`, the value of `option`: it is a folder,
    it is below a file, or permission is missing. Nothing is created. `None` means no output.
    """
    if path is None:
        return
    path = os.fspath(path)
    if os.path.isdir(path) or path.endswith(os.sep):
        raise plain_error(f"{option} {path} is a folder. Name a file in it.")
    nearest = os.path.realpath(path)
    if not is_written_at_once(path):
        # The new file is written beside the old one, and its folders are created.
        nearest = os.path.dirname(nearest)
        while not os.path.lexists(nearest):
            nearest = os.path.dirname(nearest)
        if not os.path.isdir(nearest):
            raise plain_error(f"{option} {path}: {nearest} is no folder. Name another file.")
    if not os.access(nearest, os.W_OK):
        raise plain_error(f"{option} {path}: there is no right to write to {nearest}.")


def check_figure(path: Optional[PathLike], option: str = "--output") -> None:
    """
    # Raises

    `ConfigurationError` if no figure can be written at `path`: for the reasons in `check_output`,
    or because its extension is not an image format.
    """
    if path is None:
        return
    from matplotlib.backend_bases import FigureCanvasBase

    if _format_of(path) not in FigureCanvasBase.filetypes:
        raise plain_error(
            f"{option} {os.fspath(path)} ends in {Path(path).suffix!r}, which is no format of "
            "pictures here. Take .png, .svg or .pdf."
        )
    check_output(path, option)


def write_figure(figure: Any, path: PathLike) -> None:
    """
    Writes a matplotlib figure in the format of the extension of `path`, or as PNG if it has none.
    """
    image = BytesIO()
    figure.savefig(image, format=_format_of(path), dpi=150)
    write(path, image.getvalue())


def _format_of(path: PathLike) -> str:
    return Path(path).suffix[1:].lower() or "png"
