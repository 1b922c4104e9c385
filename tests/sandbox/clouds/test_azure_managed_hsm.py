"""Managed HSMs of the emulated Azure: activation, local roles and keys, through Microsoft's own SDK."""

import base64
import datetime
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from sandbox.clouds.azure import AzureCloud
from sandbox.clouds.azure.hsm_errors import HsmRefusal
from sandbox.provider import ProviderError
from tests.sandbox.clouds.hsm import URI, Inside, assignment, key, releasable, role, urn
from tests.sandbox.clouds.region import Bench


def certificate(name: str, private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    """A self-signed certificate of an officer, as `x5c` has it."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(private, hashes.SHA256())
    )
    return base64.b64encode(made.public_bytes(Encoding.DER)).decode()


@pytest.fixture(scope="session")
def officers() -> list[str]:
    private = rsa.generate_private_key(65537, 2048)
    return [certificate(f"officer {number}", private) for number in range(3)]


@pytest.fixture
def inside(bench: Bench) -> Inside:
    return Inside(bench)


@pytest.fixture
def active(inside: Inside, officers: list[str]) -> Inside:
    """An HSM that is active, in which whoever deploys manages keys."""
    inside.build()
    inside.activate(officers)
    inside.manage()
    return inside


def test_the_life_of_a_key(active: Inside, bench: Bench) -> None:
    wanted = key(rotationPolicy={"lifetimeActions": [rotation("P60D")]}, attributes={"enabled": True})
    made = active.create("ManagedHsmKey", wanted)
    assert made.id == f"{URI}keys/model-llm"
    assert made.outputs["keyUriWithVersion"].startswith(f"{made.id}/")
    assert active.bench.hardware.keys == [("hsm-test-1", "model-llm")]
    live = active.provider.read(urn("ManagedHsmKey"), made.id, made.outputs)
    assert live is not None
    assert live.inputs["properties"] == wanted["properties"] | {"attributes": {"enabled": True, "exportable": False}}
    assert not active.provider.diff(urn("ManagedHsmKey"), made.id, live.inputs, live.outputs, live.inputs).changed

    news = key(rotationPolicy={"lifetimeActions": [rotation("P90D")]}, attributes={"enabled": False})
    diff = active.provider.diff(urn("ManagedHsmKey"), made.id, wanted, made.outputs, news)
    assert diff.replaces == ()
    assert "properties.attributes.enabled" in diff.changed
    updated = active.provider.update(urn("ManagedHsmKey"), made.id, made.outputs, news, preview=False)
    assert updated["properties"]["attributes"] == {"enabled": False}
    live = active.provider.read(urn("ManagedHsmKey"), made.id, updated)
    assert live is not None
    assert live.inputs["properties"]["rotationPolicy"] == {"lifetimeActions": [rotation("P90D")]}


def rotation(after: str) -> dict[str, dict[str, str]]:
    return {"action": {"type": "rotate"}, "trigger": {"timeAfterCreate": after}}


def test_a_deleted_key_is_recovered_until_its_retention_ends(active: Inside, bench: Bench, clock: list[float]) -> None:
    first = active.create("ManagedHsmKey", key())
    active.provider.delete(urn("ManagedHsmKey"), first.id, first.outputs)
    assert active.provider.read(urn("ManagedHsmKey"), first.id, first.outputs) is None
    again = active.create("ManagedHsmKey", key())
    assert again.outputs["keyUriWithVersion"] == first.outputs["keyUriWithVersion"]
    active.provider.delete(urn("ManagedHsmKey"), again.id, again.outputs)
    assert bench.hardware.destroyed == []
    clock[0] += 31 * 86_400
    active.create("ManagedHsmKey", key())
    assert bench.hardware.destroyed == [("hsm-test-1", "model-llm")]
    assert len(bench.hardware.keys) == 2


def test_a_key_that_an_interrupted_run_left_is_taken_over(active: Inside, bench: Bench) -> None:
    active.create("ManagedHsmKey", key())
    active.create("ManagedHsmKey", key(keyOps=["unwrapKey"]))
    assert len(bench.hardware.keys) == 1, "no second version was made"


def test_roles_are_there_as_long_as_the_program_wants_them(active: Inside) -> None:
    made = active.create("ManagedHsmRoleDefinition", role("33333333-3333-5333-8333-333333333333", data_actions=[]))
    live = active.provider.read(urn("ManagedHsmRoleDefinition"), made.id, made.outputs)
    assert live is not None
    assert live.inputs["roleName"] == "Management"
    changed = {**made.outputs, "description": "Another."}
    diff = active.provider.diff(urn("ManagedHsmRoleDefinition"), made.id, made.outputs, made.outputs, changed)
    assert diff.replaces == ("description",)
    active.provider.delete(urn("ManagedHsmRoleDefinition"), made.id, made.outputs)
    assert active.provider.read(urn("ManagedHsmRoleDefinition"), made.id, made.outputs) is None


def test_the_state_outlives_the_process(active: Inside, open_cloud: Callable[[], AzureCloud], bench: Bench) -> None:
    made = active.create("ManagedHsmKey", key())
    later = Inside(Bench(open_cloud(), bench.hardware))
    assert later.provider.read(urn("ManagedHsmKey"), made.id, made.outputs) is not None


def test_a_preview_calls_nobody(inside: Inside) -> None:
    assert inside.provider.create(urn("ManagedHsmKey"), key(), preview=True).id == ""


@dataclass(frozen=True)
class Mistake:
    """Made inside an active HSM; the error contains `text`."""

    name: str
    act: Callable[[Inside], object]
    text: str


def make(**properties: object) -> Callable[[Inside], object]:
    return lambda inside: inside.create("ManagedHsmKey", key(**properties))


def with_role(role_id: str, **changes: object) -> Callable[[Inside], object]:
    return lambda inside: inside.create("ManagedHsmRoleAssignment", assignment(role_id, **changes))


_ROLES = "Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions"
_MISTAKES = (
    Mistake("key size", make(keySize=1024), "(BadParameter) Key size 1024 is not supported for RSA-HSM"),
    Mistake("curve", make(kty="EC-HSM", keySize=None, curveName="P-1"), "invalid value 'P-1'"),
    Mistake("curve of an RSA key", make(curveName="P-256"), "for a key of type RSA-HSM"),
    Mistake("operation", make(keyOps=["unwrap"]), "Property key_ops has invalid value 'unwrap'"),
    Mistake("policy version", make(**releasable(version="2")), 'AKV.SKR.1012: The release policy must have "version"'),
    Mistake("no authority", make(**releasable(anyOf=[{"allOf": []}])), "must have an https authority"),
    Mistake("rotation", make(rotationPolicy={"lifetimeActions": [rotation("P27D")]}), "of 28 days or more"),
    Mistake(
        "another stack's key",
        lambda inside: (make()(inside), inside.create("ManagedHsmKey", key(tags={"stack": "other"}))),
        "is not of this stack",
    ),
    Mistake(
        "another size",
        lambda inside: (make(**releasable())(inside), make()(inside)),
        "exists with another releasePolicy, which a key keeps for life",
    ),
    Mistake("role that is none", with_role(f"{_ROLES}/44444444-4444-5444-8444-444444444444"), "RoleDefinitionNotFound"),
    Mistake(
        "scope",
        with_role(f"{_ROLES}/33413926-3206-4cdd-b39a-83574fe37a17", scope="/secrets", roleAssignmentName="55555555"),
        "Scope '/secrets' is invalid",
    ),
    Mistake(
        "role in use",
        lambda inside: inside.provider.delete(urn("ManagedHsmRoleDefinition"), "", role()),
        "is still assigned",
    ),
    Mistake(
        "no right to read",
        lambda inside: (
            inside.provider.delete(urn("ManagedHsmRoleAssignment"), "", assignment("")),
            make()(inside),
        ),
        "Caller is not authorized to perform action 'Microsoft.KeyVault/managedHsm/keys/read/action'",
    ),
)


@pytest.mark.parametrize("mistake", _MISTAKES, ids=lambda mistake: mistake.name)
def test_what_the_service_refuses(active: Inside, mistake: Mistake) -> None:
    with pytest.raises(ProviderError) as refusal:
        mistake.act(active)
    assert mistake.text in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_hsm_serves_nothing_before_its_activation(inside: Inside) -> None:
    inside.build()
    with pytest.raises(ProviderError, match="is not activated"):
        inside.create("ManagedHsmKey", key())


def test_a_closed_hsm_answers_through_its_private_endpoint_only(inside: Inside) -> None:
    inside.build(publicNetworkAccess="Disabled")
    with pytest.raises(ProviderError, match="ForbiddenByConnection"):
        inside.create("ManagedHsmKey", key())


def test_the_officers_make_the_hsm_active_once(inside: Inside, officers: list[str]) -> None:
    inside.build()
    other = certificate("another kind", ec.generate_private_key(ec.SECP256R1()))
    for certificates, quorum, problem in (
        (officers[:2], 2, "2 certificates"),
        (officers, 1, "quorum of 1"),
        (officers, 4, "quorum of 4"),
        ([officers[0], *officers[:2]], 2, "are the same"),
        ([*officers[:2], other], 2, "no RSA key of 2048 bits"),
        ([*officers[:2], "AAAA"], 2, "not X.509"),
    ):
        with pytest.raises(HsmRefusal, match=problem):
            inside.activate(certificates, quorum)
    inside.activate(officers)
    asked = {"resourceGroupName": "rg", "name": "hsm-test-1"}
    now = inside.bench.cloud.invoke("azure-native:keyvault:getManagedHsm", asked)
    assert now["properties"]["securityDomainProperties"]["activationStatus"] == "Active"
    with pytest.raises(HsmRefusal, match="activated already"):
        inside.activate(officers)


def test_a_provider_of_another_kind_is_not_run(inside: Inside) -> None:
    with pytest.raises(ProviderError, match="is of HsmKeyProvider, not HsmRoleDefinitionProvider"):
        inside.provider.create(urn("ManagedHsmKey"), role(), preview=False)
    unknown = "urn:pulumi:test::bailiwick::pulumi-python:dynamic:Resource::it"
    with pytest.raises(ProviderError, match="'pulumi-python:dynamic:Resource' is not emulated"):
        inside.provider.create(unknown, role(), preview=False)
