"""Floor 6: assembly and loss, nothing else."""

from spigot_allennlp.models.semantic_parser import SemanticParser
from spigot_allennlp.models.syntactic_parser import SyntacticParser
from spigot_allennlp.models.syntactic_then_semantic import SyntacticThenSemantic

__all__ = ["SemanticParser", "SyntacticParser", "SyntacticThenSemantic"]
