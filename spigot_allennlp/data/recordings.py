"""Recordings of speech: WAV files in a folder, or in a tar archive, which may be compressed."""

import io
import tarfile
import wave
from os import PathLike
from pathlib import Path
from typing import BinaryIO, Iterator, NamedTuple, Tuple, Union

import numpy

SUFFIX = ".wav"


class Recording(NamedTuple):
    """
    # Parameters

    name : `str`
        That of the file, without folder and suffix.
    rate : `int`
        Samples a second.
    signal : `numpy.ndarray`
        From -1 to 1, shape `(num_samples,)`.
    """

    name: str
    rate: int
    signal: numpy.ndarray


def read_recordings(path: Union[str, PathLike]) -> Iterator[Recording]:
    """
    All recordings, in the order of their names.

    # Raises

    `ValueError` that names the file and says what is wrong with it.
    """
    for name, content in sorted(_files(Path(path)), key=lambda file: file[0]):
        rate, signal = read_wav(io.BytesIO(content), f"{path}: {name}")
        yield Recording(name, rate, signal)


def _files(path: Path) -> Iterator[Tuple[str, bytes]]:
    if path.is_dir():
        for file in path.rglob(f"*{SUFFIX}"):
            yield file.stem, file.read_bytes()
        return
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.name.endswith(SUFFIX) else None
                if content is not None:
                    yield Path(member.name).stem, content.read()
    except tarfile.TarError as error:
        raise ValueError(
            f"{path} is neither a folder nor a tar archive that can be read: {error}. Give the "
            f"folder that has the {SUFFIX} files."
        ) from error


def read_wav(stream: BinaryIO, name: str) -> Tuple[int, numpy.ndarray]:
    """
    Samples a second, and the mean of the channels; `name` is for errors.

    # Raises

    `ValueError` if it is no WAV file of 16 bits.
    """
    try:
        with wave.open(stream) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            content = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{name} is no WAV file that can be read: {error}.") from error
    if width != 2:
        raise ValueError(
            f"{name} has samples of {8 * width} bits, but must have 16; convert it: "
            "sox IN.wav -b 16 OUT.wav"
        )
    signal = numpy.frombuffer(content, "<i2").reshape(-1, channels).mean(axis=1) / 2**15
    return rate, signal
