"""
Callbacks of the trainer: resumable runs, warnings of divergence, archives that need nothing else,
averages of the last epochs.
"""

from spigot_allennlp.callbacks.boosting import Boosting
from spigot_allennlp.callbacks.divergence import Divergence
from spigot_allennlp.callbacks.last_epochs import LastEpochs
from spigot_allennlp.callbacks.resumable import Resumable
from spigot_allennlp.callbacks.self_contained import SelfContained

__all__ = ["Boosting", "Divergence", "LastEpochs", "Resumable", "SelfContained"]
