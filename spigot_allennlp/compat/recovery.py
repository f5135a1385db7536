"""
Mendings for `allennlp train --recover`, which is at fault on the stack of 2022, too.
"""

import functools
from pathlib import Path
from typing import Any, Dict, Iterator

from spigot_allennlp.compat.mending import mends
from spigot_allennlp.compat.whole_files import holds_json, write


@mends(
    "allennlp.training.moving_average",
    since="AllenNLP 2.10.1 itself: the averages go on with copies of the parameters",
    until="AllenNLP restores the averages, and keeps the parameters",
)
def moving_average_keeps_its_parameters(module: Any) -> Iterator[None]:
    yield

    def load_state_dict(self: Any, state_dict: Dict[str, Any]) -> None:
        for name, shadow in self._shadows.items():
            shadow.copy_(state_dict["shadows"][name])

    module.MovingAverage.load_state_dict = load_state_dict


@mends(
    "allennlp.training.util",
    since="our callback self_contained, which rewrites config.json at the end; and AllenNLP 2.10.1 "
    "itself, which ends in a KeyError where a key of the given config is not in the run's",
    until="AllenNLP compares with the config as it was given, and names the key that is missing",
)
def a_run_is_recovered_by_the_config_as_it_was_given(module: Any) -> Iterator[None]:
    yield
    create = module.create_serialization_dir

    @functools.wraps(create)
    def create_serialization_dir(params: Any, folder: Any, recover: bool, force: bool) -> None:
        as_given = Path(folder, "config_as_given.json")
        if recover and holds_json(as_given):
            write(Path(folder, "config.json"), as_given.read_bytes())
        try:
            create(params, folder, recover, force)
        except KeyError as error:
            raise module.ConfigurationError(
                "Training configuration does not match the configuration we're recovering from: "
                f"the latter has no {error}."
            ) from error

    module.create_serialization_dir = create_serialization_dir
