"""A pretrained transformer that nobody trained, small enough for tests."""

import string
from pathlib import Path
from typing import Sequence

import torch
from transformers import BertConfig, BertModel, BertTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# Words fall into letters.
LETTERS = [
    *string.printable.split()[0],
    *("##" + letter for letter in string.ascii_lowercase + string.digits),
]


def save_tiny_transformer(folder: Path, pieces: Sequence[str] = LETTERS) -> str:
    """Writes a BERT of two layers with random weights, and returns its folder."""
    vocabulary = [*SPECIAL, *pieces]
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=8,
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    numbers = {piece: number for number, piece in enumerate(vocabulary)}
    BertTokenizer(vocab=numbers).save_pretrained(folder)
    return str(folder)
