"""
Patches for transformers 4.44 and later, including 5, and for the huggingface_hub it depends on.
"""

import functools
import importlib
import inspect
import sys
from typing import Any, Iterator, List, Optional

from spigot_allennlp.compat.late_imports import LateModule, imported_late
from spigot_allennlp.compat.patching import patch


@patch(
    "allennlp.training.optimizers",
    since="transformers 4.50: AdamW is gone; and AllenNLP 2.10.1 itself: every command imports "
    "transformers for the bases of two optimizers",
    until="AllenNLP's huggingface_adamw builds on torch's AdamW",
)
def huggingface_optimizers_have_their_bases(module: Any) -> Iterator[None]:
    """Transformers is imported only when one of the two optimizers is made."""
    import torch

    class AdamW(torch.optim.AdamW):
        def __init__(self, params: Any, correct_bias: bool = True, **kwargs: Any) -> None:
            if not correct_bias:
                raise ValueError("`correct_bias: false` is gone with AdamW of transformers.")
            super().__init__(params, **kwargs)

    with imported_late("transformers"):
        transformers: Any = sys.modules["transformers"]
        if isinstance(transformers, LateModule):
            vars(transformers)["AdamW"] = late_base("AdamW", instead=AdamW)
            vars(transformers)["Adafactor"] = late_base("Adafactor")
        elif not hasattr(transformers, "AdamW"):
            transformers.AdamW = AdamW
        yield


def late_base(name: str, instead: Optional[type] = None) -> type:
    """
    Returns a stand-in for an optimizer class of transformers, to be used as a base. When a subclass
    is first instantiated, the real class replaces the stand-in, or `instead` if there is none.
    """
    import torch

    class LateBase(torch.optim.Optimizer):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            real: Any = getattr(importlib.import_module("transformers"), name, instead)
            for subclass in type(self).__mro__:
                if LateBase in subclass.__bases__:
                    bases = (real if base is LateBase else base for base in subclass.__bases__)
                    subclass.__bases__ = tuple(bases)
            real.__init__(self, *args, **kwargs)

    return LateBase


@patch(
    "allennlp.common.push_to_hf",
    since="huggingface_hub 1.0: HfFolder and Repository, which AllenNLP imports, are gone",
    until="AllenNLP pushes with HfApi",
)
def push_to_hf_can_be_imported(module: Any) -> Iterator[None]:
    import huggingface_hub

    class Gone:
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            raise RuntimeError("allennlp push-to-hf needs huggingface_hub < 1.")

    names = [name for name in ("HfFolder", "Repository") if not hasattr(huggingface_hub, name)]
    for name in names:
        setattr(huggingface_hub, name, Gone)
    try:
        yield
    finally:
        for name in names:
            delattr(huggingface_hub, name)


@patch(
    "allennlp.common.cached_transformers",
    since="transformers 4.44: no tokenizer is built with `add_special_tokens`; 5: no encode_plus, "
    "and of tokenizers in Rust no build_inputs_with_special_tokens",
    until="AllenNLP passes `add_special_tokens` where it encodes, and there only, and puts special "
    "tokens around the segments of a long sentence itself",
)
def tokenizers_can_be_built_and_called(module: Any) -> Iterator[None]:
    """
    Nothing is lost: wherever AllenNLP encodes, it states again whether it wants special tokens.
    """
    yield
    get_tokenizer = inspect.unwrap(module.get_tokenizer)

    @functools.wraps(get_tokenizer)
    def without_add_special_tokens(model_name: str, **kwargs: Any) -> Any:
        from transformers import PreTrainedTokenizerBase

        base: Any = PreTrainedTokenizerBase
        if not hasattr(base, "encode_plus"):
            base.encode_plus = base.__call__
        if not hasattr(base, "build_inputs_with_special_tokens"):
            base.build_inputs_with_special_tokens = between_special_tokens
        try:
            return get_tokenizer(model_name, **kwargs)
        except AttributeError:
            kwargs.pop("add_special_tokens", None)
            return get_tokenizer(model_name, **kwargs)

    module.get_tokenizer = without_add_special_tokens


def between_special_tokens(tokenizer: Any, token_ids_0: List[int]) -> List[int]:
    """
    Returns the ids of a sequence, with the special tokens that `tokenizer` puts around every
    sequence.
    """
    example = tokenizer("a", return_special_tokens_mask=True)
    ids, special = example["input_ids"], example["special_tokens_mask"]
    before, after = special.index(0), special[::-1].index(0)
    return [*ids[:before], *token_ids_0, *ids[len(ids) - after :]]


@patch(
    "allennlp.common.cached_transformers",
    since="transformers 5: weights keep the type that they were saved in, of 16 bits in many "
    "models, and what was loaded is not initialized again, which `reinit_modules` asks for",
    until="AllenNLP asks for 32 bits, and marks what it initializes again",
)
def models_have_32_bits_and_can_be_initialized_again(module: Any) -> Iterator[None]:
    """A dtype that the config asks for (`transformer_kwargs`) is kept."""
    yield
    module.AutoModel = AutoModel32


class AutoModel32:
    """Stands in for `transformers.AutoModel`, with the two methods that AllenNLP calls."""

    @staticmethod
    def from_pretrained(name: str, **options: Any) -> Any:
        from transformers import AutoModel

        model = AutoModel.from_pretrained(name, **options)
        for tensor in (*model.parameters(), *model.buffers()):
            vars(tensor).pop("_is_hf_initialized", None)
        return model if {"dtype", "torch_dtype"} & options.keys() else with_32_bits(model)

    @staticmethod
    def from_config(config: Any) -> Any:
        from transformers import AutoModel

        return with_32_bits(AutoModel.from_config(config))


def with_32_bits(model: Any) -> Any:
    import torch

    return model.float() if model.dtype in (torch.float16, torch.bfloat16) else model


@patch(
    "allennlp.modules.token_embedders.pretrained_transformer_embedder",
    since="transformers 4.11: `gradient_checkpointing` in the config of a model that is there "
    "already changes nothing",
    until="AllenNLP calls gradient_checkpointing_enable",
)
def gradient_checkpointing_takes_effect(module: Any) -> Iterator[None]:
    """Only if the parameters are trained: otherwise there would be no gradient."""
    yield
    embedder = module.PretrainedTransformerEmbedder
    initialize = inspect.unwrap(embedder.__init__)

    @functools.wraps(initialize)
    def with_checkpointing(self: Any, *args: Any, **kwargs: Any) -> None:
        initialize(self, *args, **kwargs)
        if not (kwargs.get("gradient_checkpointing") and self.train_parameters):
            return
        for name in ("activation_checkpointing_enable", "gradient_checkpointing_enable"):
            if hasattr(self.transformer_model, name):
                getattr(self.transformer_model, name)()
                return
        module.logger.warning("gradient_checkpointing has no effect on this sub_module.")

    embedder.__init__ = with_checkpointing
