"""
The embedded speech: each digit is two tones that glide, as formants do, over the buzz of a voice.
"""

import random
from typing import Iterator

import numpy

from spigot_allennlp.data.recordings import Recording
from spigot_allennlp.data.synthetic.specification import parse_specification

RATE = 8000
# Of each digit, where both formants start and where they end, in Hz.
GLIDES = (
    (400, 1800, 600, 900),
    (500, 900, 300, 2200),
    (300, 1100, 300, 1100),
    (700, 1300, 300, 2300),
    (600, 800, 600, 800),
    (800, 1200, 400, 1900),
    (350, 2100, 350, 2100),
    (500, 1700, 700, 1300),
    (650, 1900, 300, 2000),
    (700, 1100, 650, 2400),
)
SPEAKERS = ("low", "middle", "high")


def generate_recordings(spec: str) -> Iterator[Recording]:
    """
    Recordings that are named as those of the Free Spoken Digit Dataset: `7_high_12`.

    # Parameters

    spec : `str`
        Such as "synthetic:size=100,seed=1". Recording i is the same for every size.

    # Raises

    `ValueError` that says what in `spec` is wrong.
    """
    size, seed = parse_specification(spec)[:2]
    for number in range(size):
        draw = random.Random(f"speech:{seed}:{number}")
        digit, speaker = draw.randrange(10), draw.randrange(len(SPEAKERS))
        name = f"{digit}_{SPEAKERS[speaker]}_{number}"
        yield Recording(name, RATE, draw_signal(digit, speaker, draw))


def draw_signal(digit: int, speaker: int, draw: random.Random) -> numpy.ndarray:
    """Of 0.25 to 0.5 seconds."""
    length = int(RATE * draw.uniform(0.25, 0.5))
    share = numpy.linspace(0, 1, length)
    stretch = (0.9, 1.0, 1.12)[speaker] * draw.uniform(0.97, 1.03)
    first, second, first_end, second_end = GLIDES[digit]
    tones = [
        (first + (first_end - first) * share, 1.0),
        (second + (second_end - second) * share, 0.6),
        (numpy.full(length, (90.0, 130.0, 200.0)[speaker]), 0.3),
    ]
    phases = [2 * numpy.pi * numpy.cumsum(stretch * pitch) / RATE for pitch, _ in tones]
    signal = sum(loud * numpy.sin(phase) for phase, (_, loud) in zip(phases, tones, strict=True))
    noise = numpy.random.default_rng(draw.getrandbits(32)).normal(0, 0.02, length)
    return 0.4 * signal * numpy.sin(numpy.pi * share) + noise
