"""
Data: formats turn text or bytes into records, readers turn records into instances.

To read the code, start with a reader such as `dataset_readers/sdp.py` and follow it down:

1. `dataset_readers/sdp.py`: the reader that a config names. It opens a data path (`data_path.py`),
   parses it with a format, and makes an `AnnotatedSentence` from each record of the format.
2. `formats/sdp.py`: the format, from lines to `SdpSentence`s and back. `formats/__init__.py`
   describes what the formats have in common.
3. `dataset_readers/treebank_reader.py`: the options of all treebank readers, and the trees and
   graphs that they accept.
4. `dataset_readers/sentence_reader.py`: the base of all sentence readers. It divides the sentences
   among processes and makes an `Instance` from each.

Input that cannot be read becomes a `MalformedInputError` (`errors.py`; `faults.py` lists the
faults), which has the file, the line, the reason and the way out. The formats yield it in place of
a record; `skipped_report.py` raises or skips it, depending on the reader's `on_error`.

`synthetic` generates data sets without files. `data_loaders` and `schedulers` make batches.
"""

from spigot_allennlp.data import data_loaders, dataset_readers, schedulers
