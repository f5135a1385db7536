"""entmax ([Peters et al., 2019](https://arxiv.org/abs/1905.05702)): the sparsemax of rows."""

from entmax import sparsemax

from benchmarks.library import Call, Library
from benchmarks.problem import Problem


class Entmax(Library):
    distribution = "entmax"

    def simplex_projection(self, problem: Problem) -> Call:
        return Call(lambda: sparsemax(problem.scores, dim=-1))
