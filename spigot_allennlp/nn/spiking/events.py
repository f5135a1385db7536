"""The spikes of a sample as a list, for kernels."""

import numpy

from spigot_allennlp.nn.compilation import kernel

BYTES = 8
LAST_BYTE, ONE_BYTE = numpy.uint64(255), numpy.uint64(8)


@kernel
def count_spikes(spikes):
    """How many there are in an array of bytes; up to 255 words of them are added up at a time."""
    flat = spikes.reshape(-1)
    whole = len(flat) // BYTES
    words = flat[: whole * BYTES].view(numpy.uint64)
    total = 0
    for start in range(0, whole, 255):
        columns = numpy.uint64(0)
        for word in words[start : start + 255]:
            columns += word
        for _ in range(BYTES):
            total += numpy.int64(columns & LAST_BYTE)
            columns >>= ONE_BYTE
    for place in range(whole * BYTES, len(flat)):
        total += flat[place]
    return total


@kernel
def list_spikes(spikes, starts, sources):
    """
    Writes the spikes of a sample into `sources`, step by step: those of step t are
    `sources[starts[t]:starts[t + 1]]`. Eight bytes are looked at at a time.

    `spikes` has shape `(steps, num_sources)`, and is zero or one; `starts` has `steps + 1` entries,
    and `sources` enough of them.
    """
    steps, width = spikes.shape
    flat = spikes.reshape(-1)
    whole = len(flat) // BYTES
    words = flat[: whole * BYTES].view(numpy.uint64)
    found, step = 0, 0
    starts[0] = 0
    for word in range(whole + 1):
        if word < whole and words[word] == 0:
            continue
        for place in range(word * BYTES, min((word + 1) * BYTES, len(flat))):
            if flat[place]:
                while place >= (step + 1) * width:
                    step += 1
                    starts[step] = found
                sources[found] = place - step * width
                found += 1
    for rest in range(step + 1, steps + 1):
        starts[rest] = found


@kernel
def list_by_source(starts, sources, num_sources, firsts, times):
    """
    The same spikes source by source: those of source j are at the steps
    `times[firsts[j]:firsts[j + 1]]`. `firsts` has `num_sources + 1` entries.
    """
    firsts[:] = 0
    for spike in range(starts[-1]):
        firsts[sources[spike] + 1] += 1
    for source in range(num_sources):
        firsts[source + 1] += firsts[source]
    nexts = firsts.copy()
    for step in range(len(starts) - 1):
        for spike in range(starts[step], starts[step + 1]):
            source = sources[spike]
            times[nexts[source]] = step
            nexts[source] += 1
