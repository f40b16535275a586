"""The generator and the honest requests themselves: that they have what they must have."""

import re
from collections import Counter

from harness import honest, known, spelling
from harness.case import FORM, ODD, OTHER
from harness.cases import KINDS, Generator


def test_the_same_seed_gives_the_same_cases():
    one, same, other = ([case.request("h") for case in Generator(seed).cases(400)] for seed in ("a", "a", "b"))
    assert one == same
    assert len(set(one) & set(other)) < 200


def test_thousands_of_cases_differ():
    cases = [case.request("h") for case in Generator("x").cases(4000)]
    assert len(set(cases)) == len(cases) > 3900
    assert len(spelling.DECORATIONS) * len(spelling.ENCODINGS) > 3000


def test_every_kind_is_drawn_even_of_few():
    kinds = Counter(case.kind for case in Generator("x").cases(60))
    assert set(kinds) == set(KINDS)


def test_known_spoofs_differ():
    assert len(known.GROUPS) == 8 and all(known.GROUPS.values())
    notes = [(case.kind, case.request("h")) for case in known.CASES]
    assert len(set(notes)) == len(notes)


def test_well_formed_cases_are_of_clean_types():
    cases = list(Generator("x").cases(3000))
    assert sum(case.must_pass for case in cases) > 60
    for case in cases:
        if case.must_pass:
            assert case.body_kind not in (ODD, OTHER), case


def test_nearly_all_carry_a_value_of_the_attacker():
    """As it is: some write it in another character set, are compressed, or only try to make the claim unreadable."""
    cases = list(Generator("x").cases(3000))
    written = [case.but(chunks=None).request("h") for case in cases]
    assert sum(b"EVIL" in one or b"%45" in one for one in written) > 0.93 * len(cases)


def test_honest_requests_are_of_many_clients():
    requests = {one.case.request("h") for one in honest.ALL}
    assert len(requests) >= 400
    assert len({one.client for one in honest.ALL}) >= 40
    forms = [one for one in honest.ALL if one.case.body_kind == FORM]
    assert len(forms) >= 300 and len([one for one in forms if one.boundary]) >= 200


def test_honest_requests_name_no_mapped_parameter():
    for one in honest.ALL:
        assert not re.search(rb"name=\"?f?uid\"?[\r;]", one.case.body or b""), one
        assert not re.search(rb"(^|&)f?uid=", one.case.query or b""), one
