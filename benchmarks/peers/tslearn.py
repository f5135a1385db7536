"""
tslearn: soft-DTW ([Cuturi & Blondel, 2017](https://arxiv.org/abs/1703.01541)) of one instance at a
time, whose gradient with respect to the costs has the marginals of alignments.
"""

import torch
from torch import Tensor
from tslearn.metrics import SoftDTW

from benchmarks.library import Call, Library
from benchmarks.problem import Problem


class TsLearn(Library):
    distribution = "tslearn"

    def alignment_marginals(self, problem: Problem) -> Call:
        costs = -problem.scores.double().numpy()

        def run() -> Tensor:
            marginals = []
            for matrix in costs:
                alignments = SoftDTW(matrix)
                alignments.compute()
                marginals.append(torch.from_numpy(alignments.grad()))
            return torch.stack(marginals)

        return Call(run)
