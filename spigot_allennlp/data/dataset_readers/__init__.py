"""
Dataset readers turn records into instances.

Each reader that a config can name has its own file. `treebank_reader.py`, `sentence_reader.py` and
`sequence_reader.py` hold base classes, `data_path.py` interprets data paths, and
`annotated_tokens.py` defines the tokens of a sentence.
"""

from spigot_allennlp.data.dataset_readers.adding import AddingReader
from spigot_allennlp.data.dataset_readers.character_language_model import (
    CharacterLanguageModelReader,
)
from spigot_allennlp.data.dataset_readers.conll import ConllReader
from spigot_allennlp.data.dataset_readers.copying import CopyingReader
from spigot_allennlp.data.dataset_readers.latent_clusters import LatentClustersReader
from spigot_allennlp.data.dataset_readers.long_documents import LongDocumentReader
from spigot_allennlp.data.dataset_readers.mnist import MnistReader
from spigot_allennlp.data.dataset_readers.n_mnist import NMnistReader
from spigot_allennlp.data.dataset_readers.pixel_sequence import PixelSequenceReader
from spigot_allennlp.data.dataset_readers.sdp import SdpReader
from spigot_allennlp.data.dataset_readers.spoken_digits import SpokenDigitsReader
from spigot_allennlp.data.dataset_readers.sst import SstReader
from spigot_allennlp.data.dataset_readers.synthetic_treebank import SyntheticTreebankReader
from spigot_allennlp.data.dataset_readers.treebank_reader import TreebankReader
