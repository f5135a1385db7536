from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.annotation_to_sdp import annotation_to_sdp
from spigot_allennlp.data.sdp_format import format_sdp
from spigot_allennlp.data.sdp_layout import SDP_2014

SENTENCE = AnnotatedSentence(
    words=["Anna", "sleeps"], arcs=[(2, 1, "ARG1")], tops=[2], identifier="7"
)


def test_tokens_with_an_arc_are_predicates_and_what_is_not_given_is_an_underscore():
    text = "#7\n1\tAnna\t_\t_\t-\t-\t_\tARG1\n2\tsleeps\t_\t_\t+\t+\t_\t_\n\n"
    assert format_sdp(annotation_to_sdp(SENTENCE)) == text


def test_a_tree_asks_for_the_augmented_form():
    sentence = AnnotatedSentence(
        words=["Anna", "sleeps"],
        lemmas=["Anna", "sleep"],
        tags=["NNP", "VBZ"],
        heads=[2, 0],
        relations=["nsubj", "root"],
    )
    text = "1\tAnna\tAnna\tNNP\t2\tnsubj\t-\t-\n2\tsleeps\tsleep\tVBZ\t0\troot\t-\t-\n\n"
    assert format_sdp(annotation_to_sdp(sentence, SDP_2014)) == text
