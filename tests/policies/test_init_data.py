"""What a confidential pod's guest is told, as far as the pack reads it: bounded, and never taken on trust."""

import base64
import gzip

import pytest

from components.kubernetes.init_data import encode
from policies import pack
from policies.examples import but, kubernetes
from policies.rule import Example, ExampleResource
from policies.testing import UNKNOWN, judge

TOLD = "io.katacontainers.config.hypervisor.cc_init_data"
KERNEL = "io.katacontainers.config.hypervisor.kernel_params"


def messages(rule: str, resource: ExampleResource) -> list[str]:
    found = judge(pack.build([rule]), Example("", (resource,), kubernetes.CONFIG)).violations
    return [one.message for one in found]


def packed(document: bytes) -> ExampleResource:
    return kubernetes.told_pods(base64.b64encode(gzip.compress(document)).decode())


def asks(rego: str) -> ExampleResource:
    return kubernetes.told_pods(kubernetes.told(policy_rego=rego))


def test_what_the_component_tells_its_guests_passes() -> None:
    configuration = {"version": 1, "verifier": "http://verifier.site-verifier.svc.cluster.local:8443"}
    pods = kubernetes.told_pods(encode("test", configuration, ["registry.example.org/model@sha256:0b"]))
    assert not messages("CVM-06", pods)
    assert not messages("REL-02", pods)


@pytest.mark.parametrize(
    ("pods", "says"),
    [
        (packed(b"\0" * 3_000_000), "of 1048576 bytes or less"),
        (packed(b"[" * 100_000), "is not TOML"),
        (packed(b"data = 7"), "is not an object"),
        (packed(b"\xff\xfe"), "is not TOML"),
        (kubernetes.told_pods(base64.b64encode(b"plain").decode()), "is not init data: base64 of gzip of TOML"),
        (asks("package policy\ndefault allow := true"), "of the package agent_policy"),
        (asks("package agent_policy\nExecProcessRequest {"), "is not a policy of Kata's agent, in Rego"),
        (
            asks("package agent_policy\ndefault AllowRequestsFailingPolicy := true"),
            "AllowRequestsFailingPolicy is 'allowed'",
        ),
        (asks("package agent_policy\nSetPolicyRequest if { true }"), "SetPolicyRequest is 'allowed'"),
        (asks("package agent_policy\nCopyFileRequest if true"), "CopyFileRequest is 'always allowed'"),
    ],
)
def test_what_cannot_be_relied_on_is_refused_in_one_line(pods: ExampleResource, says: str) -> None:
    (found,) = messages("CVM-06", pods)
    assert says in found


def test_what_is_known_only_after_deployment_blocks() -> None:
    assert messages("CVM-06", kubernetes.told_pods(UNKNOWN))[0].startswith("unknown: ")


def test_pods_of_every_kind_are_read() -> None:
    pods = asks("package agent_policy\ndefault ExecProcessRequest := true")
    template = pods.props["spec"]["template"]
    alone = ExampleResource("kubernetes:core/v1:Pod", "alone", template)
    timed = ExampleResource(
        "kubernetes:batch/v1:CronJob", "timed", {"spec": {"jobTemplate": {"spec": {"template": template}}}}
    )
    assert all("ExecProcessRequest" in messages("CVM-06", one)[0] for one in (pods, alone, timed))


@pytest.mark.parametrize(
    ("rule", "parameters", "says"),
    [
        ("CVM-06", "quiet agent.debug_console agent.log=debug", "no console of Kata's agent"),
        ("REL-02", "agent.aa_kbc_params=cc_kbc::https://kbs.example.com", "a service of the cluster"),
    ],
)
def test_parameters_of_the_guest_s_kernel_are_read(rule: str, parameters: str, says: str) -> None:
    pods = but(kubernetes.PODS, {"spec.template.metadata": {"annotations": {KERNEL: parameters}}})
    assert says in messages(rule, pods)[0]
