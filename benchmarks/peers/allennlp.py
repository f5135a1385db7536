"""
AllenNLP's decoder of maximum spanning trees, by Chu, Liu and Edmonds; sentence by sentence.

Energies are `[head, dependent]`, and its trees may have several roots. Made so costly that one more
root outweighs any difference between trees, there is one.
"""

import torch
from allennlp.nn.chu_liu_edmonds import decode_mst
from torch import Tensor

from benchmarks.library import Call, Library, arcs_from_heads
from benchmarks.problem import Problem


class AllenNLP(Library):
    distribution = "allennlp"

    def non_projective_argmax(self, problem: Problem) -> Call:
        scores = problem.scores.double()
        scores[:, :, 0] -= 1 + 2 * problem.size.length * float(scores.abs().max())
        energies = [energy.numpy() for energy in scores.transpose(1, 2).contiguous()]
        positions = problem.size.length + 1

        def run() -> list:
            return [decode_mst(energy, positions, has_labels=False)[0] for energy in energies]

        return Call(run, _arcs)


def _arcs(heads: list) -> Tensor:
    stacked = torch.stack([torch.from_numpy(sentence) for sentence in heads])
    return arcs_from_heads(stacked.clamp(min=0))
