import pytest
from allennlp.commands.train import train_model, train_model_from_file
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models import Model
from torch.testing import assert_close

from spigot_allennlp.models.pretrained import differing_entries
from tests.models.parsing_model_case import EXPERIMENTS, ParsingModelTestCase


class TestPretrained(ParsingModelTestCase):
    experiment = "syntactic_then_semantic.jsonnet"

    def archived(self, name, **overrides):
        folder = self.TEST_DIR / name
        train_model_from_file(str(EXPERIMENTS / "syntactic_parser.jsonnet"), str(folder), overrides)
        return str(folder / "model.tar.gz")

    def setup_method(self):
        super().setup_method()
        self.archive = self.archived("without_relations", **{"model.relation_scorer": None})

    def train(self, **overrides):
        params = Params.from_file(
            str(EXPERIMENTS / self.experiment),
            {
                "vocabulary": {"type": "extend", "directory": self.archive + "!vocabulary"},
                "train_data_path": "synthetic:size=20,seed=6",
                "model.syntactic_parser": {"type": "pretrained", "archive_file": self.archive},
                "trainer.no_grad": ["syntactic_parser.*"],
                **overrides,
            },
        )
        return train_model(params, str(self.TEST_DIR / "joint"))

    def test_it_starts_from_the_archives_weights_and_can_be_frozen(self):
        model = self.train()
        archived = Model.from_archive(self.archive)
        for (name, ours), theirs in zip(
            model.syntactic_parser.named_parameters(), archived.parameters(), strict=True
        ):
            grown = "embedder" in name  # the new words' rows come after the old ones
            assert_close(ours[: len(theirs)] if grown else ours, theirs)

    def test_words_that_came_in_since_then_start_as_the_unknown_word(self):
        model = self.train()
        size = Model.from_archive(self.archive).vocab.get_vocab_size("tokens")
        vectors = model.syntactic_parser.encoder._embedder.token_embedder_words.weight
        assert len(vectors) == model.vocab.get_vocab_size("tokens") > size
        assert_close(vectors[size:], vectors[1].expand_as(vectors[size:]))

    def test_a_vocabulary_that_numbers_words_otherwise_is_refused_and_the_first_one_named(self):
        with pytest.raises(ConfigurationError) as refused:
            self.train(vocabulary={"type": "from_instances"})
        message = str(refused.value)
        assert "otherwise than this model: entry " in message and "there and" in message
        assert f"directory: '{self.archive}!vocabulary'" in message

    def test_a_file_that_is_not_there_is_named(self):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            archive = {"type": "pretrained", "archive_file": "nowhere/model.tar.gz"}
            self.train(**{"model.syntactic_parser": archive})

    def test_new_entries_that_the_model_would_have_to_score_are_refused_and_named(self):
        self.archive = self.archived("with_relations")
        with pytest.raises(ConfigurationError, match=r"'dependency_relations'.*'nsubjpass'"):
            self.train()


def vocabulary(**namespaces):
    return Vocabulary(tokens_to_add=namespaces)


def test_a_vocabulary_that_has_grown_begins_with_what_it_was():
    archived = vocabulary(tokens=["a", "b"], roles=["x"])
    assert list(differing_entries(archived, archived)) == []
    grown = vocabulary(tokens=["a", "b", "c"], roles=["x"], labels=["0"])
    assert list(differing_entries(archived, grown)) == []


def test_what_is_missing_or_elsewhere_is_named_by_its_archived_place():
    # Places 0 and 1 are padding and the unknown entry.
    archived = vocabulary(tokens=["a", "b"], roles=["x", "y"])
    other = vocabulary(tokens=["b", "a"], roles=["x"])
    assert list(differing_entries(archived, other)) == [("roles", 3), ("tokens", 2), ("tokens", 3)]
