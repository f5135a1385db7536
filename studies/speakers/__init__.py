"""
Spoken digits of speakers who were not heard in training: HM2-BP against a surrogate gradient.

Each speaker of the Free Spoken Digit Dataset is tested on once, with a network that was trained on
four others; the fifth chose settings and epoch. `python -m studies.speakers prepare ARCHIVE`, then
`tune` and `compare` each speaker; `tables` compares over speakers.
"""
