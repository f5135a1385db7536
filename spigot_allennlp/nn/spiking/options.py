"""What HM2-BP does where its equations leave open what to do."""

from typing import NamedTuple


class Options(NamedTuple):
    """
    The defaults are those of the code of [Jin, Zhang & Li (2018)](https://arxiv.org/abs/1805.07866).

    # Parameters

    own_rate : `bool`, optional (default = `True`)
        Whether the gradient of a weight takes into account that the S-PSPs of a neuron grow with
        its own firing count.
    silent_potential : `float`, optional (default = `0.1`)
        What counts as the S-PSP of an input that spikes at a neuron that does not.
    silent_ratio : `float`, optional (default = `0.5`)
        What counts as the quotient of an S-PSP and the firing count, for a neuron that does not
        spike, in the correction for its own rate.
    """

    own_rate: bool = True
    silent_potential: float = 0.1
    silent_ratio: float = 0.5
