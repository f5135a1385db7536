"""
Patches for transformers 4.44 and later, 5 included, and for the huggingface_hub that it brings.
"""

import functools
import importlib
import inspect
import sys
from typing import Any, Iterator, Optional

from spigot_allennlp.compat.late_imports import LateModule, imported_late
from spigot_allennlp.compat.patching import patch


@patch(
    "allennlp.training.optimizers",
    since="transformers 4.50: AdamW is gone; and AllenNLP 2.10.1 itself: every command imports "
    "transformers for the bases of two optimizers",
    until="AllenNLP's huggingface_adamw builds on torch's AdamW",
)
def huggingface_optimizers_have_their_bases(module: Any) -> Iterator[None]:
    """Transformers are imported when one of the two optimizers is made."""
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
    Returns a class of optimizers that stands for one of transformers as a base. When a subclass is
    first made, the real class takes its place, or `instead` where there is none.
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
    since="transformers 4.44: no tokenizer is built with `add_special_tokens`; 5: no encode_plus",
    until="AllenNLP passes `add_special_tokens` where it encodes, and there only",
)
def tokenizers_can_be_built_and_called(module: Any) -> Iterator[None]:
    """Wherever AllenNLP encodes, it says again whether it wants special tokens."""
    yield
    get_tokenizer = inspect.unwrap(module.get_tokenizer)

    @functools.wraps(get_tokenizer)
    def without_add_special_tokens(model_name: str, **kwargs: Any) -> Any:
        from transformers import PreTrainedTokenizerBase

        if not hasattr(PreTrainedTokenizerBase, "encode_plus"):
            PreTrainedTokenizerBase.encode_plus = PreTrainedTokenizerBase.__call__  # type: ignore
        try:
            return get_tokenizer(model_name, **kwargs)
        except AttributeError:
            kwargs.pop("add_special_tokens", None)
            return get_tokenizer(model_name, **kwargs)

    module.get_tokenizer = without_add_special_tokens
