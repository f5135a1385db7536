"""What takes seconds to import is imported when it is used, and works then."""

import subprocess
import sys

import pytest

from spigot_allennlp.compat.late_imports import imported_late

HEAVY = (
    *("transformers", "spacy", "nltk", "scipy.stats", "sklearn", "huggingface_hub"),
    *("tensorboardX", "boto3", "botocore", "google.cloud.storage"),
)
USED = """
import sys
import allennlp.commands, torch
imported = [name for name in {heavy} if name in sys.modules]
assert not imported, imported
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

# The rest of what is imported late; each line is one way of use.
ALSO_USED = """
import sys, tempfile
import allennlp.commands, torch
from allennlp.data import Token
from allennlp.data.fields import TextField
try:
    TextField(["a string"], {})
except Exception as error:
    assert "Token" in str(error)
else:
    raise AssertionError
from allennlp.data.tokenizers import sentence_splitter, spacy_tokenizer
assert spacy_tokenizer.spacy.__version__ == sentence_splitter.spacy.__version__ >= "3.0"
import spacy
assert len(TextField(list(spacy.blank("en")("We saw it")), {})) == 3
from allennlp.training.optimizers import HuggingfaceAdafactor, HuggingfaceAdamWOptimizer
assert "transformers" not in sys.modules
import transformers
for kind, base in (
    (HuggingfaceAdafactor, transformers.Adafactor),
    (HuggingfaceAdamWOptimizer, getattr(transformers, "AdamW", torch.optim.AdamW)),
):
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    for _ in range(2):  # the second finds the base in its place
        optimizer = kind([("weight", weight)])
    weight.grad = torch.tensor([0.5, 0.5])
    before = weight.detach().clone()
    optimizer.step()
    assert isinstance(optimizer, base) and (weight < before).all(), kind
    assert optimizer.state_dict()["state"]
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
schedule = LearningRateScheduler.by_name("constant_with_warmup")(optimizer, num_warmup_steps=4)
schedule.step()
assert len(schedule.get_values()) == 1
from allennlp.modules.token_embedders import pretrained_transformer_embedder as embedder
assert isinstance(transformers.XLNetConfig(), embedder.XLNetConfig)
assert not isinstance(transformers.BertConfig(), embedder.XLNetConfig)
from allennlp.training.callbacks import TensorBoardCallback
with tempfile.TemporaryDirectory() as folder:
    TensorBoardCallback(folder)
from cached_path import schemes
assert {"gs", "s3", "r2", "hf", "https"} <= schemes.get_supported_schemes()
class Ours(schemes.S3Client):
    pass
assert Ours.__mro__[1].__module__ == "cached_path.schemes.s3" and Ours.scheme == "s3"
"""


def test_allennlp_starts_without_them_and_has_them_when_it_needs_them():
    code = USED.format(heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_has_a_base_or_a_type_that_is_imported_late_works():
    done = subprocess.run(
        [sys.executable, "-c", ALSO_USED], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_list_of_commands_imports_no_other_package_of_ours():
    code = """
import sys
from allennlp.common.plugins import import_plugins
from allennlp.commands.subcommand import Subcommand
import spigot_allennlp
assert {"ablate", "compare-trees", "generate-treebank", "plot-metrics"} <= set(
    Subcommand.list_available()
)
assert "spigot_allennlp.models" not in sys.modules and "spigot_allennlp.nn" not in sys.modules
from allennlp.models import Model
assert "syntactic_then_semantic" in Model.list_available()
assert "spigot_allennlp.predictors" in sys.modules
imported = [name for name in HEAVY if name in sys.modules]
assert not imported, imported
""".replace("HEAVY", str(HEAVY))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_package_that_is_missing_is_searched_once_for_all_modules_of_a_plugin():
    code = """
import importlib.util, sys
from allennlp.common.util import import_module_and_submodules

class Searches:
    count = 0
    def find_spec(self, name, path=None, target=None):
        Searches.count += name == "checklist"

assert importlib.util.find_spec("checklist") is None
sys.meta_path.insert(0, Searches())
import_module_and_submodules("allennlp.nn")
assert Searches.count == 1 and "checklist" not in sys.modules
assert {"allennlp.nn.regularizers.regularizer", "allennlp.nn.chu_liu_edmonds"} <= set(sys.modules)
sys.modules["checklist"] = there = type(sys)("checklist")
import_module_and_submodules("allennlp.nn")
assert Searches.count == 1 and sys.modules["checklist"] is there
"""
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
