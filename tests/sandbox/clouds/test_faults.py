"""Faults that are switched on: what is retried, what resumes, what a refresh finds."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox.clouds import open_cloud, propagation
from sandbox.clouds.faults import MAX_ATTEMPTS, FaultMemory, FaultPlan, FaultPlanError, FaultyProvider, TransientError
from sandbox.clouds.gcp import GcpCloud
from sandbox.clouds.hardware import NullHardware
from sandbox.engine import LocalEngine, StateFile
from sandbox.engine.events import Outcome
from sandbox.provider import Created, Properties, ProviderError
from tests.sandbox.clouds.project import PROJECT, Bench, urn

PARTS = 8


@dataclass(frozen=True)
class Program:
    """One container and eight parts of it, in one cloud; `failure` is how the cloud says that it failed."""

    text: str
    failure: str
    config: dict[str, str] = field(default_factory=dict)


PROGRAMS = {
    "gcp": Program(
        f"""
import pulumi_gcp as gcp

net = gcp.compute.Network("net", name="net", auto_create_subnetworks=False)
for index in range({PARTS}):
    gcp.compute.Subnetwork(
        f"part-{{index}}",
        name=f"part-{{index}}",
        region="europe-west3",
        network=net.id,
        ip_cidr_range=f"10.20.{{index}}.0/24",
    )
""",
        "googleapi: Error 500: Internal error",
        {"gcp:project": PROJECT},
    ),
    "azure": Program(
        f"""
from pulumi_azure_native import network, resources

group = resources.ResourceGroup("rg", resource_group_name="rg", location="germanywestcentral")
for index in range({PARTS}):
    network.RouteTable(f"part-{{index}}", resource_group_name=group.name, route_table_name=f"part-{{index}}")
""",
        "InternalServerError: The server encountered an error",
    ),
    "aws": Program(
        f"""
import pulumi_aws as aws

net = aws.ec2.Vpc("net", cidr_block="10.20.0.0/16")
for index in range({PARTS}):
    aws.ec2.Subnet(f"part-{{index}}", vpc_id=net.id, cidr_block=f"10.20.{{index}}.0/24")
""",
        "InternalFailure: The request processing has failed",
        {"aws:region": "eu-west-1"},
    ),
    "kubernetes": Program(
        f"""
from pulumi_kubernetes import core

space = core.v1.Namespace("space", metadata={{"name": "work"}})
for index in range({PARTS}):
    core.v1.ConfigMap(f"part-{{index}}", metadata={{"name": f"part-{{index}}", "namespace": space.metadata.name}})
""",
        "InternalError: an error on the server has prevented the request",
    ),
}


class Stack:
    """A program's stack, deployed by the local engine to a cloud with faults."""

    def __init__(self, directory: Path, cloud: str, plan: str) -> None:
        program = PROGRAMS[cloud]
        self._directory = directory
        self._cloud = cloud
        (directory / "Pulumi.yaml").write_text(json.dumps({"name": "bench", "runtime": "python"}))
        (directory / "Pulumi.dev.yaml").write_text(json.dumps({"config": program.config}))
        (directory / "__main__.py").write_text(program.text)
        self.plan = FaultPlan.parse(plan)
        self.slept: list[float] = []

    def run(self, operation: str) -> Outcome:
        """One run in a process of its own, as far as the fault memory and the cloud can tell."""
        cloud = open_cloud(self._cloud, self._directory / "cloud", NullHardware())
        memory = FaultMemory(self._directory / "faults.json")
        engine = LocalEngine(
            self._directory,
            "dev",
            providers={cloud.package: FaultyProvider(cloud, self.plan, memory, self.slept.append)},
            state=StateFile(self._directory / "state.json", "x"),
            policy_pack=None,
            on_event=lambda _event: None,
        )
        try:
            outcome: Outcome = getattr(engine, operation)()
        finally:
            cloud.close()
        return outcome

    def up_until_it_works(self) -> Outcome:
        """Each run gets further, since a failure strikes a resource once."""
        for _ in range(PARTS + 2):
            outcome = self.run("up")
            if outcome.ok:
                break
        assert outcome.ok, outcome.error
        return outcome


@pytest.fixture(params=sorted(PROGRAMS))
def cloud(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_throttling_and_outages_are_waited_out(tmp_path: Path, cloud: str) -> None:
    stack = Stack(tmp_path, cloud, "throttle=0.5,unavailable=0.3,retry_after=0.25,seed=1")
    outcome = stack.run("up")
    assert outcome.ok, outcome.error
    assert len(stack.slept) > 3
    assert set(stack.slept) <= {0.25 * 2**attempt for attempt in range(MAX_ATTEMPTS)}


def test_up_resumes_after_a_failure_in_the_middle(tmp_path: Path, cloud: str) -> None:
    stack = Stack(tmp_path, cloud, "fail=0.3,seed=2")
    first = stack.run("up")
    assert not first.ok
    assert PROGRAMS[cloud].failure in str(first.error)
    last = stack.up_until_it_works()
    assert last.changes["same"] > 0
    after = stack.run("up")
    assert after.changes["create"] == 0
    assert after.changes["same"] >= PARTS + 1


def test_a_refresh_shows_what_was_deleted_behind_our_back(tmp_path: Path, cloud: str) -> None:
    stack = Stack(tmp_path, cloud, "vanish=0.4,seed=9")
    assert stack.run("up").ok
    drift = stack.run("refresh")
    assert drift.ok
    assert 0 < drift.changes["delete"] < PARTS
    assert stack.run("refresh").changes["delete"] == 0
    assert stack.run("up").changes["create"] == drift.changes["delete"]


def test_what_is_slow_is_slow_for_the_time_that_was_asked_for(tmp_path: Path) -> None:
    stack = Stack(tmp_path, "gcp", "slow=1,delay=0.7")
    assert stack.run("up").ok
    assert stack.slept == [0.7] * (PARTS + 1)


def test_the_same_seed_strikes_the_same(tmp_path: Path) -> None:
    struck = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        Stack(tmp_path / name, "gcp", "fail=0.3,seed=5").up_until_it_works()
        struck.append(json.loads((tmp_path / name / "faults.json").read_text()))
    assert struck[0] == struck[1]
    assert struck[0]


def test_another_seed_strikes_others() -> None:
    plans = [FaultPlan(seed=seed, fail=0.5) for seed in (1, 2)]
    struck = [[plan.strikes(0.5, "fail", f"resource {number}") for number in range(40)] for plan in plans]
    assert struck[0] != struck[1]
    assert 5 < sum(struck[0]) < 35


class BusyCloud(GcpCloud):
    """Never has time."""

    def create(self, urn: str, inputs: Properties, *, preview: bool) -> Created:
        raise TransientError("busy", retry_after=1.0)


def test_what_never_ends_is_given_up(tmp_path: Path) -> None:
    waits: list[float] = []
    busy = FaultyProvider(BusyCloud(tmp_path, NullHardware()), FaultPlan(), sleep=waits.append)
    with pytest.raises(ProviderError, match="busy"):
        busy.create(urn("compute:Network", "net"), {"name": "net"}, preview=False)
    assert len(waits) == MAX_ATTEMPTS - 1


@pytest.mark.parametrize(
    ("package", "token", "inputs", "says"),
    [
        ("azure-native", "azure-native:authorization:RoleAssignment", {}, "PrincipalNotFound"),
        ("aws", "aws:ec2/instance:Instance", {}, "Invalid IAM Instance Profile name"),
        ("gcp", "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", {}, "Service account does not exist"),
        ("kubernetes", "kubernetes:core/v1:Pod", {}, 'serviceaccount "default" not found'),
    ],
)
def test_what_was_just_made_is_not_known_everywhere_yet(
    package: str, token: str, inputs: Properties, says: str
) -> None:
    said: list[str] = []
    cloud = Answering(package, said)
    faulty = FaultyProvider(cloud, FaultPlan(lag=1.0), sleep=lambda _: said.append("waited"))
    faulty.create(f"urn:pulumi:test::bailiwick::{token}::it", inputs, preview=False)
    assert said[-1] == "created"
    assert "waited" in said
    assert says in str(propagation.refusal(package, token, inputs))


def test_a_role_assignment_that_says_what_its_principal_is_does_not_wait_for_the_directory() -> None:
    said: list[str] = []
    faulty = FaultyProvider(Answering("azure-native", said), FaultPlan(lag=1.0), sleep=lambda _: said.append("waited"))
    urn = "urn:pulumi:test::bailiwick::azure-native:authorization:RoleAssignment::it"
    faulty.create(urn, {"principalType": "ServicePrincipal"}, preview=False)
    faulty.create("urn:pulumi:test::bailiwick::azure-native:network:VirtualNetwork::it", {}, preview=False)
    assert said == ["created", "created"]


class Answering:
    """A provider that creates whatever it is asked for, and says so."""

    version = "1.0.0"

    def __init__(self, package: str, said: list[str]) -> None:
        self.package = package
        self._said = said

    def create(self, urn: str, inputs: Properties, *, preview: bool) -> Created:
        self._said.append("created")
        return Created("id", inputs)


def test_previews_are_spared(google: Bench) -> None:
    faulty = FaultyProvider(google.cloud, FaultPlan(throttle=1.0, fail=1.0, slow=1.0))
    assert faulty.create(urn("compute:Network", "net"), {"name": "net"}, preview=True).id


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trottle=0.1", "'trottle=0.1' is no fault: write name=number"),
        ("fail", "'fail' is no fault"),
        ("fail=often", "fail='often' is not a number"),
        ("fail=2", "fail=2 is out of range: a share is from 0 to 1"),
        ("delay=-1", "delay=-1 is out of range"),
        ("throttle=nan", "throttle=nan is not a finite number"),
        ("delay=inf", "delay=inf is not a finite number"),
        ("seed=inf", "seed=inf is not a whole number"),
        ("seed=1.5", "seed=1.5 is not a whole number"),
        ("fail=0.1,fail=0.9", "fail is there twice"),
    ],
)
def test_a_plan_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(FaultPlanError) as refusal:
        FaultPlan.parse(text)
    assert message in str(refusal.value)


@pytest.mark.parametrize("content", [b'["a', b"5", b"[5]", b"\xff"])
def test_a_memory_that_cannot_be_read_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "faults.json"
    path.write_bytes(content)
    with pytest.raises(ProviderError, match=r"faults\.json does not say which faults have struck already: delete it"):
        FaultMemory(path)
