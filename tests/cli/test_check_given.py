"""`bailiwick check --state` and `--preview-json`: files of other engines, some of them written with malice."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pulumi_policy import ReportViolation, ResourceValidationArgs, ResourceValidationPolicy

from cli.given import check_preview, check_state
from policies import examples, pack
from policies.report.model import EXIT_PASS, EXIT_UNUSABLE, EXIT_VIOLATION, StackReport
from policies.rule import ExampleResource
from policies.testing import UNKNOWN

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
COMPLIANT = (examples.PROVIDER, examples.VAULT, examples.VAULT_DOOR, examples.AUDIT_STORE, examples.AUDIT_STREAM)
CONFIG = [f"bailiwick:{key}={value}" for key, value in examples.CONFIG.items()]
RULES = ("RES-01", "RES-02", "RES-03", "KEY-01", "KEY-03", "KEY-06", "LOG-01", "CVM-01", "ATT-01", "RES-11")


def urn(resource: ExampleResource) -> str:
    return f"urn:pulumi:prod::shop::{resource.type}::{resource.name}"


def entries(resources: Sequence[ExampleResource]) -> list[dict[str, Any]]:
    """The resources as a state keeps them."""
    urns = {one.name: urn(one) for one in resources}
    return [
        {
            "urn": urn(one),
            "type": one.type,
            "custom": True,
            "id": one.name,
            "inputs": dict(one.props),
            "outputs": dict(one.props),
            "propertyDependencies": {
                key: [urns[name] for name in names if name in urns] for key, names in one.uses.items()
            },
        }
        for one in resources
    ]


def state(resources: Sequence[ExampleResource] = COMPLIANT) -> dict[str, Any]:
    return {"version": 3, "deployment": {"manifest": {}, "resources": entries(resources)}}


def preview(resources: Sequence[ExampleResource] = COMPLIANT) -> dict[str, Any]:
    steps = [{"op": "create", "urn": entry["urn"], "newState": entry} for entry in entries(resources)]
    return {
        "config": dict(one.split("=", 1) for one in CONFIG),
        "steps": steps,
        "changeSummary": {"create": len(steps)},
    }


@pytest.fixture
def judge(tmp_path: Path) -> Callable[..., StackReport]:
    def run(content: Any, check: Any = check_state, config: Sequence[str] = CONFIG) -> StackReport:
        file = tmp_path / "given.json"
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else json.dumps(content))
        report: StackReport = check(file, None, config, RULES, 60)
        return report

    return run


Judge = Callable[..., StackReport]


def broken(report: StackReport) -> set[str]:
    assert report.error is None
    return {result.rule for result in report.results if result.blocks}


def test_a_compliant_state_passes(judge: Judge) -> None:
    report = judge(state())
    assert broken(report) == set()
    assert report.exit_code == EXIT_PASS
    assert {result.status for result in report.results} == {"pass", "not_applicable"}


def test_the_checkpoint_of_a_file_backend_is_read_too(judge: Judge) -> None:
    checkpoint = {"version": 3, "checkpoint": {"stack": "x", "latest": state()["deployment"]}}
    assert judge(checkpoint).exit_code == EXIT_PASS


def test_a_violation_in_a_state_is_found(judge: Judge) -> None:
    moved = examples.but(examples.VAULT, {"location": "eastus"})
    report = judge(state([moved if one is examples.VAULT else one for one in COMPLIANT]))
    assert broken(report) == {"RES-01"}
    assert report.exit_code == EXIT_VIOLATION


def test_without_a_declaration_nothing_passes(judge: Judge) -> None:
    assert {"RES-01", "RES-02", "RES-03"} <= broken(judge(state(), config=[]))


@pytest.mark.parametrize("hidden", [{**SECRET, "ciphertext": "v1:xyz"}, UNKNOWN])
def test_what_cannot_be_read_does_not_pass(judge: Judge, hidden: object) -> None:
    vault = examples.but(examples.VAULT, {"properties.enablePurgeProtection": hidden})
    report = judge(state([vault if one is examples.VAULT else one for one in COMPLIANT]))
    assert broken(report) == {"KEY-03"}
    assert {result.status for result in report.results if result.blocks} == {"unknown"}


def test_a_secret_with_plaintext_is_judged_and_not_printed(judge: Judge) -> None:
    vault = examples.but(examples.VAULT, {"location": {**SECRET, "plaintext": json.dumps("planted-region")}})
    report = judge(state([vault if one is examples.VAULT else one for one in COMPLIANT]))
    assert broken(report) == {"RES-01"}
    assert not [result for result in report.results if "planted-region" in result.message]


def test_a_preview_brings_its_configuration(judge: Judge) -> None:
    assert judge(preview(), check_preview, []).exit_code == EXIT_PASS


def test_a_preview_is_judged_on_what_will_be(judge: Judge) -> None:
    document = preview()
    old = examples.but(examples.VAULT, {"location": "eastus"})
    document["steps"].append({"op": "delete-replaced", "urn": urn(old), "oldState": entries([old])[0]})
    assert judge(document, check_preview).exit_code == EXIT_PASS


def test_a_preview_without_the_unchanged_resources_is_no_answer(judge: Judge) -> None:
    report = judge({**preview(), "changeSummary": {"create": 5, "same": 3}}, check_preview)
    assert report.exit_code == EXIT_UNUSABLE
    assert "3 unchanged resources are left out: use pulumi preview --json --show-sames" in (report.error or "")


def test_a_preview_that_failed_is_no_answer_though_what_it_has_would_pass(judge: Judge) -> None:
    raised = {"message": "error: Program failed:\nValueError: planted\n", "severity": "error"}
    report = judge({**preview(), "diagnostics": [raised]}, check_preview)
    assert report.exit_code == EXIT_UNUSABLE
    assert "the preview failed, and is not whole: error: Program failed: ValueError: planted" in (report.error or "")
    harmless = {"message": "warning: it is late", "severity": "warning"}
    assert judge({**preview(), "diagnostics": [harmless]}, check_preview).exit_code == EXIT_PASS


OWN, INSTALLED = "project:///stacks/my%20vault.py#12", "project:///../venv/site-packages/pulumi/resource.py#7"


@pytest.mark.parametrize(
    ("stated", "file", "line"),
    [
        ({"sourcePosition": OWN}, "stacks/my vault.py", 12),
        ({"sourcePosition": INSTALLED, "stackTrace": [{}, {"sourcePosition": OWN}]}, "stacks/my vault.py", 12),
        ({"sourcePosition": INSTALLED}, "", 0),
        ({"sourcePosition": "project:///a.py#1::error::"}, "", 0),
        ({"sourcePosition": 7, "stackTrace": "x"}, "", 0),
    ],
)
@pytest.mark.parametrize("check", [check_state, check_preview])
def test_a_finding_is_at_the_line_that_made_the_resource(
    judge: Judge, stated: dict[str, Any], file: str, line: int, check: Any
) -> None:
    made = entries([examples.PROVIDER, examples.but(examples.VAULT, {"location": "eastus"})])
    made[1] |= stated
    steps = [{"op": "create", "newState": entry} for entry in made]
    document = {"version": 3, "deployment": {"resources": made}, "steps": steps}
    (found,) = [one for one in judge(document, check).results if one.rule == "RES-01" and one.blocks]
    assert found.line == line
    assert found.file.endswith(file or "given.json")


def test_the_jurisdiction_graph_of_a_region_is_unknown_to_a_preview(judge: Judge) -> None:
    document = preview()
    kind = "bailiwick:index:AzureSovereignRegion"
    region = {"urn": f"urn:pulumi:prod::shop::{kind}::region", "type": kind, "inputs": {"spec": {}}}
    document["steps"].append({"op": "create", "urn": region["urn"], "newState": region})
    report = judge(document, check_preview)
    assert broken(report) == {"RES-11"}
    assert {result.status for result in report.results if result.blocks} == {"unknown"}


def changed(**changes: Any) -> dict[str, Any]:
    """A state whose first resource has these entries."""
    document = state()
    document["deployment"]["resources"][0] |= changes
    return document


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


VAULT_URN = urn(examples.VAULT)
UNUSABLE: Mapping[str, tuple[Any, str]] = {
    "empty": ("", "is not JSON"),
    "not JSON": ("{", "is not JSON"),
    "not text": (b"\xff\xfe\x00", "is not JSON"),
    "a list": ("[]", "is not an object"),
    "endless nesting": ("[" * 100_000, "nests too deeply"),
    "deep property": (changed(inputs=deep(65)), "nests deeper than 64 levels"),
    "endless number": ('{"version": ' + "9" * 10_000 + "}", "a number is too long"),
    "no number": (changed(inputs={"a": float("nan")}), "a number is too long, or none"),
    "huge number": (changed(inputs={"a": 10**400}), "a number that no property has"),
    "no version": ({"deployment": {}}, "deployment version is not stated"),
    "old version": ({"version": 1, "deployment": {}}, "deployment version is 1, this program reads 3"),
    "new version": ({"version": 4, "deployment": {}}, "deployment version is 4"),
    "a checkpoint of a new version": ({"version": 4, "checkpoint": {"latest": {}}}, "deployment version is 4"),
    "no deployment": ({"version": 3}, "deployment is not an object"),
    "no resources": ({"version": 3, "deployment": {"resources": []}}, "nothing to judge"),
    "resources that are none": ({"version": 3, "deployment": {"resources": [7]}}, "resources[0] is not an object"),
    "no URN": (changed(urn="vault"), "is not a URN"),
    "a URN that is no text": (changed(urn=7), "resources[0].urn is not a string"),
    "another type than the URN's": (changed(type="azure-native:search:Service"), "not that of the URN"),
    "half a surrogate": (changed(inputs={"location": "\ud800"}), "no Unicode"),
    "half a surrogate in a key": (changed(inputs={"\udfff": "x"}), "no Unicode"),
    "half a surrogate in a URN": (changed(urn=f"{urn(examples.PROVIDER)}\ud800"), "no Unicode"),
    "its own parent": (changed(parent=urn(examples.PROVIDER)), "comes before its parent"),
    "a parent that comes later": (changed(parent=VAULT_URN), "comes before its parent"),
    "a dependency on itself": (changed(dependencies=[urn(examples.PROVIDER)]), "depend on each other in a circle"),
    "a circle of dependencies": (
        {
            **state(),
            "deployment": {
                "resources": [
                    {**entry, "propertyDependencies": {"location": [VAULT_URN, urn(examples.AUDIT_STORE)]}}
                    for entry in entries([examples.VAULT, examples.AUDIT_STORE])
                ]
            },
        },
        "depend on each other in a circle",
    ),
    "twice the same": (state([examples.VAULT, examples.VAULT]), "is there twice"),
    "two stacks": (
        changed(urn=urn(examples.PROVIDER).replace("prod", "dev")),
        "holds resources of 2 stacks",
    ),
    "a secret that is no JSON": (changed(inputs={"a": {**SECRET, "plaintext": "{"}}), "a secret that is not JSON"),
}


@pytest.mark.parametrize(("content", "says"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_file_that_has_no_single_meaning_is_never_a_pass(judge: Judge, content: Any, says: str) -> None:
    report = judge(content)
    assert report.exit_code == EXIT_UNUSABLE
    assert says in (report.error or "")
    assert "\n" not in (report.error or "")


def test_a_pack_that_raises_is_no_pass(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: ResourceValidationArgs, __: ReportViolation) -> None:
        raise ValueError("planted")

    pack_of_one = [ResourceValidationPolicy("own-rule", "own rule", broken)]
    monkeypatch.setattr(pack, "build", lambda _: pack_of_one)
    report = judge(state())
    assert report.exit_code == EXIT_UNUSABLE
    assert "policy own-rule failed on urn:pulumi:prod::shop::" in (report.error or "")
    assert "\n" not in (report.error or "")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    report = check_state(tmp_path / "none.json", None, CONFIG, RULES, 60)
    assert report.exit_code == EXIT_UNUSABLE
    assert "No such file" in (report.error or "")


def test_fifty_megabytes_of_one_property_are_judged_like_any_other(judge: Judge) -> None:
    vault = examples.but(examples.VAULT, {"tags": {"note": "x" * 50_000_000}})
    assert judge(state([vault if one is examples.VAULT else one for one in COMPLIANT])).exit_code == EXIT_PASS


def test_a_name_of_odd_characters_stays_one_line(judge: Judge) -> None:
    odd = replace(examples.but(examples.VAULT, {"location": "eastus"}), name="ключ\u202e\n::error::€")
    report = judge(state([examples.PROVIDER, odd]))
    assert "RES-01" in broken(report)
    assert not [result for result in report.results if "\n" in result.message or "\u202e" in result.message]


def test_a_stack_files_secrets_are_not_asked_for_where_no_rule_sees_them(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "given.json").write_text(json.dumps(state()))
    stack = {**examples.CONFIG, "app:password": {"secure": "v1:AAAA:BBBB"}}
    content = {
        "encryptionsalt": "v1:A:B",
        "config": {key if ":" in key else f"bailiwick:{key}": value for key, value in stack.items()},
    }
    stack_file = tmp_path / "Pulumi.prod.yaml"
    stack_file.write_text(json.dumps(content))
    report = check_state(tmp_path / "given.json", stack_file, [], RULES, 60)
    assert report.error is None
    assert report.exit_code == EXIT_PASS


@pytest.mark.parametrize("setting", ["cloud", "cloud=azure", "bailiwick:cloud"])
def test_a_setting_that_is_none(judge: Judge, setting: str) -> None:
    report = judge(state(), config=[setting])
    assert report.exit_code == EXIT_UNUSABLE
    assert "NAMESPACE:KEY=VALUE" in (report.error or "")
