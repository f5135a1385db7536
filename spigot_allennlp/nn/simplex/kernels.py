"""
Projected steps on the simplex and the capped simplex, as machine code.

In place of a sort, tau is approached from below: a guess tells which entries lie above it, and if
these were the support, tau would be at least so much; as the guess rises, entries leave, and when
none does, it is tau ([Michelot, 1986](https://doi.org/10.1007/BF00938486)). The first guess is the
largest tau that a single entry would give, which leaves few rounds to go. The arithmetic is in
double precision.
"""

import numpy

from spigot_allennlp.nn.compilation import entry, kernel


@entry
def step_rows(first, last, capped, slack, origin, step, mask, moved):
    """
    Writes the projected steps of the rows from `first` to before `last` into `moved`. All arrays
    have the shape `(rows, size)`; an origin whose sum is one up to `slack` counts as one whose sum
    is one.
    """
    size = origin.shape[1]
    origins, steps, few_origins, few_steps = numpy.empty((4, size))
    for row in range(first, last):
        total, least, clipped = 0.0, numpy.inf, 0.0
        for place in range(size):
            # what is not legal never moves: it is at zero, and its step would lead further down
            legal = mask[row, place]
            origins[place] = origin[row, place] if legal else 0.0
            steps[place] = step[row, place] if legal else numpy.inf
            total += origins[place]
            least = min(least, steps[place])
            clipped += lesser(origins[place], steps[place])
        excess = 0.0 if abs(total - 1) <= slack else total - 1
        tau = 0.0
        if least < numpy.inf and (capped == 0 or clipped < excess):
            for place in range(size):
                steps[place] -= least
            tau = threshold(origins, steps, total, excess, few_origins, few_steps)
        for place in range(size):
            moved[row, place] = lesser(origins[place], steps[place] + tau)


@kernel
def threshold(origins, steps, total, excess, few_origins, few_steps):
    """
    The tau of one row, the least of its steps being zero. The `few`, room to work in, are the
    entries above the last guess.
    """
    tau, above, before = -numpy.inf, 0, 0
    # no entry ends above this, which is one, or one up to the slack
    most = total - excess
    for place in range(len(steps)):
        tau = max(tau, origins[place] - most - steps[place])
    for place in range(len(steps)):
        few_origins[above], few_steps[above] = origins[place], steps[place]
        chosen = steps[place] + tau < origins[place]
        above += chosen
        excess -= 0.0 if chosen else origins[place]
    while above != before:
        before, rest = above, excess
        for place in range(before):
            rest -= few_steps[place]
        tau, above = rest / before, 0
        for place in range(before):
            origin, step = few_origins[place], few_steps[place]
            few_origins[above], few_steps[above] = origin, step
            if step + tau < origin:
                above += 1
            else:
                excess -= origin
    return tau


@kernel
def lesser(one, other):
    """The lesser of two numbers; of a number and what is none, the latter if it is the `other`."""
    return one if one < other else other
