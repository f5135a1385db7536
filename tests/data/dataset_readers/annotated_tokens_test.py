"""A model that learned from an annotation is not left without it in silence."""

import logging

import pytest
from allennlp.data import Vocabulary
from allennlp.data.token_indexers import SingleIdTokenIndexer

from spigot_allennlp.data.dataset_readers.annotated_tokens import learned_layers
from spigot_allennlp.data.dataset_readers.conll import ConllReader
from spigot_allennlp.data.dataset_readers.sst import SstReader

WORDS = ["We", "know", "that", "it", "works"]
TAGS = ["PRP", "VBP", "IN", "PRP", "VBZ"]


def indexers():
    return {
        "words": SingleIdTokenIndexer(namespace="tokens"),
        "lemmas": SingleIdTokenIndexer(namespace="lemmas", feature_name="lemma_"),
        "pos": SingleIdTokenIndexer(namespace="pos", feature_name="pos_"),
    }


@pytest.fixture(params=[ConllReader, SstReader])
def reader(request):
    return request.param(token_indexers=indexers())


def trained(reader, *sentences):
    instances = [reader.text_to_instance(**sentence) for sentence in sentences]
    for instance in instances:
        reader.apply_token_indexers(instance)
    return Vocabulary.from_instances(instances)


def warnings_of(caplog, reader, vocab, *sentences):
    caplog.clear()
    for sentence in sentences:
        instance = reader.text_to_instance(**sentence)
        reader.apply_token_indexers(instance)
        instance.index_fields(vocab)
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


TAGGED = {"words": WORDS, "lemmas": WORDS, "pos": TAGS}
BARE = {"words": WORDS}


def test_what_is_missing_is_said_once_with_the_way_out(reader, caplog):
    vocab = trained(reader, TAGGED)
    missing = warnings_of(caplog, reader, vocab, BARE, {"words": ["Go"]})
    assert len(missing) == 2
    assert "learned from lemmas" in missing[0] and '"lemmas" in the JSON' in missing[0]
    assert "learned from parts of speech" in missing[1] and "We know that it works" in missing[1]
    assert '{"language": "en_core_web_sm"}' in missing[1] and "raw_text.jsonnet" in missing[1]
    assert not warnings_of(caplog, reader, vocab, BARE)


def test_a_model_that_never_had_it_misses_nothing(reader, caplog):
    vocab = trained(reader, BARE)
    assert not warnings_of(caplog, reader, vocab, BARE)
    assert learned_layers(indexers(), vocab) == set()


def test_a_model_that_often_did_without_knows_how(reader, caplog):
    vocab = trained(reader, TAGGED, BARE)
    assert not warnings_of(caplog, reader, vocab, BARE)


def test_a_single_word_without_a_tag_in_training_does_not_count(reader, caplog):
    odd = {**TAGGED, "pos": ["_", *TAGS[1:]], "lemmas": ["_", *WORDS[1:]]}
    vocab = trained(reader, *[TAGGED] * 4, odd)
    assert learned_layers(indexers(), vocab) == {"lemma_", "pos_"}
    assert len(warnings_of(caplog, reader, vocab, BARE)) == 2


def test_an_archive_without_counts_is_judged_by_its_vocabulary(reader, caplog, tmp_path):
    vocab = trained(reader, TAGGED)
    vocab._retained_counter = None
    vocab.save_to_files(str(tmp_path / "vocabulary"))
    loaded = Vocabulary.from_files(str(tmp_path / "vocabulary"))
    assert len(warnings_of(caplog, reader, loaded, BARE)) == 2


def test_tags_of_another_set_are_noticed(reader, caplog):
    vocab = trained(reader, TAGGED)
    universal = {**TAGGED, "pos": ["PRON", "VERB", "SCONJ", "PRON", "VERB"]}
    (message,) = warnings_of(caplog, reader, vocab, universal)
    assert "'PRON', 'VERB'" in message and "'PRP', 'VBP'" in message and "pos_feature" in message
    assert not warnings_of(caplog, reader, vocab, TAGGED)
