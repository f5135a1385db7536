import torch
from allennlp.common import Params
from allennlp.modules.seq2vec_encoders import CnnEncoder
from torch.testing import assert_close

from spigot_allennlp.modules.sentence_classifier import SentenceClassifier

TOKENS = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [9.0, 9.0]]])
MASK = torch.tensor([[True, True, False]])


def test_the_tokens_are_summed_and_padding_is_not():
    classifier = SentenceClassifier(input_dim=2, num_classes=3)
    assert_close(classifier(TOKENS, MASK), classifier._classes(torch.tensor([[4.0, 6.0]])))


def test_pooling_and_hidden_layers_come_by_config():
    params = Params(
        {
            "pooler": {
                "type": "cnn",
                "embedding_dim": 2,
                "num_filters": 4,
                "ngram_filter_sizes": [2],
            },
            "feedforward": {"num_layers": 1, "hidden_dims": 6, "activations": "relu"},
        }
    )
    classifier = SentenceClassifier.from_params(params, input_dim=2, num_classes=3)
    assert isinstance(classifier._pooler, CnnEncoder)
    assert classifier._feedforward.get_input_dim() == 4
    assert classifier(TOKENS, MASK).shape == (1, 3)


def test_dropout_is_off_in_evaluation():
    classifier = SentenceClassifier(input_dim=2, num_classes=3, dropout=0.9).eval()
    assert_close(classifier(TOKENS, MASK), classifier(TOKENS, MASK))
