"""What a region in the European Sovereign Cloud can have today: all but confidential machines."""

from pathlib import Path

from sandbox.clouds.aws import AwsCloud
from sandbox.engine import LocalEngine, StateFile
from tests.sandbox.clouds.aws.bench import RecordingHardware

PROGRAM = '''
import pulumi
import pulumi_aws as aws

from components.aws import (
    AuditLog, AuditLogArgs, KeyVault, KeyVaultArgs, ModelStore, ModelStoreArgs, Placement, ResidencyGuard,
    ResidencyGuardArgs, SovereignNetwork, SovereignNetworkArgs, WorkloadIdentity, WorkloadIdentityArgs,
)
from components.tags import Tags

tags = Tags(jurisdiction="DE", data_class="confidential", owner="platform@example.org", stack="eusc")
place = Placement("eusc", "000000000000", "eusc-de-east-1", tags, cloud="aws-eusc")
provider = aws.Provider("aws", region=place.location, allowed_account_ids=[place.account_id])
opts = pulumi.ResourceOptions(providers=[provider])
net = SovereignNetwork("net", SovereignNetworkArgs(place, "10.50.0.0/16", "eusc.bailiwick.internal"), opts)
identity = WorkloadIdentity("identity", WorkloadIdentityArgs(place, "verifier"), opts)
keys = KeyVault("keys", KeyVaultArgs(place, "kms", 30, 90, {}, identity.principal_id, net.id), opts)
AuditLog("audit", AuditLogArgs(place, 365, keys.store_key_id), opts)
ModelStore("models", ModelStoreArgs(place, keys.store_key_id), opts)
ResidencyGuard("guard", ResidencyGuardArgs(place), opts)
pulumi.export("disk", keys.disk_key_id)
'''  # fmt: skip


def test_network_keys_audit_and_guard_come_up_in_the_sovereign_partition(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: bailiwick\nruntime: python\n")
    (project / "Pulumi.eusc.yaml").write_text("config: {}\n")
    (project / "__main__.py").write_text(PROGRAM)
    cloud = AwsCloud(tmp_path / "region", RecordingHardware())
    engine = LocalEngine(
        project,
        "eusc",
        providers={"aws": cloud},
        state=StateFile(tmp_path / "state.json", "passphrase"),
        policy_pack=None,
        on_event=lambda _: None,
    )
    up = engine.up()
    cloud.close()
    assert up.ok, up.error
    assert str(up.outputs["disk"]).startswith("arn:aws-eusc:kms:eusc-de-east-1:000000000000:key/")
