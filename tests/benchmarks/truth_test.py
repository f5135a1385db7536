import torch

from benchmarks.problem import Problem, Size, trees
from benchmarks.truth import non_projective_log_partition, non_projective_marginals
from tests.nn.dependency_trees import dependency_trees


def sample(length, scale):
    return trees(Size(2, length), scale, torch.Generator().manual_seed(0))


def enumerate_trees(problem: Problem):
    all_trees = dependency_trees(problem.size.length, projective=False, single_root=True)
    totals = torch.einsum("bij,tij->bt", problem.scores.double(), all_trees)
    marginals = torch.einsum("bt,tij->bij", totals.softmax(dim=1), all_trees)
    return totals.logsumexp(dim=1), marginals


def test_the_truth_is_what_enumeration_finds():
    for length in (1, 2, 4):
        problem = sample(length, scale=3.0)
        totals, marginals = enumerate_trees(problem)
        torch.testing.assert_close(non_projective_log_partition(problem), totals)
        torch.testing.assert_close(non_projective_marginals(problem), marginals)


def test_it_is_so_too_at_scores_that_leave_no_digit_in_double_precision():
    problem = sample(4, scale=1000.0)
    totals, marginals = enumerate_trees(problem)
    torch.testing.assert_close(non_projective_log_partition(problem), totals)
    torch.testing.assert_close(non_projective_marginals(problem), marginals)
