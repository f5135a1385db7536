"""What takes seconds to import is imported when it is used, and works then."""

import subprocess
import sys

import pytest

from spigot_allennlp.compat.late_imports import imported_late

HEAVY = ("transformers.models.bert.modeling_bert", "nltk", "scipy.stats", "sklearn")
USED = """
import sys
import allennlp.commands, torch
assert not [name for name in {heavy} if name in sys.modules], sorted(sys.modules)
from allennlp.modules.transformer.activation_layer import ActivationLayer
layer = ActivationLayer(2, 3, "relu")
assert type(layer.act_fn).__name__ == "ReLU"
from allennlp.training.metrics import Auc, SpearmanCorrelation, EvalbBracketingScorer
auc, spearman = Auc(), SpearmanCorrelation()
auc(torch.tensor([0.1, 0.4, 0.35, 0.8]), torch.tensor([0, 0, 1, 1]))
assert abs(auc.get_metric() - 0.75) < 1e-6
spearman(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 3.0, 2.0]))
assert abs(spearman.get_metric() - 0.5) < 1e-6
from allennlp.fairness.bias_mitigators import sklearn
assert sklearn.svm.SVC.__name__ == "SVC"
from allennlp.training.metrics.evalb_bracketing_scorer import Tree
assert Tree.fromstring("(S (N we))").leaves() == ["we"]
import nltk, scipy.stats, transformers.models.bert.modeling_bert as bert
assert Tree.fromstring("(S x)") == nltk.Tree.fromstring("(S x)")
assert callable(scipy.stats.spearmanr) and bert.BertModel.__name__ == "BertModel"
"""


def test_allennlp_starts_without_them_and_has_them_when_it_needs_them():
    code = USED.format(heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_stand_in_is_gone_from_the_modules_afterwards_even_after_an_error():
    with pytest.raises(ZeroDivisionError), imported_late("colorsys", "no_such_module"):
        import no_such_module  # type: ignore[import-not-found]

        raise ZeroDivisionError
    assert "no_such_module" not in sys.modules
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        print(no_such_module.anything)


def test_a_module_that_is_there_is_left_alone():
    with imported_late("sys"):
        import sys as imported
    assert imported is sys
