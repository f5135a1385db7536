import logging

import pytest

from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.skipped_report import SkippedReport


def test_the_report_counts_each_fault_and_names_the_first_places():
    skipped = SkippedReport()
    skipped.add(MalformedInputError("a.sdp", 2, Fault.ROOTS, "roots"))
    for line in (10, 20, 30, 40):
        skipped.add(MalformedInputError("a.sdp", line, Fault.CYCLE, "loop"))
    first, second = skipped.report().splitlines()
    assert len(skipped) == 5
    assert first.startswith(
        "4 x a cycle in the tree (a.sdp:10: loop; a.sdp:20: loop; a.sdp:30: loop; ...). Every"
    )
    assert second.startswith("1 x more than one root in the tree (a.sdp:2: roots). One token")


@pytest.mark.parametrize(
    "kept, level, share",
    [
        (97, logging.WARNING, "That is 3.0 % of the 100 sentences."),
        (
            9,
            logging.ERROR,
            "WARNING: That is 25.0 % of the 12 sentences: MUCH of the data",
        ),
    ],
)
def test_the_summary_has_the_share_and_is_an_error_where_much_is_missing(kept, level, share):
    skipped = SkippedReport()
    for line in range(3):
        skipped.add(MalformedInputError("a.sdp", line + 1, Fault.NON_PROJECTIVE, "arc"))
    skipped.kept = kept
    first, _, last = skipped.summary("a.sdp").splitlines()
    assert first == "3 sentences of a.sdp were left out:"
    assert skipped.level == level and last.startswith(share)
