"""
Patches for transformers 4.44 and later, 5 included, and for the huggingface_hub that it brings.
"""

import functools
import inspect
from typing import Any, Iterator

from spigot_allennlp.compat.patching import patch


@patch(
    "allennlp.training.optimizers",
    since="transformers 4.50: AdamW is gone",
    until="AllenNLP's huggingface_adamw builds on torch's AdamW",
)
def huggingface_adamw_has_a_base(module: Any) -> Iterator[None]:
    import torch
    import transformers

    class AdamW(torch.optim.AdamW):
        def __init__(self, params: Any, correct_bias: bool = True, **kwargs: Any) -> None:
            if not correct_bias:
                raise ValueError("`correct_bias: false` is gone with AdamW of transformers.")
            super().__init__(params, **kwargs)

    if not hasattr(transformers, "AdamW"):
        transformers.AdamW = AdamW  # type: ignore[attr-defined]
    yield


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
    from transformers import PreTrainedTokenizerBase

    get_tokenizer = inspect.unwrap(module.get_tokenizer)

    @functools.wraps(get_tokenizer)
    def without_add_special_tokens(model_name: str, **kwargs: Any) -> PreTrainedTokenizerBase:
        try:
            return get_tokenizer(model_name, **kwargs)
        except AttributeError:
            kwargs.pop("add_special_tokens", None)
            return get_tokenizer(model_name, **kwargs)

    module.get_tokenizer = without_add_special_tokens
    if not hasattr(PreTrainedTokenizerBase, "encode_plus"):
        PreTrainedTokenizerBase.encode_plus = PreTrainedTokenizerBase.__call__  # type: ignore
