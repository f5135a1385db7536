"""
Spoken digits of unseen speakers: compares HM2-BP with a surrogate gradient.

Each speaker of the Free Spoken Digit Dataset is the test speaker once. The network is trained on
four others, and the fifth is used to select settings and epoch.
`python -m studies.speakers prepare ARCHIVE`, then `tune` and `compare` each speaker; `tables`
compares over speakers.
"""
