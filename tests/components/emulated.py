"""One component in each emulated cloud, deployed by the local engine: what its children become in a real state."""

import json
from pathlib import Path
from typing import Any

import catalog
from sandbox.clouds.aws import AwsCloud
from sandbox.clouds.azure import AzureCloud
from sandbox.clouds.gcp import GcpCloud
from sandbox.clouds.hardware import NullHardware
from sandbox.clouds.kubernetes import KubernetesCloud
from sandbox.engine import LocalEngine, StateFile

_PROGRAM = """
import json

import pulumi

from components.errors import InputError
from components.tags import Tags

tags = Tags(jurisdiction="EU", data_class="confidential", owner="platform@example.org", stack="adopting")
config = pulumi.Config()
ids = json.loads(config.get("ids") or "{}")
changes = json.loads(config.get("changes") or "{}")
adopting = bool(ids)
"""
_AZURE = """
import pulumi_azure_native as azure_native
from components.azure import Placement, WorkloadIdentity, WorkloadIdentityArgs

zero = "00000000-0000-0000-0000-000000000000"
provider = azure_native.Provider("azure", subscription_id=zero, tenant_id=zero, location="westeurope")
place = Placement("adopting", zero, zero, "westeurope", "bailiwick-adopting", tags)
after = []
if not adopting:
    after = [azure_native.resources.ResourceGroup("group", resource_group_name="bailiwick-adopting",
        location="westeurope", tags=tags.as_mapping(), opts=pulumi.ResourceOptions(provider=provider))]
"""
_GCP = """
import pulumi_gcp as gcp
from components.gcp import Placement, WorkloadIdentity, WorkloadIdentityArgs

provider = gcp.Provider("gcp", project="bailiwick-emulated", region="europe-west4")
place = Placement("adopting", "bailiwick-emulated", "europe-west4", tags)
after = []
"""
_AWS = """
import pulumi_aws as aws
from components.aws import Placement, WorkloadIdentity, WorkloadIdentityArgs

provider = aws.Provider("aws", region="eu-west-1", allowed_account_ids=["000000000000"])
place = Placement("adopting", "000000000000", "eu-west-1", tags)
after = []
"""
_KUBERNETES = """
import pulumi_kubernetes as kubernetes
from components.addresses import Segment
from components.kubernetes import Placement, WorkloadIdentity, WorkloadIdentityArgs

provider = kubernetes.Provider("kubernetes", context="bailiwick-emulated")
place = Placement("adopting", "onprem-berlin", tags)
after = []
if not adopting:
    after = [kubernetes.core.v1.Namespace("space", metadata={"name": place.namespace(Segment.WORKLOAD)},
        opts=pulumi.ResourceOptions(provider=provider))]
"""
_COMPONENT = """
args = WorkloadIdentityArgs(place, "inference", import_ids=ids)


def change(child):
    return pulumi.ResourceTransformResult({**child.props, **changes}, child.opts) if child.custom else None


opts = pulumi.ResourceOptions(providers=[provider], depends_on=after, transforms=[change] if changes else None)
try:
    WorkloadIdentity("identity", args, opts)
except InputError as error:
    raise pulumi.RunError(str(error)) from None
"""
CLOUDS: dict[str, tuple[Any, str, str]] = {
    "azure": (AzureCloud, "azure-native", _AZURE),
    "gcp": (GcpCloud, "gcp", _GCP),
    "aws": (AwsCloud, "aws", _AWS),
    "kubernetes": (KubernetesCloud, "kubernetes", _KUBERNETES),
}


class Bench:
    """One emulated cloud, and stacks that each have a state of their own."""

    def __init__(self, cloud: str, directory: Path) -> None:
        catalog.load()  # with the facts of this project's own site: a program runs in its own directory
        make, self._package, program = CLOUDS[cloud]
        self.name = cloud
        self.cloud = make(directory / "region", NullHardware())
        self._project = directory / "project"
        self._project.mkdir()
        (self._project / "Pulumi.yaml").write_text("name: adopting\nruntime: python\n")
        (self._project / "__main__.py").write_text(_PROGRAM + program + _COMPONENT)

    def up(self, stack: str, ids: dict[str, str] | None = None, changes: dict[str, Any] | None = None) -> Any:
        """Deploy as `stack`, adopting `ids`, with a transform that sets `changes` on every child."""
        config = {"adopting:ids": json.dumps(ids or {}), "adopting:changes": json.dumps(changes or {})}
        (self._project / f"Pulumi.{stack}.yaml").write_text(json.dumps({"config": config}))
        return self._engine(stack).up()

    def children(self, stack: str) -> dict[str, Any]:
        """The component's children as the stack's state has them, by suffix."""
        states = self._state(stack).read().resources()
        named = {one.urn.rpartition("::")[2]: one for one in states if one.custom}
        return {name.removeprefix("identity-"): one for name, one in named.items() if name.startswith("identity-")}

    def _state(self, stack: str) -> StateFile:
        return StateFile(self._project / f"{stack}.json", "passphrase")

    def _engine(self, stack: str) -> LocalEngine:
        return LocalEngine(
            self._project,
            stack,
            providers={self._package: self.cloud},
            state=self._state(stack),
            policy_pack=None,
            on_event=lambda _: None,
        )
