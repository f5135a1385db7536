"""
Readers and predictors under mutated input.

The contract: whatever the bytes, the outcome is what the file says, or a `MalformedInputError` with
file, place and reason, or (under `skip` or `report`) the counted loss of just that piece. What a
file says is read once more here, literally and without the readers' code (`literal.py`).

`pytest tests/fuzz` runs a fixed sample; `make fuzz` runs other inputs each time, as many as are
asked for, and prints the table of outcomes.
"""
