"""
Data: formats turn text or bytes into records, readers turn records into instances.

To read it, begin with a reader such as `dataset_readers/sdp.py` and follow it downwards:

1. `dataset_readers/sdp.py`: the reader that a config names. It opens a data path (`data_path.py`),
   has a format parse it, and makes an `AnnotatedSentence` of each of the format's records.
2. `formats/sdp.py`: the format, from lines to `SdpSentence`s and back. `formats/__init__.py` says
   what the formats have in common.
3. `dataset_readers/treebank_reader.py`: the options of all readers of treebanks, and the trees and
   graphs that they accept.
4. `dataset_readers/sentence_reader.py`: the base of all readers of sentences. It shares the
   sentences among processes and makes an `Instance` of each.

What cannot be read is a `MalformedInputError` (`errors.py`, with the faults that there are in
`faults.py`), which has the file, the line, the reason and the way out. The formats yield it in the
place of a record; `skipped_report.py` raises it or skips it, as the reader's `on_error` says.

`synthetic` generates data sets that need no file. `data_loaders` and `schedulers` make batches.
"""

from spigot_allennlp.data import data_loaders, dataset_readers, schedulers
