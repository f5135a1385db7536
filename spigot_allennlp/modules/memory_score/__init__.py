"""How well a stored state fits the present one."""

from spigot_allennlp.modules.memory_score.additive import AdditiveMemoryScore
from spigot_allennlp.modules.memory_score.bilinear import BilinearMemoryScore
from spigot_allennlp.modules.memory_score.memory_score import MemoryScore

__all__ = ["AdditiveMemoryScore", "BilinearMemoryScore", "MemoryScore"]
