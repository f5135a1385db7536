"""Tests what a cell has become, instance by instance."""

import logging
from typing import Any, Dict, Optional

from spigot_allennlp.ablation.cell import INSTANCES, RUN, Cell
from spigot_allennlp.compat.whole_files import replacing

logger = logging.getLogger(__name__)


def test(cell: Cell) -> Dict[str, Any]:
    """Tests the best weights, and keeps what each instance adds to the figures."""
    import numpy
    from allennlp.common import Params
    from allennlp.common.util import prepare_environment
    from allennlp.models.archival import load_archive

    from spigot_allennlp.ablation.held_out_scores import instances_of, score

    data, key = cell.data
    if data is None:
        return {"data": None, "key": "", "instances": 0, "figures": {}, "sources": {}}
    archive = load_archive(str(cell.folder / RUN), cuda_device=_device(cell.config))
    prepare_environment(Params(cell.config).duplicate())
    scores = score(archive.model, instances_of(archive.validation_dataset_reader, data))
    arrays: Dict[str, Any] = {f"counts {place}": one for place, one in scores.counts.items()}
    arrays.update({f"values {name}": one for name, one in scores.values.items()})
    with replacing(cell.folder / INSTANCES) as new, open(new, "wb") as file:
        numpy.savez_compressed(file, **arrays)
    number = max(map(len, [*scores.counts.values(), *scores.values.values()]), default=0)
    found = {"figures": scores.figures, "sources": scores.sources}
    return {"data": data, "key": key, "instances": number, **found}


def can_be_loaded(cell: Cell) -> bool:
    """Whether nothing is damaged of what `test` needs of a trained cell."""
    from allennlp.models.archival import load_archive

    try:
        load_archive(str(cell.folder / RUN))
    except Exception:
        logger.warning("%s cannot be loaded.", cell.folder / RUN, exc_info=True)
        return False
    return True


def _device(config: Dict[str, Any]) -> int:
    """The trainer's own: the first GPU, if there is one and the config names none."""
    import torch

    device: Optional[int] = config.get("trainer", {}).get("cuda_device")
    if device is None:
        return 0 if torch.cuda.is_available() else -1
    return device
