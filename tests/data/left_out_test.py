from spigot_allennlp.data.errors import Fault, MalformedInputError
from spigot_allennlp.data.left_out import LeftOut


def test_the_report_counts_each_fault_and_names_the_first_places():
    left_out = LeftOut()
    left_out.add(MalformedInputError("a.sdp", 2, Fault.ROOTS, "roots"))
    for line in (10, 20, 30, 40):
        left_out.add(MalformedInputError("a.sdp", line, Fault.CYCLE, "loop"))
    first, second = left_out.report().splitlines()
    assert len(left_out) == 5
    assert first.startswith(
        "4 x a cycle in the tree (a.sdp:10: loop; a.sdp:20: loop; a.sdp:30: loop; ...). Every"
    )
    assert second.startswith("1 x more than one root in the tree (a.sdp:2: roots). One token")
