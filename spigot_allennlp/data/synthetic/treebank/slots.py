"""The kinds of noun that fill the slots of predicates and prepositions: selectional preferences."""

from spigot_allennlp.data.synthetic.treebank.draw import weighted

SLOTS = {
    "person": weighted(person=8, hero=1, villain=1),
    "doer": weighted(person=6, hero=1, villain=1),
    "patient": weighted(person=5, work=2, villain=1.7, hero=1.5, success=0.1, disaster=0.2),
    "faring": weighted(person=6, hero=2, villain=2),
    "work": weighted(work=6, part=2, success=0.4, disaster=0.4),
    "theme": weighted(work=6, part=2, person=2, success=0.5, disaster=0.5),
    "quality": weighted(merit=1, flaw=1),
    "verdict": weighted(success=1, disaster=1),
    "part": weighted(part=1),
    "instrument": weighted(instrument=1),
    "manner": weighted(manner=1),
    "place": weighted(place=1),
    "occasion": weighted(occasion=1),
}

#: The slots of subjects that can do something on purpose.
SLOTS_OF_PERSONS = frozenset(("person", "doer", "faring"))
PERSONS = frozenset(("person", "hero", "villain"))
WORKS = frozenset(("work", "success", "disaster", "part"))
#: Kinds without plural and article.
MASS = frozenset(("manner", "merit"))


def adjective_class(kind: str) -> str:
    """The class of adjectives that goes with a kind of noun."""
    if kind in PERSONS:
        return "person"
    return "work" if kind in WORKS else "any"
