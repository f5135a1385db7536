"""
One sentence for each phenomenon that the grammar has, worked out by hand: its tree, the arcs of its
graph, the word that is the top, and its sentiment from -2 to 2.
"""

from typing import Dict, NamedTuple


class Phenomenon(NamedTuple):
    """What a sentence is expected to mean; see `written_trees.py` for the notation."""

    tree: str
    arcs: str
    top: str
    sentiment: int


PHENOMENA: Dict[str, Phenomenon] = {
    "the subject of an infinitive is the subject of `try`": Phenomenon(
        "The/DT<2:det villain/NN<3:nsubj tried=try/VBD<0:root to/TO<5:aux win/VB<3:xcomp",
        "The-BV->villain tried-ARG1->villain tried-ARG2->win win-ARG1->villain",
        "tried",
        -1,  # It is bad if a villain wins.
    ),
    "the subject of an infinitive is who promises": Phenomenon(
        "The/DT<2:det villain/NN<3:nsubj promised=promise/VBD<0:root the/DT<5:det hero/NN<3:dobj "
        "to/TO<7:aux lose/VB<3:xcomp",
        "The-BV->villain the-BV->hero promised-ARG1->villain promised-ARG2->hero "
        "promised-ARG3->lose lose-ARG1->villain",
        "promised",
        1,
    ),
    "the subject of an infinitive is who is persuaded": Phenomenon(
        "The/DT<2:det villain/NN<3:nsubj persuaded=persuade/VBD<0:root the/DT<5:det "
        "hero/NN<3:dobj to/TO<7:aux lose/VB<3:xcomp",
        "The-BV->villain the-BV->hero persuaded-ARG1->villain persuaded-ARG2->hero "
        "persuaded-ARG3->lose lose-ARG1->hero",
        "persuaded",
        -1,
    ),
    "who is persuaded may be the subject of a passive": Phenomenon(
        "The/DT<2:det hero/NN<4:nsubjpass was=be/VBD<4:auxpass forbidden=forbid/VBN<0:root "
        "to/TO<6:aux lose/VB<4:xcomp",
        "The-BV->hero forbidden-ARG2->hero forbidden-ARG3->lose lose-ARG1->hero",
        "forbidden",
        1,  # To forbid turns round what is forbidden.
    ),
    "a raising verb has no subject in the graph": Phenomenon(
        "The/DT<2:det film/NN<3:nsubj failed=fail/VBD<0:root to/TO<5:aux bore/VB<3:xcomp "
        "the/DT<7:det critic/NN<5:dobj",
        "The-BV->film failed-ARG1->bore bore-ARG1->film bore-ARG2->critic the-BV->critic",
        "failed",
        1,
    ),
    "the subject of a passive is what the act is done to": Phenomenon(
        "The/DT<2:det villain/NN<4:nsubjpass was=be/VBD<4:auxpass rescued=rescue/VBN<0:root "
        "by/IN<4:prep the/DT<7:det hero/NN<5:pobj",
        "The-BV->villain rescued-ARG2->villain rescued-ARG1->hero the-BV->hero",
        "rescued",
        -1,
    ),
    "a relative pronoun stands for the subject": Phenomenon(
        "The/DT<2:det critic/NN<7:nsubj who/WP<4:nsubj hated=hate/VBD<2:rcmod this/DT<6:det "
        "film/NN<4:dobj praised=praise/VBD<0:root the/DT<9:det actor/NN<7:dobj",
        "The-BV->critic hated-ARG1->critic hated-ARG2->film this-BV->film praised-ARG1->critic "
        "praised-ARG2->actor the-BV->actor",
        "praised",
        1,  # What is told by the way does not count.
    ),
    "a missing object is the noun of the relative clause": Phenomenon(
        "She/PRP<2:nsubj watched=watch/VBD<0:root a/DT<4:det film/NN<2:dobj the/DT<6:det "
        "critic/NN<7:nsubj disliked=dislike/VBD<4:rcmod",
        "watched-ARG1->She watched-ARG2->film a-BV->film disliked-ARG1->critic "
        "disliked-ARG2->film the-BV->critic",
        "watched",
        -1,  # To watch is neutral, so the film counts, as others see it.
    ),
    "a missing object may be far down in the relative clause": Phenomenon(
        "She/PRP<2:nsubj bored=bore/VBD<0:root a/DT<4:det man/NN<2:dobj that/WDT<8:rel "
        "the/DT<7:det critic/NN<8:nsubj said=say/VBD<4:rcmod nobody/NN<10:nsubj "
        "enjoyed=enjoy/VBD<8:ccomp",
        "bored-ARG1->She bored-ARG2->man a-BV->man said-ARG1->critic said-ARG2->enjoyed "
        "the-BV->critic enjoyed-ARG1->nobody enjoyed-ARG2->man",
        "bored",
        -1,
    ),
    "a missing subject may be far down in the relative clause": Phenomenon(
        "She/PRP<2:nsubj met=meet/VBD<0:root a/DT<4:det man/NN<2:dobj who/WP<8:rel the/DT<7:det "
        "critic/NN<8:nsubj said=say/VBD<4:rcmod ruined=ruin/VBD<8:ccomp this/DT<11:det "
        "film/NN<9:dobj",
        "met-ARG1->She met-ARG2->man a-BV->man said-ARG1->critic said-ARG2->ruined "
        "the-BV->critic ruined-ARG1->man ruined-ARG2->film this-BV->film",
        "met",
        -1,  # A man who ruins films is seen as bad.
    ),
    "a missing object may be that of an infinitive": Phenomenon(
        "The/DT<2:det song/NN<9:nsubj which/WDT<5:rel she/PRP<5:nsubj asked=ask/VBD<2:rcmod "
        "them=they/PRP<5:dobj to/TO<8:aux praise/VB<5:xcomp charmed=charm/VBD<0:root "
        "him=he/PRP<9:dobj",
        "The-BV->song asked-ARG1->she asked-ARG2->them asked-ARG3->praise praise-ARG1->them "
        "praise-ARG2->song charmed-ARG1->song charmed-ARG2->him",
        "charmed",
        1,
    ),
    "a participle after a noun is about it": Phenomenon(
        "The/DT<2:det film/NN<7:nsubjpass praised=praise/VBN<2:vmod by/IN<3:prep "
        "critics=critic/NNS<4:pobj was=be/VBD<7:auxpass hated=hate/VBN<0:root",
        "The-BV->film praised-ARG2->film praised-ARG1->critics hated-ARG2->film",
        "hated",
        -2,
    ),
    "coordinated verbs share their subject": Phenomenon(
        "The/DT<2:det critic/NN<3:nsubj praised=praise/VBD<0:root a/DT<5:det film/NN<3:dobj "
        "and/CC<3:cc left=leave/VBD<3:conj",
        "The-BV->critic praised-ARG1->critic praised-ARG2->film a-BV->film praised-_and_c->left "
        "left-ARG1->critic",
        "praised",
        1,
    ),
    "coordinated verbs may share their object": Phenomenon(
        "She/PRP<2:nsubj recorded=record/VBD<0:root and/CC<2:cc hated=hate/VBD<2:conj "
        "a/DT<6:det song/NN<2:dobj",
        "recorded-ARG1->She recorded-ARG2->song recorded-_and_c->hated hated-ARG1->She "
        "hated-ARG2->song a-BV->song",
        "recorded",
        -2,
    ),
    "under one auxiliary a negation has scope over both verbs": Phenomenon(
        "She/PRP<4:nsubj did=do/VBD<4:aux not/RB<4:neg mock/VB<0:root him=he/PRP<4:dobj "
        "or/CC<4:cc hate/VB<4:conj the/DT<9:det song/NN<7:dobj",
        "not-neg->mock mock-ARG1->She mock-ARG2->him mock-_or_c->hate not-neg->hate "
        "hate-ARG1->She hate-ARG2->song the-BV->song",
        "mock",
        2,  # Two good things.
    ),
    "a finite second verb is outside the scope of the negation": Phenomenon(
        "She/PRP<4:nsubj did=do/VBD<4:aux not/RB<4:neg mock/VB<0:root him=he/PRP<4:dobj "
        "and/CC<4:cc hated=hate/VBD<4:conj the/DT<9:det song/NN<7:dobj",
        "not-neg->mock mock-ARG1->She mock-ARG2->him mock-_and_c->hated hated-ARG1->She "
        "hated-ARG2->song the-BV->song",
        "mock",
        -1,  # One good, two bad.
    ),
    "an adjective is shared by nouns without words of their own": Phenomenon(
        "They/PRP<2:nsubj watched=watch/VBD<0:root awful/JJ<4:amod films=film/NNS<2:dobj "
        "and/CC<4:cc songs=song/NNS<4:conj",
        "watched-ARG1->They watched-ARG2->films awful-ARG1->films awful-ARG1->songs "
        "films-_and_c->songs",
        "watched",
        -2,
    ),
    "in a list each is tied to the next": Phenomenon(
        "The/DT<2:det song/NN<8:nsubj ,/,<2:punct a/DT<5:det film/NN<2:conj and/CC<2:cc "
        "plays=play/NNS<2:conj annoyed=annoy/VBD<0:root him=he/PRP<8:dobj",
        "The-BV->song a-BV->film song-conj->film film-_and_c->plays annoyed-ARG1->song "
        "annoyed-ARG2->him",
        "annoyed",
        -1,
    ),
    "of two contrasted clauses the second has the word": Phenomenon(
        "The/DT<2:det film/NN<4:nsubj was=be/VBD<4:cop boring/JJ<0:root ,/,<4:punct but/CC<4:cc "
        "she/PRP<8:nsubj loved=love/VBD<4:conj the/DT<10:det music/NN<8:dobj",
        "The-BV->film boring-ARG1->film boring-_but_c->loved loved-ARG1->she loved-ARG2->music "
        "the-BV->music",
        "boring",
        2,
    ),
    "a main clause wins over a concession": Phenomenon(
        "Although/IN<5:mark the/DT<3:det film/NN<5:nsubj was=be/VBD<5:cop superb/JJ<8:advcl "
        ",/,<8:punct she/PRP<8:nsubj disliked=dislike/VBD<0:root him=he/PRP<8:dobj",
        "Although-ARG1->disliked Although-ARG2->superb the-BV->film superb-ARG1->film "
        "disliked-ARG1->she disliked-ARG2->him",
        "disliked",
        -1,
    ),
    "a neutral main clause leaves the word to its cause": Phenomenon(
        "They/PRP<2:nsubj left=leave/VBD<0:root because/IN<6:mark the/DT<5:det film/NN<6:nsubj "
        "bored=bore/VBD<2:advcl him=he/PRP<6:dobj",
        "left-ARG1->They because-ARG1->left because-ARG2->bored the-BV->film bored-ARG1->film "
        "bored-ARG2->him",
        "left",
        -1,
    ),
    "`nobody` turns round what it takes part in": Phenomenon(
        "Nobody/NN<5:nsubj who/WP<3:nsubj left=leave/VBD<1:rcmod quietly/RB<3:advmod "
        "enjoyed=enjoy/VBD<0:root the/DT<7:det film/NN<5:dobj",
        "left-ARG1->Nobody quietly-ARG1->left enjoyed-ARG1->Nobody enjoyed-ARG2->film the-BV->film",
        "enjoyed",
        -1,
    ),
    "`nobody` has no say in the next clause": Phenomenon(
        "Nobody/NN<2:nsubj enjoyed=enjoy/VBD<0:root the/DT<4:det film/NN<2:dobj but/CC<2:cc "
        "she/PRP<7:nsubj loved=love/VBD<2:conj a/DT<9:det song/NN<7:dobj",
        "enjoyed-ARG1->Nobody enjoyed-ARG2->film the-BV->film enjoyed-_but_c->loved "
        "loved-ARG1->she loved-ARG2->song a-BV->song",
        "enjoyed",
        2,
    ),
    "who tries nothing does nothing": Phenomenon(
        "No/DT<2:det critic/NN<3:nsubj tried=try/VBD<0:root to/TO<5:aux ruin/VB<3:xcomp "
        "the/DT<7:det film/NN<5:dobj",
        "No-BV->critic tried-ARG1->critic tried-ARG2->ruin ruin-ARG1->critic ruin-ARG2->film "
        "the-BV->film",
        "tried",
        1,
    ),
    "`no` turns round what its noun takes part in": Phenomenon(
        "No/DT<2:det critic/NN<4:nsubj was=be/VBD<4:cop honest/JJ<0:root",
        "No-BV->critic honest-ARG1->critic",
        "honest",
        -1,
    ),
    "`never` turns round the verb": Phenomenon(
        "She/PRP<3:nsubj never/RB<3:advmod hated=hate/VBD<0:root him=he/PRP<3:dobj "
        "yesterday/RB<3:tmod",
        "never-ARG1->hated hated-ARG1->She hated-ARG2->him yesterday-loc->hated",
        "hated",
        1,  # And weakens it.
    ),
    "to deny turns round the clause": Phenomenon(
        "She/PRP<2:nsubj denied=deny/VBD<0:root that/IN<7:mark the/DT<5:det film/NN<7:nsubj "
        "was=be/VBD<7:cop awful/JJ<2:ccomp",
        "denied-ARG1->She denied-ARG2->awful the-BV->film awful-ARG1->film",
        "denied",
        2,
    ),
    "a copula joins subject and predicate noun": Phenomenon(
        "The/DT<2:det film/NN<6:nsubj was=be/VBD<6:cop not/RB<6:neg a/DT<6:det disaster/NN<0:root",
        "The-BV->film was-ARG1->film was-ARG2->disaster not-neg->was a-BV->disaster",
        "was",
        1,
    ),
    "two objects": Phenomenon(
        "She/PRP<2:nsubj gave=give/VBD<0:root him=he/PRP<2:iobj a/DT<6:det silly/JJ<6:amod "
        "song/NN<2:dobj",
        "gave-ARG1->She gave-ARG2->song gave-ARG3->him a-BV->song silly-ARG1->song",
        "gave",
        -1,
    ),
    "the receiver after `to`": Phenomenon(
        "She/PRP<2:nsubj gave=give/VBD<0:root a/DT<4:det song/NN<2:dobj to/TO<2:prep "
        "him=he/PRP<5:pobj",
        "gave-ARG1->She gave-ARG2->song gave-ARG3->him a-BV->song",
        "gave",
        0,
    ),
    "owners, compounds, apposition": Phenomenon(
        "Anna/NNP<2:nn Corley/NNP<10:nsubj ,/,<2:punct the/DT<5:det critic/NN<8:poss "
        "'s/POS<5:possessive film/NN<8:nn director/NN<2:appos ,/,<2:punct left=leave/VBD<0:root",
        "Anna-compound->Corley the-BV->critic critic-poss->director film-compound->director "
        "Corley-appos->director left-ARG1->Corley",
        "left",
        0,
    ),
    "what follows `of` is an argument of a relational noun": Phenomenon(
        "She/PRP<2:nsubj described=describe/VBD<0:root the/DT<4:det ending/NN<2:dobj of/IN<4:prep "
        "two/CD<7:num films=film/NNS<5:pobj in/IN<7:prep cities=city/NNS<8:pobj",
        "described-ARG1->She described-ARG2->ending the-BV->ending ending-ARG1->films "
        "two-ARG1->films in-ARG1->films in-ARG2->cities",
        "described",
        0,
    ),
    "a purpose is that of the subject": Phenomenon(
        "She/PRP<2:nsubj left=leave/VBD<0:root to/TO<4:aux rescue/VB<2:advcl a/DT<6:det "
        "hero/NN<4:dobj",
        "left-ARG1->She to-ARG1->left to-ARG2->rescue rescue-ARG1->She rescue-ARG2->hero "
        "a-BV->hero",
        "left",
        0,
    ),
    "`without` turns round what it brings": Phenomenon(
        "They/PRP<2:nsubj saw=see/VBD<0:root a/DT<4:det film/NN<2:dobj without/IN<4:prep "
        "flaws=flaw/NNS<5:pobj",
        "saw-ARG1->They saw-ARG2->film a-BV->film without-ARG1->film without-ARG2->flaws",
        "saw",
        1,
    ),
    "to lack what is good is bad": Phenomenon(
        "The/DT<2:det film/NN<3:nsubj lacked=lack/VBD<0:root wit/NN<3:dobj",
        "The-BV->film lacked-ARG1->film lacked-ARG2->wit",
        "lacked",
        -1,
    ),
}
