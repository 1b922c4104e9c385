"""What the tests of the emulated AWS share: hardware that remembers, and a program's registrations in short."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.clouds.aws import AwsCloud
from sandbox.clouds.hardware import KeyVersion, Machine, NullHardware
from sandbox.provider import CheckFailure, Created, Diff, ProviderError
from sandbox.values import Value

ACCOUNT = "000000000000"


class RecordingHardware(NullHardware):
    """Hardware that does nothing and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []
        self.destroyed: list[str] = []
        self.machines: dict[str, Machine] = {}
        self.booted = 0

    def create_key(self, vault: str, name: str, properties: Mapping[str, Value]) -> KeyVersion:
        self.keys.append(name)
        return super().create_key(vault, name, properties)

    def destroy_key(self, vault: str, name: str) -> None:
        self.destroyed.append(name)

    def boot(self, machine: Machine) -> None:
        self.machines[machine.id] = machine
        self.booted += 1

    def power_off(self, machine_id: str) -> None:
        self.machines.pop(machine_id, None)


def token(short: str) -> str:
    """`ec2:Vpc` → `aws:ec2/vpc:Vpc`."""
    module, name = short.split(":")
    return f"aws:{module}/{name[0].lower()}{name[1:]}:{name}"


def urn(short: str, name: str) -> str:
    return f"urn:pulumi:test::bailiwick::{token(short)}::{name}"


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


TRUST = policy({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})


@dataclass(frozen=True)
class Bench:
    """One emulated account, spoken to as the engine does."""

    cloud: AwsCloud

    def make(self, kind: str, label: str, /, **inputs: Any) -> Created:
        """Check and create. Raises `ProviderError` for either's refusal."""
        checked = self.cloud.check(urn(kind, label), {}, inputs)
        if checked.failures:
            raise ProviderError("; ".join(failure.reason for failure in checked.failures))
        return self.cloud.create(urn(kind, label), checked.inputs, preview=False)

    def failures(self, kind: str, **inputs: Any) -> tuple[CheckFailure, ...]:
        return self.cloud.check(urn(kind, "it"), {}, inputs).failures

    def diff(self, kind: str, made: Created, before: Mapping[str, Any], after: Mapping[str, Any]) -> Diff:
        olds = self.cloud.check(urn(kind, "it"), {}, dict(before)).inputs
        news = self.cloud.check(urn(kind, "it"), olds, dict(after)).inputs
        return self.cloud.diff(urn(kind, "it"), made.id, olds, made.outputs, news)

    def change(self, kind: str, label: str, made: Created, **inputs: Any) -> dict[str, Any]:
        news = self.cloud.check(urn(kind, label), {}, inputs).inputs
        return self.cloud.update(urn(kind, label), made.id, {}, news, preview=False)

    def remove(self, kind: str, label: str, made: Created) -> None:
        self.cloud.delete(urn(kind, label), made.id, made.outputs)

    def exists(self, kind: str, made: Created) -> bool:
        return self.cloud.read(urn(kind, "it"), made.id, {}) is not None

    def network(self) -> tuple[Created, Created]:
        """A VPC and one subnet of it."""
        vpc = self.make("ec2:Vpc", "vpc", cidrBlock="10.40.0.0/16", enableDnsHostnames=True)
        subnet = self.make("ec2:Subnet", "subnet", vpcId=vpc.id, cidrBlock="10.40.1.0/24", availabilityZone=self.zone)
        return vpc, subnet

    @property
    def zone(self) -> str:
        return f"{self.cloud.location()}a"

    def image(self, name: str = "verifier") -> str:
        """The id of the AMI of one of the build's images."""
        found = self.cloud.invoke(
            "aws:ec2/getAmi:getAmi",
            {"owners": ["self"], "filters": [{"name": "name", "values": [f"bailiwick-{name}-1.0.0"]}]},
        )
        return str(found["id"])

    def machine(self, label: str, subnet: Created, **inputs: Any) -> Created:
        """A confidential machine in a subnet."""
        settings = {
            "ami": self.image(),
            "instanceType": "m6a.large",
            "subnetId": subnet.id,
            "cpuOptions": {"amdSevSnp": "enabled"},
            "tags": {"Name": label},
        }
        return self.make("ec2:Instance", label, **(settings | inputs))
