"""
What `std.extVar` of a config gives for a variable that the environment does not set.

AllenNLP hands the environment to Jsonnet, which knows no default for a variable. With these, our
configs train on the data set that we generate, and on the user's own once the environment names it.
"""

import functools
import inspect
from typing import Dict

from allennlp.common import params

DEFAULTS = {
    "SPIGOT_SDP_TRAIN": "synthetic:size=2000,seed=1",
    "SPIGOT_SDP_DEV": "synthetic:size=300,seed=2",
    "SPIGOT_SDP_TEST": "synthetic:size=300,seed=3",
    "SPIGOT_CONLL_TRAIN": "synthetic:size=2000,seed=1",
    "SPIGOT_CONLL_DEV": "synthetic:size=300,seed=2",
    "SPIGOT_SST_TRAIN": "synthetic:size=6000,seed=11",
    "SPIGOT_SST_DEV": "synthetic:size=1000,seed=12",
    "SPIGOT_COPYING_TRAIN": "synthetic:size=20000,seed=1",
    "SPIGOT_COPYING_DEV": "synthetic:size=500,seed=2",
    "SPIGOT_ADDING_TRAIN": "synthetic:size=20000,seed=1",
    "SPIGOT_ADDING_DEV": "synthetic:size=500,seed=2",
    "SPIGOT_IMAGES_TRAIN": "synthetic:size=4000,seed=1",
    "SPIGOT_IMAGES_DEV": "synthetic:size=500,seed=2",
    "SPIGOT_TEXT_TRAIN": "synthetic:size=6000,seed=11",
    "SPIGOT_TEXT_DEV": "synthetic:size=600,seed=12",
    "SPIGOT_MNIST_TRAIN": "synthetic:size=600,seed=1",
    "SPIGOT_MNIST_TEST": "synthetic:size=300,seed=2",
    "SPIGOT_N_MNIST_TRAIN": "synthetic:size=120,seed=1",
    "SPIGOT_N_MNIST_TEST": "synthetic:size=60,seed=2",
    "SPIGOT_SPEECH_TRAIN": "synthetic:size=300,seed=1#low,high",
    "SPIGOT_SPEECH_DEV": "synthetic:size=300,seed=2#low,high",
    "SPIGOT_SPEECH_TEST": "synthetic:size=300,seed=3#middle",
    "SPIGOT_EMBEDDINGS": "",
    "SPIGOT_SST_EMBEDDINGS": "",
    "SPIGOT_ARCHIVE": "",
}


def supply_defaults() -> None:
    """
    Puts the `DEFAULTS` under the environment, for every config that this process reads from now on.
    """
    environment = inspect.unwrap(params._environment_variables)

    @functools.wraps(environment)
    def with_defaults() -> Dict[str, str]:
        return {**DEFAULTS, **environment()}

    params._environment_variables = with_defaults
