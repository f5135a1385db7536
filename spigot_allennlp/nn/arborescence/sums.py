"""
Dependency trees, with or without crossing arcs, compiled: the log-partition, the marginals, and
their derivative, by an elimination without subtractions, in numbers of any kind (see
`nn/semirings/numbers.py`).

Let a walk step from a token to a head, with a probability proportional to the arc's weight, until
it reaches the root. Eliminating a token from the walk adds the paths through it to the direct arcs:
`weight[i, j] += weight[i, token] * weight[token, j] / pivot`, where `pivot` is the sum of the
weights that lead away from `token`. The product of all pivots is the sum over all trees of the
product of their arcs' weights: the determinant of the Laplacian, without ever forming its diagonal.
Nothing is ever subtracted, so every number is accurate to its last digits, however small
([Grassmann et al., 1985](https://doi.org/10.1287/opre.33.5.1107); [Alfa et al.,
2002](https://doi.org/10.1090/S0025-5718-01-01325-4)).

The marginal of an arc is proportional to its weight times the absorption probability of the head:
the probability that a walk from the head reaches the root before the dependent. It follows from an
elimination of all tokens but the dependent. Such eliminations for all tokens cost no more than a
few single ones: split the tokens into halves, eliminate each half in turn for the other, remaining
half, and recurse.

If the root takes exactly one dependent, its arcs count as infinitely small. Pivots leave them out,
and absorption probabilities are counted in that infinitely small unit, which cancels in marginals,
since these are quotients ([Koo et al., 2007](https://aclanthology.org/D07-1015) count the same
trees).

Functions named `fill_...` write into the charts of an `Elimination`, functions named `write_...`
into results.
"""

from typing import NamedTuple

import numpy

from spigot_allennlp.nn.compilation import entry, kernel
from spigot_allennlp.nn.semirings.batching import (
    InstanceGroup,
    fill_score_row,
    longest,
    new_score_row,
)
from spigot_allennlp.nn.semirings.code import MIN_TOTAL
from spigot_allennlp.nn.semirings.numbers import (
    allocate,
    dual,
    exponential,
    extended,
    extended_dual,
    load,
    logarithm,
    real,
    store,
    to_plain,
    tropical,
)


class Elimination(NamedTuple):
    """
    The charts for all eliminations of a group of sentences, in numbers of one kind.

    `size` is the number of positions in the longest sentence, including the root. A *stage* is a
    number of halvings: at stage 0, all tokens remain; at the last stage, one. Arrays of numbers end
    in the dimensions `(parts, lanes)`, which are omitted below.

    # Parameters

    weights : `numpy.ndarray`
        Shape `(num_stages * size, size)`: the weights of the remaining arcs, `[dependent, head]`,
        with the stages below each other; see `stage_weights`.
    transitions : `numpy.ndarray`
        Shape `(size, size)`: the probabilities of a step from an eliminated token, the row, to the
        root and to the tokens that remained then, the columns.
    absorption : `numpy.ndarray`
        Shape `(size, size)`: the probability that a walk from an eliminated token, the column,
        reaches the root before the remaining token, the row. At the end, the marginals of arcs,
        `[dependent, head]`.
    stage_products : `numpy.ndarray`
        Shape `(1, num_stages)`: the product of all pivots up to each stage.
    products : `numpy.ndarray`
        Shape `(1, size)`: the product of the pivots of all other tokens.
    totals : `numpy.ndarray`
        Shape `(1, size)`: the sum over all trees, the same for each token.
    remaining : `numpy.ndarray`
        Shape `(num_stages, 2)`, int64: the range of the tokens that remain at each stage, the
        second excluded.
    eliminated : `numpy.ndarray`
        Shape `(size - 1, 3)`, int64: the fields of `EliminatedToken`s, in the order of elimination.
    """

    weights: numpy.ndarray
    transitions: numpy.ndarray
    absorption: numpy.ndarray
    stage_products: numpy.ndarray
    products: numpy.ndarray
    totals: numpy.ndarray
    remaining: numpy.ndarray
    eliminated: numpy.ndarray


class EliminatedToken(NamedTuple):
    """
    A token, and the tokens that remain after its elimination.

    # Parameters

    token : `int`
    lower, upper : `int`
        The tokens from `lower` to `upper`, the latter excluded, remain.
    """

    token: int
    lower: int
    upper: int


@entry
def log_partition(members, lengths, scores, mask, single_root, totals):
    """
    Writes the log-partition of each sentence, in nats, into `totals`, shape `(batch_size,)`,
    float64: NaN if plain numbers do not suffice.
    """
    group = InstanceGroup(members, lengths, scores, mask, None)
    write_log_partition(group, single_root, totals, real(totals, 0.0), real(totals, 1.0))


@entry
def extended_log_partition(members, lengths, scores, mask, single_root, totals):
    """
    Computes `log_partition` with weights of any size; NaN as in
    `extended_log_partition_and_marginals`.
    """
    group = InstanceGroup(members, lengths, scores, mask, None)
    write_log_partition(group, single_root, totals, extended(totals, 0.0), extended(totals, 1.0))


@entry
def log_partition_and_marginals(members, lengths, scores, mask, single_root, totals, marginals):
    """
    Writes the log-partition of each sentence, in nats, into `totals`, shape `(batch_size,)`,
    float64, and the marginals of its arcs into `marginals`, of the shape of `scores`. A total of
    NaN means that plain numbers do not suffice for either.
    """
    group = InstanceGroup(members, lengths, scores, mask, None)
    write_sums(group, single_root, totals, marginals, real(totals, 0.0), real(totals, 1.0))


@entry
def extended_log_partition_and_marginals(
    members, lengths, scores, mask, single_root, totals, marginals
):
    """
    Computes `log_partition_and_marginals` with weights of any size. A total is NaN if there is no
    tree, or if the root takes one dependent and some pivot, without the arcs from the root, is
    zero.
    """
    group = InstanceGroup(members, lengths, scores, mask, None)
    zero, one = extended(totals, 0.0), extended(totals, 1.0)
    write_sums(group, single_root, totals, marginals, zero, one)


@entry
def marginals_jvp(members, lengths, scores, mask, direction, single_root, totals, result):
    """
    Writes the derivative of the marginals, as the scores move along `direction`, into `result`.
    Both have the shape of `scores`; `totals` as in `log_partition_and_marginals`.
    """
    group = InstanceGroup(members, lengths, scores, mask, direction)
    write_sums(group, single_root, totals, result, dual(totals, 0.0), dual(totals, 1.0))


@entry
def extended_marginals_jvp(members, lengths, scores, mask, direction, single_root, totals, result):
    """Computes `marginals_jvp` with weights of any size."""
    group = InstanceGroup(members, lengths, scores, mask, direction)
    zero, one = extended_dual(totals, 0.0), extended_dual(totals, 1.0)
    write_sums(group, single_root, totals, result, zero, one)


@kernel
def write_sums(group, single_root, totals, result, zero, one):
    """
    Writes the log-partition of each sentence into `totals`, and the marginals into `result` or, for
    numbers with a tangent, their derivative. Computes with numbers of the kind of `zero` and `one`.
    """
    # even an empty sentence has a token: padding
    size = max(longest(group.members, group.lengths), 1) + 1
    elimination = new_elimination(size, zero)
    log_divisor = fill_arc_weights(group, stage_weights(elimination, 0), zero, one)
    fill_charts(elimination, single_root, zero, one)
    log_totals = allocate(log_divisor, 1, 1)
    store(log_totals, 0, 0, logarithm(load(elimination.totals, 0, 1, zero)) * log_divisor)
    write_marginals(group, elimination, log_totals[0, 0, 0], totals, result, zero)


@kernel
def write_log_partition(group, single_root, totals, zero, one):
    """
    Writes the log-partition of each sentence into `totals`. It eliminates all tokens but the first;
    the pivot of the first is then its weight for the root.
    """
    size = max(longest(group.members, group.lengths), 1) + 1
    elimination = new_elimination(size, zero)
    log_divisor = fill_arc_weights(group, stage_weights(elimination, 0), zero, one)
    begin(elimination, one)
    stage = 0
    while elimination.remaining[stage, 1] - elimination.remaining[stage, 0] > 1:
        fill_next_stage(elimination, stage, 1, single_root, one)
        stage += 1
    to_root = load(stage_weights(elimination, stage), 1, 0, one)
    total = load(elimination.stage_products, 0, stage, one) * to_root
    store(elimination.totals, 0, 1, total)
    log_totals = allocate(log_divisor, 1, 1)
    store(log_totals, 0, 0, logarithm(total) * log_divisor)
    for lane, member in enumerate(group.members):
        is_enough = elimination.totals[0, 1, 0, lane] > MIN_TOTAL
        totals[member] = log_totals[0, 0, 0, lane] if is_enough else numpy.nan
        if group.lengths[member] == 0:
            totals[member] = 0.0


@kernel
def begin(elimination, one):
    """Initialises stage 0: all tokens remain, and there are no pivots yet."""
    elimination.remaining[0, 0], elimination.remaining[0, 1] = 1, len(elimination.transitions)
    store(elimination.stage_products, 0, 0, one)


@kernel
def new_elimination(size, zero):
    """Returns uninitialised charts for `size` positions, in numbers of the kind of `zero`."""
    num_stages = count_stages(size - 1)
    return Elimination(
        allocate(zero, num_stages * size, size),
        allocate(zero, size, size),
        allocate(zero, size, size),
        allocate(zero, 1, num_stages),
        allocate(zero, 1, size),
        allocate(zero, 1, size),
        numpy.zeros((num_stages, 2), dtype=numpy.int64),
        numpy.zeros((size - 1, 3), dtype=numpy.int64),
    )


@kernel
def count_stages(num_tokens):
    """Returns the number of stages when tokens are halved until one is left."""
    stages, left = 1, num_tokens
    while left > 1:
        left = (left + 1) // 2
        stages += 1
    return stages


@kernel
def stage_weights(elimination, stage):
    """Returns the weights of one stage, shape `(size, size, parts, lanes)`."""
    size = len(elimination.transitions)
    return elimination.weights[stage * size : (stage + 1) * size]


@kernel
def fill_arc_weights(group, weights, zero, one):
    """
    Writes the weights of the arcs of each sentence into its lane: the exponentials of its scores,
    normalised so that the weights of each dependent sum to one, which changes no probability.
    Returns the logarithm of the divisor of all trees, a tropical number.

    A pivot is then at most one, so a number that is too small for a float64 would have added even
    less to a total. A dependent without a head gets weights of NaN.
    """
    size = len(weights)
    impossible, log_divisor = tropical(weights, -numpy.inf), tropical(weights, 0.0)
    row = new_score_row(weights, size)
    for dependent in range(1, size):
        # padding has one possible head, the position before it
        fill_score_row(group, dependent, dependent, None, dependent - 1, row)
        best, total = impossible, zero
        for head in range(size):
            best = best + load(row.scores, 0, head, best)
        for head in range(size):
            score, tangent = load(row.scores, 0, head, best), load(row.tangents, 0, head, best)
            weight = exponential(score / best, tangent, zero)
            store(weights, dependent, head, weight)
            total = total + weight
        inverse = one / total
        for head in range(size):
            store(weights, dependent, head, load(weights, dependent, head, one) * inverse)
        log_divisor = log_divisor * best * logarithm(total)
    return log_divisor


@kernel
def fill_charts(elimination, single_root, zero, one):
    """
    Fills all charts, from the arc weights at stage 0: `absorption` with the marginals of arcs, and
    `products` and `totals`.
    """
    size, num_stages = len(elimination.transitions), len(elimination.remaining)
    remaining, products = elimination.remaining, elimination.products
    begin(elimination, one)
    for token in range(1, size):
        # the last stage computed for earlier tokens at which this token remains
        stage = 0
        while stage + 1 < num_stages and (
            remaining[stage + 1, 0] <= token < remaining[stage + 1, 1]
        ):
            stage += 1
        # further stages from there, until only this token remains: now all pivots but its own are
        # known
        while remaining[stage, 1] - remaining[stage, 0] > 1:
            fill_next_stage(elimination, stage, token, single_root, one)
            stage += 1
        store(products, 0, token, load(elimination.stage_products, 0, stage, one))
        # a walk from the token itself has already met the token
        store(elimination.absorption, token, token, zero)
        # back through the stages that end with this token, since the next one will overwrite them:
        # tokens eliminated on the way are absorbed through those that remained
        while stage > 0 and token == remaining[stage, 1] - 1:
            fill_absorption(elimination, stage, zero)
            stage -= 1
    # the pivot of a token, if it came last, is the sum over its arcs of weight times absorption;
    # times the pivots of the others, it is the sum over all trees
    weights = stage_weights(elimination, 0)
    for token in range(1, size):
        total = replace_absorption_by_marginals(weights, elimination.absorption, token, one)
        store(elimination.totals, 0, token, load(products, 0, token, one) * total)


@kernel
def fill_next_stage(elimination, stage, token, single_root, like):
    """
    Computes the stage after `stage`: eliminates the half of the remaining tokens that does not
    contain `token`, two at a time if possible, so that one pass over the weights serves both.
    """
    remaining, transitions = elimination.remaining, elimination.transitions
    lower, upper = remaining[stage, 0], remaining[stage, 1]
    middle = (lower + upper) // 2
    keep_lower, keep_upper = (lower, middle) if token < middle else (middle, upper)
    remaining[stage + 1, 0], remaining[stage + 1, 1] = keep_lower, keep_upper
    weights = stage_weights(elimination, stage + 1)
    copy_weights(stage_weights(elimination, stage), weights, lower, upper, like)
    product = load(elimination.stage_products, 0, stage, like)
    # the place of this stage's tokens in the order of elimination
    num_tokens = len(elimination.eliminated)
    index, end = num_tokens - (upper - lower), num_tokens - (keep_upper - keep_lower)
    while index < end:
        first = next_eliminated(lower, upper, keep_upper)
        lower, upper = first.lower, first.upper
        fill_eliminated(elimination, index, first)
        index += 1
        product = product * fill_transitions(weights, transitions, first, single_root, like)
        if (end - index) % 2 == 0:
            for dependent in range(lower, upper):
                eliminate_from_row(weights, transitions, dependent, first.token, first, like)
        else:
            second = next_eliminated(lower, upper, keep_upper)
            lower, upper = second.lower, second.upper
            fill_eliminated(elimination, index, second)
            index += 1
            eliminate_from_row(weights, transitions, second.token, first.token, second, like)
            pivot = fill_transitions(weights, transitions, second, single_root, like)
            product = product * pivot
            for dependent in range(lower, upper):
                eliminate_two_from_row(weights, transitions, dependent, first.token, second, like)
    store(elimination.stage_products, 0, stage + 1, product)


@kernel
def copy_weights(source, target, lower, upper, like):
    """Copies the arcs among the tokens from `lower` to `upper`, and from the root to them."""
    for dependent in range(lower, upper):
        store(target, dependent, 0, load(source, dependent, 0, like))
        for head in range(lower, upper):
            store(target, dependent, head, load(source, dependent, head, like))


@kernel
def next_eliminated(lower, upper, keep_upper):
    """Returns the token from `lower` to `upper` to eliminate next."""
    if upper > keep_upper:
        return EliminatedToken(upper - 1, lower, upper - 1)
    return EliminatedToken(lower, lower + 1, upper)


@kernel
def fill_eliminated(elimination, index, eliminated_token):
    """Records which token was eliminated, and which remained."""
    row = elimination.eliminated[index]
    row[0], row[1] = eliminated_token.token, eliminated_token.lower
    row[2] = eliminated_token.upper


@kernel
def fill_transitions(weights, transitions, eliminated, single_root, one):
    """
    Writes the probabilities of a step from an `EliminatedToken` into its row of `transitions`, and
    returns the pivot.
    """
    token, lower, upper = eliminated.token, eliminated.lower, eliminated.upper
    to_root = load(weights, token, 0, one)
    pivot = load(weights, token, lower, one)
    for head in range(lower + 1, upper):
        pivot = pivot + load(weights, token, head, one)
    if not single_root:
        pivot = pivot + to_root
    inverse = one / pivot
    store(transitions, token, 0, to_root * inverse)
    for head in range(lower, upper):
        store(transitions, token, head, load(weights, token, head, one) * inverse)
    return pivot


@kernel
def eliminate_from_row(weights, transitions, dependent, token, eliminated, like):
    """
    Adds the paths from `dependent` through `token` to its weights for the root and for the tokens
    that remain after an `EliminatedToken`.
    """
    weight = load(weights, dependent, token, like)
    through = weight * load(transitions, token, 0, like)
    store(weights, dependent, 0, load(weights, dependent, 0, like) + through)
    for head in range(eliminated.lower, eliminated.upper):
        through = weight * load(transitions, token, head, like)
        store(weights, dependent, head, load(weights, dependent, head, like) + through)


@kernel
def eliminate_two_from_row(weights, transitions, dependent, first, eliminated, like):
    """
    Does the same for the token `first` and then for `eliminated.token`, in one pass over the row.
    """
    second = eliminated.token
    to_first = load(weights, dependent, first, like)
    to_second = load(weights, dependent, second, like)
    to_second = to_second + to_first * load(transitions, first, second, like)
    through = to_first * load(transitions, first, 0, like)
    through = through + to_second * load(transitions, second, 0, like)
    store(weights, dependent, 0, load(weights, dependent, 0, like) + through)
    for head in range(eliminated.lower, eliminated.upper):
        through = to_first * load(transitions, first, head, like)
        through = through + to_second * load(transitions, second, head, like)
        store(weights, dependent, head, load(weights, dependent, head, like) + through)


@kernel
def fill_absorption(elimination, stage, like):
    """
    Writes, for each token that remains at this stage, the absorption probabilities of the tokens
    that were eliminated to reach the stage, last one first. Groups of four remaining tokens share
    the loads of transitions.
    """
    transitions, absorption = elimination.transitions, elimination.absorption
    remaining, num_tokens = elimination.remaining, len(elimination.eliminated)
    lower, upper = remaining[stage, 0], remaining[stage, 1]
    begin = num_tokens - (remaining[stage - 1, 1] - remaining[stage - 1, 0])
    end = num_tokens - (upper - lower)
    for first in range(lower, upper, 4):
        second, third = min(first + 1, upper - 1), min(first + 2, upper - 1)
        fourth = min(first + 3, upper - 1)
        for index in range(end - 1, begin - 1, -1):
            token = elimination.eliminated[index, 0]
            # absorbed at the first step, or after a step to a token that then remained
            a = load(transitions, token, 0, like)
            b, c, d = a, a, a
            for head in range(elimination.eliminated[index, 1], elimination.eliminated[index, 2]):
                transition = load(transitions, token, head, like)
                a = a + transition * load(absorption, first, head, like)
                b = b + transition * load(absorption, second, head, like)
                c = c + transition * load(absorption, third, head, like)
                d = d + transition * load(absorption, fourth, head, like)
            store(absorption, first, token, a)
            store(absorption, second, token, b)
            store(absorption, third, token, c)
            store(absorption, fourth, token, d)


@kernel
def replace_absorption_by_marginals(weights, absorption, token, one):
    """
    Replaces the absorption probabilities of `token` by the marginals of its arcs, and returns the
    sum that they are divided by.
    """
    total = load(weights, token, 0, one)
    store(absorption, token, 0, total)
    for head in range(1, len(weights)):
        product = load(weights, token, head, one) * load(absorption, token, head, one)
        store(absorption, token, head, product)
        total = total + product
    inverse = one / total
    for head in range(len(weights)):
        store(absorption, token, head, load(absorption, token, head, one) * inverse)
    return total


@kernel
def write_marginals(group, elimination, log_totals, totals, result, like):
    """
    Copies the marginals, or their tangents, from the lane of each sentence into `result`, and
    `log_totals`, shape `(lanes,)`, into `totals`. A total is NaN if it, or a product of pivots, is
    NaN itself, or so small that underflow could have mattered.
    """
    size = len(elimination.transitions)
    row = allocate(to_plain(like), 1, size)
    for lane, member in enumerate(group.members):
        totals[member] = log_totals[lane] if group.lengths[member] > 0 else 0.0
        result[member] = 0
    for token in range(1, size):
        for head in range(size):
            store(row, 0, head, to_plain(load(elimination.absorption, token, head, like)))
        for lane, member in enumerate(group.members):
            length = group.lengths[member]
            if token <= length:
                total = elimination.totals[0, token, 0, lane]
                if not (elimination.products[0, token, 0, lane] > MIN_TOTAL and total > MIN_TOTAL):
                    totals[member] = numpy.nan
                for head in range(length + 1):
                    result[member, token, head] = row[0, head, -1, lane]
