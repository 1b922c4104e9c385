"""The mappings to published frameworks name what exists, and say what a person must still confirm."""

import pytest

from policies import pack
from policies.controls import controls_of, frameworks
from policies.selection import Selection, UnknownSelection

FRAMEWORKS = {"ai-act", "c5", "ccm", "cis-gcp", "dora", "nis2", "nist", "secnumcloud", "sov"}
RULES = {rule.id for rule in pack.RULES}


def test_every_framework_is_there() -> None:
    assert set(frameworks()) == FRAMEWORKS
    assert list(frameworks()["sov"].requirements) == [f"SOV-{number}" for number in range(1, 9)]


@pytest.mark.parametrize("key", sorted(FRAMEWORKS))
def test_a_mapping_names_rules_of_the_pack_each_once(key: str) -> None:
    for name, requirement in frameworks()[key].requirements.items():
        assert set(requirement.rules) <= RULES, name
        assert len(set(requirement.rules)) == len(requirement.rules), name


def test_only_what_somebody_else_published_counts_as_confirmed() -> None:
    marked = {control.requirement: control.must_be_confirmed for control in controls_of("NET-02")}
    assert marked["SOV-3"]
    assert {control.must_be_confirmed for control in controls_of("CVM-03") if "NIS 2" in control.framework} == {False}


def test_what_infrastructure_cannot_show_has_no_rule() -> None:
    requirements = frameworks()["sov"].requirements
    assert requirements["SOV-1"].rules == requirements["SOV-8"].rules == ()


def test_a_selection_narrows_by_each_kind() -> None:
    assert {rule.id for rule in Selection(themes=("KEY",)).rules()} == {one for one in RULES if one.startswith("KEY-")}
    selected = Selection(frameworks=("ai-act", "dora")).rules()
    assert {"LOG-01", "KEY-06", "CVM-04"} <= {rule.id for rule in selected}
    assert "RES-01" not in {rule.id for rule in selected}
    both = Selection(frameworks=("dora",), severities=("critical",)).rules()
    assert {rule.id for rule in both} <= {rule.id for rule in selected}
    assert {rule.severity.value for rule in both} == {"critical"}
    assert Selection().rules() == pack.RULES


def test_a_jurisdiction_stands_for_what_its_authorities_ask_for() -> None:
    france = {rule.id for rule in Selection(jurisdictions=("FR",)).rules()}
    for key in ("secnumcloud", "dora", "ai-act"):
        assert {rule.id for rule in Selection(frameworks=(key,)).rules()} <= france
    only_german = {rule.id for rule in Selection(frameworks=("c5",)).rules()} - france
    assert only_german <= {rule.id for rule in Selection(jurisdictions=("DE",)).rules()}
    assert {rule.id for rule in Selection(jurisdictions=("US",), frameworks=("dora",)).rules()} < france


@pytest.mark.parametrize(
    ("selection", "says"),
    [
        (Selection(frameworks=("nits",)), "no framework 'nits'; did you mean nist?"),
        (Selection(jurisdictions=("CH",)), "no framework of CH is mapped"),
        (Selection(jurisdictions=("XX",)), "no jurisdiction 'XX'"),
        (Selection(severities=("urgent",)), "no severity 'urgent'"),
        (Selection(themes=("KYE",)), "no theme 'KYE'; did you mean KEY?"),
        (Selection(frameworks=("cis-gcp",), themes=("LOG",)), "no rule is of every selected"),
    ],
)
def test_a_selection_of_nothing_is_refused(selection: Selection, says: str) -> None:
    with pytest.raises(UnknownSelection) as refused:
        selection.rules()
    assert says in str(refused.value)
