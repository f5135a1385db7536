"""Pictures of parses: where things are, that nothing lies over another, and that they are SVG."""

import random
import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.ft2font import FT2Font

from spigot_allennlp.data.annotated_sentence import Arc
from spigot_allennlp.data.synthetic.treebank.treebank import generate_sentences
from spigot_allennlp.parses.layout import Box, LabelledArc, lay_out, text_width
from spigot_allennlp.parses.parse import Graph, Parse, Sentiment, Tree
from spigot_allennlp.parses.svg import Picture, html_page, svg

SVG = "{http://www.w3.org/2000/svg}"


def arcs_of(picture):
    """Returns the classes of the arcs in an SVG, with the text of their labels."""
    groups = [group for group in picture.iter(f"{SVG}g") if "arc" in group.get("class").split()]
    return sorted(
        (group.get("class").split()[1], group.find(f"{SVG}text").text) for group in groups
    )


def test_an_arc_over_two_words_is_where_a_hand_puts_it():
    # A word of two small letters is 2 * 0.65 * 15 wide, the label "x" is 0.65 * 11 + 6.
    layout = lay_out(["aa", "bb"], None, [LabelledArc(2, 1, "x")], [])
    (arc,) = layout.above
    assert [word.center for word in layout.words] == pytest.approx([14 + 9.75, 14 + 47.25])
    assert (arc.start, arc.end) == pytest.approx((61.25, 23.75))
    # From above: margin, half a label, then a level of 22 and the 6 beneath it.
    assert (arc.level, arc.foot) == pytest.approx((14 + 7.5, 14 + 7.5 + 28))
    assert arc.label == pytest.approx(Box(42.5 - 6.575, 14, 13.15, 15))
    assert (layout.width, layout.height) == pytest.approx((14 + 57 + 14, 49.5 + 38 + 14))
    assert layout.below == []


def test_a_graph_hangs_below_as_a_tree_stands_above():
    arcs = [LabelledArc(2, 1, "x")]
    above, below = lay_out(["aa", "bb"], None, arcs, []), lay_out(["aa", "bb"], None, [], arcs)
    (up,), (down,) = above.above, below.below
    assert up.foot - up.level == down.level - down.foot == 28
    assert (up.start, up.end) == (down.start, down.end)
    assert down.foot == 14 + 38


def test_an_arc_is_above_those_within_it_and_ends_at_ports_of_its_own():
    arcs = [LabelledArc(1, 4, "long"), LabelledArc(1, 3, "mid"), LabelledArc(1, 2, "short")]
    layout = lay_out(list("abcd"), None, arcs, [])
    by_label = {drawn.arc.label: drawn for drawn in layout.above}
    levels = [by_label[label].level for label in ("short", "mid", "long")]
    assert levels == sorted(levels, reverse=True) and len(set(levels)) == 3
    # The longest leaves on the left, so that the three do not cross.
    assert by_label["long"].start < by_label["mid"].start < by_label["short"].start
    assert by_label["short"].start - by_label["mid"].start == pytest.approx(9)


def test_arcs_side_by_side_share_a_level():
    layout = lay_out(list("abc"), None, [LabelledArc(1, 2, "x"), LabelledArc(3, 2, "y")], [])
    first, second = layout.above
    assert first.level == second.level and first.end < second.end


def random_arcs(length, number, randomness):
    arcs = {(randomness.randint(0, length), randomness.randint(1, length)) for _ in range(number)}
    labels = ["ARG1", "x", "a very long label", "BV .93", "Bezeichnung", "名詞"]
    return [LabelledArc(head, word, randomness.choice(labels)) for head, word in sorted(arcs)]


@pytest.mark.parametrize("length, number", [(1, 1), (3, 9), (12, 20), (40, 60), (40, 160)])
def test_labels_and_words_never_overlap(length, number):
    randomness = random.Random(length + number)
    words = ["w" * randomness.randint(1, 12) for _ in range(length)]
    above, below = (random_arcs(length, number, randomness) for _ in range(2))
    layout = lay_out(words, ["NN"] * length, above, below, "a caption")
    boxes = [drawn.label for drawn in (*layout.above, *layout.below)]
    boxes += [word.box for word in layout.words]
    assert len(boxes) == len(above) + len(below) + length
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    for box in boxes:
        assert 0 <= box.x and box.x + box.width <= layout.width
        assert 0 <= box.y and box.y + box.height <= layout.height


def test_no_two_ends_of_arcs_are_at_the_same_place():
    arcs = random_arcs(40, 90, random.Random(5))
    layout = lay_out(["w"] * 40, None, [], arcs)
    ends = [drawn.end for drawn in layout.below]
    ends += [drawn.start for drawn in layout.below if drawn.arc.head]
    ends.sort()
    assert min(right - left for left, right in zip(ends, ends[1:], strict=False)) > 8.9


def test_boxes_that_touch_do_not_overlap():
    box = Box(0, 0, 2, 2)
    assert box.overlaps(Box(1, 1, 2, 2)) and not box.overlaps(Box(2, 0, 2, 2))


def test_the_embedded_sentences_are_drawn_with_all_their_arcs():
    for sentence in generate_sentences(20, 1):
        words = sentence.tree.words
        tree = Tree(list(sentence.tree.heads), list(sentence.tree.relations))
        graph = Graph(
            [Arc(*arc) for arc in sorted(sentence.graph.arcs)], sorted(sentence.graph.tops)
        )
        parse = Parse([word.form for word in words], tree, graph)
        picture = ElementTree.fromstring(parse.to_svg())
        kinds = [kind for kind, _ in arcs_of(picture)]
        assert kinds.count("tree") == len(words)
        assert kinds.count("graph") == len(graph.arcs) + len(graph.tops)


def test_whatever_the_text_is_the_picture_is_xml_and_shows_it():
    words = ["<b>", "&amp;", '"', "\x00\x1b", "\ud800", "e\u0301", "]]>"]
    parse = Parse(words, Tree([0, 1, 1, 1, 1, 1, 1], ["<&>"] * 7), pos=["'"] * 7)
    picture = ElementTree.fromstring(parse.to_svg().encode("utf-8"))
    shown = [text.text for text in picture.iter(f"{SVG}text") if text.get("class") == "word"]
    assert shown == ["<b>", "&amp;", '"', "\ufffd\ufffd", "\ufffd", "e\u0301", "]]>"]
    assert arcs_of(picture) == [("tree", "<&>")] * 7


def test_gold_and_predicted_arcs_have_colours_of_their_own():
    gold = Parse(list("abc"), Tree([0, 1, 1], ["root", "x", "y"]), Graph([Arc(1, 2, "R")], [1]))
    parse = Parse(list("abc"), Tree([0, 1, 2], ["root", "z", "y"]), Graph([Arc(1, 2, "R")], [2]))
    assert arcs_of(ElementTree.fromstring(parse.to_svg(gold))) == [
        ("both", "R"),
        ("both", "root"),
        ("gold", "top"),
        ("gold", "x"),
        ("gold", "y"),
        ("predicted", "top"),
        ("predicted", "y"),
        ("predicted", "z"),
    ]
    with pytest.raises(ValueError, match="'a' and 'a b c'"):
        parse.to_svg(Parse(["a"]))


def test_trees_of_which_one_has_no_labels_are_compared_by_heads():
    labelled = Parse(list("abc"), Tree([0, 1, 1], ["root", "x", "y"]))
    bare = Parse(list("abc"), Tree([0, 1, 2], probabilities=[1, 0.5, 0.25]))
    assert arcs_of(ElementTree.fromstring(bare.to_svg(labelled))) == [
        ("both", "root 1.0"),
        ("both", "x .50"),
        ("gold", "y"),
        ("predicted", ".25"),
    ]
    assert arcs_of(ElementTree.fromstring(labelled.to_svg(bare))) == [
        ("both", "root"),
        ("both", "x"),
        ("gold", None),
        ("predicted", "y"),
    ]
    kinds = [kind for kind, _ in arcs_of(ElementTree.fromstring(bare.to_svg(bare)))]
    assert kinds == ["both"] * 3


LETTERS = [
    *(range(0x20, 0x7F), range(0xC0, 0x180), range(0x391, 0x3CA), range(0x410, 0x450)),
    *(range(0x5D0, 0x5EB), range(0x621, 0x64B), range(0x3041, 0x3097)),
]


@pytest.mark.parametrize("letters", LETTERS)
def test_no_letter_is_wider_than_the_layout_takes_it_to_be(letters):
    font = FT2Font(str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")))
    font.set_size(1000, 72)
    for letter in filter(font.get_charmap().get, letters):
        width = font.load_char(letter).linearHoriAdvance / 2**16 / 1000
        assert text_width(chr(letter), 1.0) >= width, chr(letter)


def test_a_layer_that_one_of_the_two_lacks_is_shown_as_it_is():
    tree, graph = Tree([0], ["root"]), Graph([], [1])
    picture = Parse(["a"], tree).to_svg(Parse(["a"], graph=graph))
    assert arcs_of(ElementTree.fromstring(picture)) == [("gold", "top"), ("tree", "root")]


def test_probabilities_stand_beside_the_labels():
    tree = Tree([0, 1], ["root", "dep"], [0.999, 0.125])
    parse = Parse(list("ab"), tree, Graph([Arc(1, 2, "R")], [1], [0.5], [0.07]))
    picture = ElementTree.fromstring(parse.to_svg())
    assert [label for _, label in arcs_of(picture)] == ["R .50", "top .07", "dep .12", "root 1.0"]


def test_a_notebook_shows_the_picture_with_the_sentiment_in_words():
    parse = Parse(
        ["Fine"], graph=Graph([], [1]), sentiment=Sentiment("positive", {"positive": 0.9})
    )
    shown = parse._repr_html_()
    ElementTree.fromstring(shown)
    assert "positive, probability 0.90" in shown and "prefers-color-scheme: dark" in shown


def test_a_page_needs_no_other_file_and_has_the_style_once():
    layout = lay_out(["a"], None, [], [LabelledArc(0, 1, "top")])
    pictures = [Picture(name, "a <b>", svg(layout, with_style=False)) for name in ("1<", "")]
    page = "".join(html_page("Parses & more", pictures, compared=True))
    assert page.count("<svg") == 2 and page.count("<style>") == 1
    assert "1&lt;" in page and "a &lt;b&gt;" in page and "Parses &amp; more" in page
    assert set(re.findall(r"https?://[^\"]*", page)) == {"http://www.w3.org/2000/svg"}
    assert "width=device-width" in page and "predicted alone" in page
    assert "predicted alone" not in "".join(html_page("Parses", pictures))


def test_the_arrow_points_at_the_dependent():
    picture = ElementTree.fromstring(svg(lay_out(["aa", "bb"], None, [LabelledArc(2, 1, "x")], [])))
    (group,) = picture.iter(f"{SVG}g")
    tip = group.find(f"{SVG}polygon").get("points").split()[0]
    assert tip == "23.8,47.5"  # above the middle of the first word, two pixels over its foot
    assert group.find(f"{SVG}path").get("d").startswith("M61.2 49.5 V27.5 Q61.2 21.5 55.2 21.5 H")
    assert group.find(f"{SVG}title").text == "bb → aa: x"
