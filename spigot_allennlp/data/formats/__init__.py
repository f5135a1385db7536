"""
The file formats. Each turns text or bytes into records and, if a test or a command needs it,
records into text.

Text of any format passes through these files:

1. `source.py` opens it as a byte stream, which `compression.py` decompresses while it is read.
2. `lines.py` turns the bytes into numbered lines.
3. `blocks.py` groups lines into sentences for the formats with one token per line (`sdp.py`,
   `conll.py`, and the columns of `sentiment.py`). The other formats have one sentence per line.
4. `sdp.py` and `conll.py` make a record of each sentence with everything in its lines, so that it
   can be written again. A reader turns this into an `AnnotatedSentence`. `sst.py` and
   `sentiment.py` produce `AnnotatedSentence`s directly.

If a part of a file is malformed, a `MalformedInputError` takes the place of its record, so that a
reader can raise it or skip the part. The binary formats (`idx.py`, `events.py`, `recordings.py`)
and the word vectors (`embeddings.py`, the only format that AllenNLP itself asks for) also start
with `source.py`.
"""
