"""
Synthetic recordings of spoken digits: each digit is two gliding tones, like the formants of a
vowel, above the fundamental frequency of a voice.
"""

import random
from typing import Iterator, NamedTuple

import numpy
from numpy import ndarray

from spigot_allennlp.data.formats.recordings import Recording
from spigot_allennlp.data.synthetic.specification import parse_specification

#: Samples per second.
RATE = 8000


class Glide(NamedTuple):
    """The frequencies in Hz at which both formants of a digit start, and at which they end."""

    first_start: int
    second_start: int
    first_end: int
    second_end: int


class Speaker(NamedTuple):
    """The name of a voice, its fundamental frequency in Hz, and a factor of all frequencies."""

    name: str
    pitch: float
    stretch: float


_GLIDES = (
    Glide(400, 1800, 600, 900),
    Glide(500, 900, 300, 2200),
    Glide(300, 1100, 300, 1100),
    Glide(700, 1300, 300, 2300),
    Glide(600, 800, 600, 800),
    Glide(800, 1200, 400, 1900),
    Glide(350, 2100, 350, 2100),
    Glide(500, 1700, 700, 1300),
    Glide(650, 1900, 300, 2000),
    Glide(700, 1100, 650, 2400),
)
_SPEAKERS = (Speaker("low", 90.0, 0.9), Speaker("middle", 130.0, 1.0), Speaker("high", 200.0, 1.12))


def generate_recordings(spec: str) -> Iterator[Recording]:
    """
    Yields recordings, named as in the Free Spoken Digit Dataset: `7_high_12`.

    # Parameters

    spec : `str`
        For example `"synthetic:size=100,seed=1"`. Recording i is the same for every size.

    # Raises

    `ValueError` that says what is wrong in `spec`.
    """
    specification = parse_specification(spec)
    for number in range(specification.size):
        generator = random.Random(f"speech:{specification.seed}:{number}")
        digit, speaker = generator.randrange(10), _SPEAKERS[generator.randrange(len(_SPEAKERS))]
        name = f"{digit}_{speaker.name}_{number}"
        yield Recording(name, RATE, synthesize_digit(digit, speaker, generator))


def synthesize_digit(digit: int, speaker: Speaker, generator: random.Random) -> ndarray:
    """Returns a signal of 0.25 to 0.5 seconds, between -1 and 1 except for noise."""
    length = int(RATE * generator.uniform(0.25, 0.5))
    progress = numpy.linspace(0, 1, length)
    stretch = speaker.stretch * generator.uniform(0.97, 1.03)
    glide = _GLIDES[digit]
    # The frequency at each sample, and the loudness, of both formants and of the voice.
    tones = [
        (glide.first_start + (glide.first_end - glide.first_start) * progress, 1.0),
        (glide.second_start + (glide.second_end - glide.second_start) * progress, 0.6),
        (numpy.full(length, speaker.pitch), 0.3),
    ]
    phases = [2 * numpy.pi * numpy.cumsum(stretch * frequency) / RATE for frequency, _ in tones]
    signal = sum(loud * numpy.sin(phase) for phase, (_, loud) in zip(phases, tones, strict=True))
    noise = numpy.random.default_rng(generator.getrandbits(32)).normal(0, 0.02, length)
    return 0.4 * signal * numpy.sin(numpy.pi * progress) + noise
