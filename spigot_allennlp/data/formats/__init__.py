"""
The file formats: each turns text or bytes into records, and, where a test or a command needs that,
records into text.

A text passes through these files, whatever its format:

1. `source.py` opens it as a stream of bytes, which `compression.py` decompresses as they are read.
2. `lines.py` makes numbered lines of the bytes.
3. `blocks.py` makes sentences of lines that hold one token each (`sdp.py`, `conll.py`, and the
   columns of `sentiment.py`); the other formats have a sentence on each line.
4. `sdp.py` and `conll.py` make a record of each sentence, with all that its lines hold, so that it
   can be written again; a reader makes an `AnnotatedSentence` of it. `sst.py` and `sentiment.py`
   make that themselves.

What is wrong with a part of a file is a `MalformedInputError` in the place of that part's record,
so that a reader can raise it or skip the part. The binary formats (`idx.py`, `events.py`,
`recordings.py`) and the word vectors (`embeddings.py`, which alone reads what AllenNLP asks for)
begin with `source.py`, too.
"""
