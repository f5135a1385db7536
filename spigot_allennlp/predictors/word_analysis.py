"""Turns text or bare words into words with lemmas and parts of speech, as far as known."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Union

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data.tokenizers import SpacyTokenizer, Token, Tokenizer

from spigot_allennlp.config_checks import check_choice
from spigot_allennlp.data.annotated_sentence import AnnotatedSentence

OFFLINE_LANGUAGE = "blank:en"
FEATURES = ("pos_", "tag_")


class WordAnalysis:
    """
    Tokenizes text, and adds lemma and part of speech to words, from spaCy's pipeline if it provides
    them. Otherwise the lemma is the lower-cased word, and the part of speech is `_`, which means
    "not given" in every treebank format.

    # Parameters

    language : `str`, optional (default = `None`)
        An installed spaCy pipeline, such as `"en_core_web_sm"`, or a blank one, such as
        `"blank:de"`. Nothing is downloaded. Without it and without a `tokenizer`, it is
        `"blank:en"`: rules for English, and no tagger.
    tokenizer : `Union[Tokenizer, Dict[str, Any], str]`, optional (default = `None`)
        Any other tokenizer, its parameters or its registered name.
    pos_feature : `str`, optional (default = `"tag_"`)
        Which tag of a token becomes `pos`: `"tag_"` (in spaCy the fine-grained tag, for English
        that of the Penn Treebank, as in SDP files) or `"pos_"` (the universal tag, as in CoNLL-U).
    """

    def __init__(
        self,
        language: Optional[str] = None,
        tokenizer: Optional[Union[Tokenizer, Dict[str, Any], str]] = None,
        pos_feature: str = "tag_",
    ) -> None:
        check_choice("pos_feature", pos_feature, FEATURES)
        if language is not None and tokenizer is not None:
            raise ConfigurationError(
                f"language {language!r} and tokenizer {tokenizer!r} are both given. Leave one out: "
                "a language is a spaCy pipeline, which tokenizes."
            )
        self._pos_feature = pos_feature
        if tokenizer is None:
            self._tokenizer = _spacy(language or OFFLINE_LANGUAGE)
        else:
            self._tokenizer = _tokenizer(tokenizer)
        # Whether the pipeline has produced any lemma so far.
        self.has_lemmas = False

    def of_text(self, text: str) -> AnnotatedSentence:
        """Returns the words of a sentence of raw text."""
        return self._annotated(self._tokenizer.tokenize(text))

    def of_words(self, words: List[str]) -> AnnotatedSentence:
        """Returns the same words, with the pipeline's annotation."""
        if isinstance(self._tokenizer, SpacyTokenizer):
            from spacy.tokens import Doc

            pipeline = self._tokenizer.spacy
            return self._annotated(list(pipeline(Doc(pipeline.vocab, words=words))))
        return self._annotated([Token(text=word) for word in words])

    def _annotated(self, tokens: List[Any]) -> AnnotatedSentence:
        self.has_lemmas = self.has_lemmas or any(token.lemma_ for token in tokens)
        return AnnotatedSentence(
            words=[token.text for token in tokens],
            lemmas=[token.lemma_ or token.text.lower() for token in tokens],
            pos=[getattr(token, self._pos_feature) or "_" for token in tokens],
            tags=[token.tag_ or "_" for token in tokens],
        )


def _tokenizer(tokenizer: Union[Tokenizer, Dict[str, Any], str]) -> Tokenizer:
    if isinstance(tokenizer, Tokenizer):
        return tokenizer
    return Tokenizer.from_params(
        Params({"type": tokenizer} if isinstance(tokenizer, str) else dict(tokenizer))
    )


def _spacy(language: str) -> Tokenizer:
    """Returns a tokenizer; AllenNLP's own code would try to download missing pipelines."""
    import spacy  # a slow import, which training does not need

    is_there = spacy.util.is_package(language) or Path(language).exists()
    if not language.startswith("blank:") and not is_there:
        raise ConfigurationError(
            f"The spaCy pipeline {language!r} is not installed. Install it (python -m spacy "
            f"download {language}), or choose a blank one, such as {OFFLINE_LANGUAGE!r}, which "
            "tokenizes but does not tag."
        )
    return SpacyTokenizer(language=language)
