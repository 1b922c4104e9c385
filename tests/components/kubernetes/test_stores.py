"""What the region refers to and does not own: HSM, audit volume, model store, collateral."""

from typing import Any

import pytest

from components.errors import InputError
from components.kubernetes import (
    AuditLog,
    AuditLogArgs,
    CollateralCache,
    CollateralCacheArgs,
    KeyVault,
    KeyVaultArgs,
    ModelStore,
    ModelStoreArgs,
    Placement,
)
from tests.components.kubernetes.region import SITE, record, site
from tests.components.recorder import Recording


def vault(placement: Placement, service: str = "site-hsm", **hsm: Any) -> tuple[KeyVault, Recording]:
    made: list[KeyVault] = []
    args = KeyVaultArgs(
        placement=placement,
        service=service,
        hsm=site(hsm={**SITE["hsm"], **hsm}).hsm,
        address_space="10.60.0.0/16",
        model_keys=("llm",),
        verifier_role="verifier",
    )
    recording = record(lambda: made.append(KeyVault("keys", args)))
    return made[0], recording


def test_keys_are_named_and_never_held(placement: Placement) -> None:
    keys, recording = vault(placement)
    assert keys.uri == "pkcs11:token=bailiwick"
    assert keys.model_key_ids == {"llm": "pkcs11:token=bailiwick;object=model-llm;type=secret-key"}
    (command,) = keys.key_ceremony
    assert "--keygen --key-type AES:32 --label model-llm --sensitive" in command
    assert list(recording.of_type(":Secret")) == []
    assert "pin" not in str(recording["keys-reference"].inputs["data"]).lower()


def test_only_the_verifier_calls_a_network_hsm(placement: Placement) -> None:
    _, recording = vault(placement)
    spec = recording["keys-unwrap"].inputs["spec"]
    assert spec["podSelector"]["matchLabels"] == {"bailiwick.dev/role": "verifier"}
    assert spec["egress"][0]["to"] == [{"ipBlock": {"cidr": "10.60.250.10/32"}}]


def test_a_device_in_the_node_opens_no_network(placement: Placement) -> None:
    _, recording = vault(placement, endpoint=None, device="example.com/hsm")
    assert list(recording.of_type(":NetworkPolicy")) == []


@pytest.mark.parametrize(
    ("service", "hsm", "message"),
    [
        ("site-hs", {}, "nearest supported: site-hsm"),
        ("site-hsm", {"endpoint": {"cidr": "192.168.1.0/24", "port": 1}}, "outside the region's network"),
        ("site-hsm", {"device": "example.com/hsm"}, "state either endpoint"),
        ("site-hsm", {"endpoint": None}, "state either endpoint"),
    ],
)
def test_an_hsm_that_is_not_the_site_s_is_refused(
    placement: Placement, service: str, hsm: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        vault(placement, service, **hsm)


def audit(placement: Placement, **changes: Any) -> Recording:
    settings = {"retention_days": 365, "site": site().audit, **changes}
    return record(lambda: AuditLog("audit", AuditLogArgs(placement=placement, **settings)))


def test_the_audit_volume_outlives_the_stack(placement: Placement) -> None:
    claim = audit(placement)["audit-volume"]
    assert claim.options == {"protect": True, "retainOnDelete": True}
    assert claim.inputs["metadata"]["annotations"] == {"bailiwick.dev/retention-days": "365"}
    assert audit(placement, destroyable=True)["audit-volume"].options == {}


def test_a_volume_alone_is_not_called_write_once(placement: Placement) -> None:
    assert audit(placement).outputs["audit"]["writeOnce"] is False
    bucket = {"url": "https://s3.example.org/audit", "mode": "compliance", "jurisdiction": "DE", "operator": "Example"}
    locked = audit(placement, site=site(audit={"bucket": bucket}).audit)
    assert locked.outputs["audit"]["writeOnce"] is True


def test_short_retention_and_a_lock_that_someone_can_lift_are_refused(placement: Placement) -> None:
    with pytest.raises(InputError, match="nearest supported: 183"):
        audit(placement, retention_days=182)
    bucket = {"url": "https://s3.example.org/a", "mode": "governance", "jurisdiction": "DE", "operator": "Example"}
    with pytest.raises(InputError, match=r"audit\.bucket\.mode: Input should be 'compliance'"):
        site(audit={"bucket": bucket})


def test_a_store_outside_the_site_is_refused(placement: Placement) -> None:
    store = site(modelStore={"account": "models", "endpoint": {"cidr": "10.61.0.0/24", "port": 443}}).model_store
    with pytest.raises(InputError, match=r"10\.61\.0\.0/24 is outside the region's network"):
        record(lambda: ModelStore("m", ModelStoreArgs(placement=placement, site=store, address_space="10.60.0.0/16")))


def test_the_cache_serves_guests_and_verifier_and_reaches_nothing(berlin: Recording) -> None:
    (rule,) = berlin["onprem-kubernetes-collateral-in"].inputs["spec"]["ingress"]
    served = [peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"] for peer in rule["from"]]
    assert served == ["onprem-kubernetes-workload", "onprem-kubernetes-verifier"]
    spec = berlin["onprem-kubernetes-collateral-server"].inputs["spec"]["template"]["spec"]
    assert spec["volumes"][0]["persistentVolumeClaim"] == {"claimName": "collateral", "readOnly": True}


def test_a_cache_whose_image_can_change_is_refused(placement: Placement) -> None:
    args = CollateralCacheArgs(placement=placement, image="registry.example.org/server:1", identity_id="collateral")
    with pytest.raises(InputError, match="can become another image"):
        record(lambda: CollateralCache("cache", args))
