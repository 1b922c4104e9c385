"""The region as a whole: what it registers, what it tells its guests, what it exports, what it refuses."""

from pathlib import Path
from typing import Any

import pytest

from components.aws import SovereignRegion, SovereignRegionArgs
from components.errors import InputError
from components.spec import RegionSpec, SpecError
from sandbox.guest.config import WorkloadConfig
from tests.components.aws import region
from tests.components.recorder import Recording
from verifier.config import VerifierConfig

_WITHOUT_TAGS = (
    "Alias", "BucketObjectLockConfiguration", "BucketOwnershipControls", "BucketPolicy", "BucketPublicAccessBlock",
    "BucketServerSideEncryptionConfiguration", "BucketVersioning", "PolicyAttachment", "Record", "RolePolicy",
    "RolePolicyAttachment", "RouteTableAssociation", "TargetGroupAttachment",
)  # fmt: skip
"""Types that AWS gives no tags."""
_GLOBAL = (
    "InstanceProfile",
    "Policy",
    "PolicyAttachment",
    "Record",
    "Role",
    "RolePolicy",
    "RolePolicyAttachment",
    "Zone",
)
"""Types that AWS keeps for the partition, not for a region."""


def test_every_resource_hangs_below_the_region_with_its_tags(ireland: Recording) -> None:
    region_itself, *rest = ireland.registrations
    names = {one.name for one in ireland.registrations}
    assert (region_itself.name, region_itself.parent) == ("aws-ireland", "")
    assert all(one.parent in names for one in rest)
    for one in rest:
        if not one.type.startswith("aws:") or one.type.rpartition(":")[2] in _WITHOUT_TAGS:
            continue
        tags = one.inputs["tags"]
        plain = {tag["key"]: tag["value"] for tag in tags} if isinstance(tags, list) else tags
        assert plain.items() >= region.placement().tag_mapping.items(), one.name


def test_every_regional_resource_names_the_region_itself(ireland: Recording) -> None:
    """A provider that is configured with another region moves nothing."""
    for one in ireland.registrations:
        if one.type.startswith("aws:") and one.type.rpartition(":")[2] not in _GLOBAL:
            assert one.inputs["region"] == "eu-west-1", one.name


def test_guests_understand_what_they_are_told(ireland: Recording) -> None:
    outputs = ireland.outputs["bailiwick-aws-ireland"]
    told = WorkloadConfig.model_validate(region.user_data(ireland["aws-ireland-inference-vm"]))
    assert told.verifier == outputs["verifierUrl"] == "http://verifier.aws-ireland.bailiwick.internal:8443"
    assert told.artefact.account == outputs["modelStore"]["account"]
    member = WorkloadConfig.model_validate(region.user_data(ireland["aws-ireland-batch-template"]))
    assert member.resource == "default/model-key/embedder"


def test_the_verifier_understands_what_it_is_told(ireland: Recording) -> None:
    told = region.user_data(ireland["aws-ireland-verifier-0-vm"])
    required = {name for name, field in VerifierConfig.model_fields.items() if field.is_required()}
    assert required <= told.keys() <= VerifierConfig.model_fields.keys()
    assert [resource["kek"] for resource in told["resources"]] == ["model-embedder", "model-llm"]


def test_outputs_say_what_the_command_line_needs(ireland: Recording) -> None:
    outputs = ireland.outputs["bailiwick-aws-ireland"]
    assert outputs["machines"]["inference"]["name"] == "aws-ireland-inference"
    assert outputs["machines"]["batch"]["count"] == 2
    assert [machine["name"] for machine in outputs["verifierMachines"]] == [
        "aws-ireland-verifier-0",
        "aws-ireland-verifier-1",
    ]
    assert outputs["keys"]["llm"]["name"] == "model-llm"
    assert outputs["vaultUri"] == "https://kms.eu-west-1.amazonaws.com"


def test_the_graph_says_what_leaves_and_whose_law_reaches(ireland: Recording) -> None:
    outputs = ireland.outputs["bailiwick-aws-ireland"]
    assert {edge["name"] for edge in outputs["edgesLeaving"]} == {"AWS IAM", "Amazon Route 53 private zones"}
    assert {edge["carries"] for edge in outputs["edgesLeaving"]} == {"metadata"}
    assert outputs["foreignReach"]


def test_machines_wait_for_the_verifier_and_the_verifier_for_the_trail(ireland: Recording) -> None:
    """A component waits, and so do its children, who are registered below it."""
    assert "aws-ireland-verifier-listener" in ireland["aws-ireland-inference"].depends_on
    assert "aws-ireland-audit-trail" in ireland["aws-ireland-verifier"].depends_on


def test_the_guard_is_left_out_when_the_stack_says_so(reference_values: Path) -> None:
    recording = region.deploy(region.IRELAND, reference_values, residencyGuard=False)
    assert not [one.name for one in recording.registrations if one.name.startswith("aws-ireland-guard")]


def test_without_a_cache_evidence_would_go_to_the_vendor_abroad(reference_values: Path) -> None:
    with pytest.raises(InputError, match="AMD Key Distribution Service is in US"):
        region.deploy(region.IRELAND, reference_values, collateralCache=False)


def test_keys_and_trail_of_a_real_region_are_kept(reference_values: Path) -> None:
    real: dict[str, Any] = {
        "accountId": "123456789012",
        "emulated": False,
        "verifier": region.IRELAND["verifier"] | {"trustAnchors": ["amd", "aws"]},
    }
    recording = region.deploy(region.IRELAND, reference_values, **real)
    kept = {one.name for one in recording.registrations if one.options.get("protect")}
    assert kept == {
        "aws-ireland-keys-model-embedder",
        "aws-ireland-keys-model-llm",
        "aws-ireland-keys-os-disk",
        "aws-ireland-keys-store",
        "aws-ireland-audit-store",
        "aws-ireland-audit-workspace",
    }


def test_a_place_outside_the_jurisdiction_registers_nothing(reference_values: Path) -> None:
    spec = RegionSpec.from_mapping(region.IRELAND, reference_values=reference_values)
    elsewhere = spec.model_copy(update={"jurisdiction": "DE"})
    args = SovereignRegionArgs(spec=elsewhere, reference_values=reference_values)
    with pytest.raises(InputError, match="would leave DE"):
        region.record(lambda: SovereignRegion("aws-ireland", args))


def test_the_sovereign_partition_has_no_confidential_machine(reference_values: Path) -> None:
    changes = {"cloud": "aws-eusc", "location": "eusc-de-east-1", "jurisdiction": "DE"}
    with pytest.raises(SpecError, match=r"eusc-de-east-1"):
        region.deploy(region.IRELAND, reference_values, **changes)
