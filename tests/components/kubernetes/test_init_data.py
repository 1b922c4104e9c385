"""What a guest is told, and what its agent lets the host do: judged by a Rego engine."""

import json
from typing import Any

import pytest
from regopy import Interpreter

from components.errors import InputError
from components.kubernetes.init_data import agent_policy, encode
from tests.components.kubernetes.region import init_data

IMAGE = "registry.example.org/bailiwick/guest@sha256:" + "ab" * 32
SHARED = "/run/kata-containers/shared/containers/abc-resolv.conf"


def allowed(request: str, body: dict[str, Any]) -> bool:
    """What the Kata agent's engine answers to a request of the host."""
    rego = Interpreter()
    rego.add_module("policy", agent_policy([IMAGE]))
    rego.set_input(body)
    (answer,) = json.loads(str(rego.query(f"answer := data.agent_policy.{request}")))["bindings"].values()
    return bool(answer)


@pytest.mark.parametrize(
    ("request_name", "body", "answer"),
    [
        ("CreateContainerRequest", {"storages": [{"source": IMAGE}]}, True),
        ("CreateContainerRequest", {"storages": [{"source": "pause"}]}, True),
        ("CreateContainerRequest", {"storages": [{"source": "docker.io/library/shell:latest"}]}, False),
        ("CreateContainerRequest", {"storages": [{"source": IMAGE}, {"source": "other"}]}, False),
        ("CopyFileRequest", {"path": SHARED}, True),
        ("CopyFileRequest", {"path": "/etc/passwd"}, False),
        ("CopyFileRequest", {"path": "/run/kata-containers/shared/containers/../../../etc/passwd"}, False),
        ("ExecProcessRequest", {"process": {"Args": ["sh"]}}, False),
        ("ReadStreamRequest", {}, False),
        ("WriteStreamRequest", {}, False),
        ("SetPolicyRequest", {}, False),
        ("StartContainerRequest", {}, True),
    ],
)
def test_the_agent_serves_the_host_in_what_the_policy_names(
    request_name: str, body: dict[str, Any], answer: bool
) -> None:
    assert allowed(request_name, body) is answer


def test_the_document_has_the_guest_s_configuration_and_the_agents() -> None:
    document = init_data(encode("test", {"verifier": "http://verifier.example:8443", "role": "workload"}, [IMAGE]))
    assert (document["version"], document["algorithm"]) == ("0.1.0", "sha256")
    assert json.loads(document["data"]["bailiwick.json"])["role"] == "workload"
    assert 'url = "http://verifier.example:8443"' in document["data"]["aa.toml"]
    assert document["data"]["policy.rego"].strip() == agent_policy([IMAGE]).strip()


def test_the_same_configuration_is_the_same_text() -> None:
    told = {"b": 1, "a": [1, 2]}
    assert encode("test", told, [IMAGE]) == encode("test", {"a": [1, 2], "b": 1}, [IMAGE])


def test_what_no_annotation_can_hold_is_refused() -> None:
    with pytest.raises(InputError, match="an annotation has room for 196608"):
        encode("test", {"model": "x" * 200_000}, [IMAGE])
