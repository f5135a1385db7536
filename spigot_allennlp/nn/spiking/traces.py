"""
S-PSPs (see `psp.py`) computed as sums over the spikes of the neurons, as machine code, for neurons
that all inputs reach.

The *trace* `u(a)` of an input is the potential that it creates in the steps before `a` at a neuron
that is never reset: two exponentials, of membrane and synapse, without `factor`. A reset at step r
removes the potential, not the synaptic current. So at a later step t,
`u(t) - exp(-(t - r) / m) * u(r)` is left. The S-PSP is the sum of this over the spikes t of a
neuron, each with the step r when the neuron was last ready. It still includes inputs that left the
window of a spike, mostly as current; these are subtracted.
"""

from typing import NamedTuple

import numpy

from spigot_allennlp.nn.compilation import kernel
from spigot_allennlp.nn.semirings.numbers import BYTES, real
from spigot_allennlp.nn.vectors import load_row, store_row

# The number of vectors of a row that are summed together, and of neurons with sums that are written
# together.
VECTORS, NEURONS = 2, 64


class ScaledRows(NamedTuple):
    """
    Rows of a matrix, and their factors in a sum.

    # Parameters

    rows, factors : `numpy.ndarray`
        Shape `(num_rows,)`.
    """

    rows: numpy.ndarray
    factors: numpy.ndarray


@kernel
def are_ready(fired, refractory):
    """
    Returns whether no neuron spikes before it is ready again. `fired` is a `SpikesBySource`. The
    sums only hold for such spikes.
    """
    for neuron in range(len(fired.starts) - 1):
        for spike in range(fired.starts[neuron] + 1, fired.starts[neuron + 1]):
            if fired.steps[spike] - fired.steps[spike - 1] < refractory:
                return False
    return True


@kernel
def fill_s_psp_by_traces(inputs, active, fired, decays, s_psp):
    """
    Fills the rows of `s_psp`, `(num_inputs, num_neurons)`, for the `active` inputs. `inputs` is a
    `SpikesByStep`, `fired` a `SpikesBySource`.
    """
    steps = len(inputs.starts) - 1
    traces = _traces(inputs, active, decays, s_psp)
    membrane_powers = powers(decays.membrane, steps + 1, s_psp)
    synapse_powers = powers(decays.synapse, steps + 1, s_psp)
    terms = ScaledRows(numpy.empty(4 * steps, numpy.int32), numpy.empty(4 * steps, s_psp.dtype))
    totals = numpy.empty((NEURONS, traces.shape[1]), s_psp.dtype)
    num_neurons = len(fired.starts) - 1
    for first in range(0, num_neurons, NEURONS):
        size = min(NEURONS, num_neurons - first)
        for neuron in range(size):
            start, stop = fired.starts[first + neuron], fired.starts[first + neuron + 1]
            num_terms = _write_terms(
                fired.steps[start:stop], decays, membrane_powers, synapse_powers, terms
            )
            _sum_rows(traces, terms, num_terms, totals, neuron)
        for index in range(len(active)):
            row = s_psp[active[index]]
            for neuron in range(size):
                row[first + neuron] = totals[neuron, index]


@kernel
def powers(base, count, like):
    """Returns the first powers of `base`, computed in double precision, in the type of `like`."""
    result, power = numpy.empty(count, like.dtype), 1.0
    for exponent in range(count):
        result[exponent] = power
        power *= base
    return result


@kernel
def _traces(inputs, active, decays, like):
    """
    Returns the traces of the active inputs in whole vectors: row a holds the potential from
    arrivals before step a, and row `steps + a` the current.
    """
    steps, lanes = len(inputs.starts) - 1, VECTORS * (BYTES // like.itemsize)
    width = (len(active) + lanes - 1) // lanes * lanes
    index_of = numpy.zeros(len(like), numpy.int32)
    for index in range(len(active)):
        index_of[active[index]] = index
    num_currents = max(steps - decays.window + decays.refractory, 0)
    traces = numpy.zeros((steps + num_currents, width), like.dtype)
    membrane, synapse = numpy.zeros(width, like.dtype), numpy.zeros(width, like.dtype)
    for step in range(decays.refractory + 1, steps):
        sent = step - 1 - decays.refractory
        for spike in range(inputs.starts[sent], inputs.starts[sent + 1]):
            index = index_of[inputs.sources[spike]]
            membrane[index] += 1
            synapse[index] += 1
        row = traces[step]
        for index in range(width):
            membrane[index] *= decays.membrane
            synapse[index] *= decays.synapse
            row[index] = membrane[index] - synapse[index]
        if step < num_currents:
            currents = traces[steps + step]
            for index in range(width):
                currents[index] = synapse[index]
    return traces


@kernel
def _write_terms(fired, decays, membrane_powers, synapse_powers, terms):
    """
    Writes the terms of the sum for the S-PSPs of a neuron. Returns the number of terms, which is
    even.
    """
    steps, factor, ready, count = len(membrane_powers) - 1, decays.factor, 1, 0
    negligible = numpy.finfo(terms.factors.dtype).eps / 1000
    for step in fired:
        if step > 0:
            closed = step - decays.window + decays.refractory  # earlier arrivals are left out
            start = max(ready, closed)
            since = step - start
            terms.rows[count], terms.factors[count] = step, factor
            terms.rows[count + 1] = start
            terms.factors[count + 1] = -factor * membrane_powers[since]
            count += 2
            if closed > 0:
                rise = membrane_powers[since] - synapse_powers[since]
                left = factor * rise * synapse_powers[start - closed]
                if left > negligible:
                    terms.rows[count], terms.factors[count] = steps + closed, -left
                    terms.rows[count + 1], terms.factors[count + 1] = 0, 0
                    count += 2
        ready = max(step + decays.refractory, 1)
    return count


@kernel
def _sum_rows(matrix, terms, num_terms, total, row):
    """Writes the sum of the first scaled rows of a matrix, an even number, to a row of `total`."""
    lanes = BYTES // matrix.itemsize
    for first in range(0, matrix.shape[1], VECTORS * lanes):
        second = first + lanes
        a = b = c = d = real(matrix, 0)  # two terms at a time, so sums need not wait
        for term in range(0, num_terms, 2):
            factor, index = real(matrix, terms.factors[term]), terms.rows[term]
            a = a + factor * load_row(matrix, index, first, a)
            b = b + factor * load_row(matrix, index, second, a)
            factor, index = real(matrix, terms.factors[term + 1]), terms.rows[term + 1]
            c = c + factor * load_row(matrix, index, first, a)
            d = d + factor * load_row(matrix, index, second, a)
        store_row(total, row, first, a + c)
        store_row(total, row, second, b + d)
