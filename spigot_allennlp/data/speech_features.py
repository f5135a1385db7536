"""What an ear makes of sound, roughly: the energy in bands of frequency, on the mel scale."""

import numpy

WINDOW = 0.025  # seconds
# In decibels below the loudest, what is still heard.
RANGE = 50.0
# The energy below which there is silence, that of a tone some 150 decibels below full scale.
SILENCE = 1e-12


def log_mel(signal: numpy.ndarray, rate: int, num_frames: int, num_channels: int) -> numpy.ndarray:
    """
    The logarithm of the energy in each band, from 0 (`RANGE` below the loudest, or less) to 1 (the
    loudest), in windows of 25 ms that are spread evenly over the signal: so that every recording
    has as many, whether spoken fast or slowly. Silence is 0, also where there is nothing else.

    # Parameters

    signal : `numpy.ndarray`
        Shape `(num_samples,)`; not empty.
    rate : `int`
        Samples a second.
    num_frames : `int`
    num_channels : `int`
        From 100 Hz to the highest frequency there is.

    # Returns

    `numpy.ndarray`
        Shape `(num_frames, num_channels)`, single precision.

    # Raises

    `ValueError` if there is no sample, or one is no finite number.
    """
    if not len(signal) or not numpy.isfinite(signal).all():
        found = "no sample" if not len(signal) else "a sample that is no finite number"
        raise ValueError(f"The signal has {found}; give the samples of a recording, from -1 to 1.")
    width = int(WINDOW * rate)
    padded = numpy.pad(signal, (0, max(0, width - len(signal))))
    starts = numpy.linspace(0, len(padded) - width, num_frames).astype(int)
    frames = padded[starts[:, None] + numpy.arange(width)] * numpy.hanning(width)
    power = numpy.abs(numpy.fft.rfft(frames, axis=1)) ** 2
    energy = power @ mel_bands(width, rate, num_channels).T
    decibels = 10 * numpy.log10(numpy.maximum(energy, SILENCE))
    heard = numpy.clip(1 + (decibels - decibels.max()) / RANGE, 0, 1)
    return numpy.where(energy > SILENCE, heard, 0).astype(numpy.float32)


def rise_and_fall(features: numpy.ndarray) -> numpy.ndarray:
    """
    What is louder than in the mean over the recording, band by band, and then what is less loud:
    the double of the difference, from 0 to 1, shape `(num_frames, 2 * num_channels)`. The voice and
    the microphone, which color all of a recording, fall out.
    """
    difference = 2 * (features - features.mean(axis=0))
    return numpy.clip(numpy.concatenate([difference, -difference], axis=1), 0, 1)


def mel_bands(width: int, rate: int, num_channels: int) -> numpy.ndarray:
    """Triangles that overlap, `(num_channels, width // 2 + 1)`, over the frequencies of `rfft`."""
    low, high = _mel(100.0), _mel(rate / 2)
    corners = 700 * (10 ** (numpy.linspace(low, high, num_channels + 2) / 2595) - 1)
    # no band so narrow that it falls between two frequencies
    apart = numpy.maximum(numpy.diff(corners), rate / width)
    distance = numpy.fft.rfftfreq(width, 1 / rate) - corners[1:-1, None]
    rising, falling = 1 + distance / apart[:-1, None], 1 - distance / apart[1:, None]
    return numpy.clip(numpy.minimum(rising, falling), 0, None)


def _mel(frequency: float) -> float:
    return 2595 * float(numpy.log10(1 + frequency / 700))
