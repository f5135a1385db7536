"""The regular inflection of English words."""

_VOWELS = "aeiou"


def plural(noun: str) -> str:
    """The regular plural: `critics`, `boxes`, `cities`."""
    return _with_s(noun)


def third_person(verb: str) -> str:
    """The regular third person singular: `praises`, `watches`, `tries`."""
    return _with_s(verb)


def past(verb: str, doubled: bool = False) -> str:
    """The regular past tense: `praised`, `tried`, `watched`; `planned` where `doubled`."""
    if verb.endswith("e"):
        return verb + "d"
    if _ends_in_consonant_y(verb):
        return verb[:-1] + "ied"
    return verb + (verb[-1] if doubled else "") + "ed"


def gerund(verb: str, doubled: bool = False) -> str:
    """The form in `-ing`: `praising`, `seeing`, `watching`; `planning` where `doubled`."""
    if verb.endswith("e") and verb != "be" and not verb.endswith("ee"):
        return verb[:-1] + "ing"
    return verb + (verb[-1] if doubled else "") + "ing"


def _with_s(word: str) -> str:
    if _ends_in_consonant_y(word):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "z", "ch", "sh")) else "s")


def _ends_in_consonant_y(word: str) -> bool:
    return word.endswith("y") and word[-2] not in _VOWELS
