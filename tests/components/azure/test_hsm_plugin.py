"""The dynamic providers in the process in which Pulumi runs them: `python -m pulumi.dynamic`, from state alone."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from components.azure.hsm_activation import HsmActivationProvider
from components.azure.hsm_key import HsmKeyProvider
from sandbox.engine.wire import to_struct

ROOT = Path(__file__).parents[3]
URN = "urn:pulumi:test::bailiwick::pulumi-python:dynamic/azure:ManagedHsm::it"


@pytest.fixture(scope="module")
def plugin() -> Iterator[Any]:
    command = [sys.executable, "-u", "-m", "pulumi.dynamic"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={"PYTHONPATH": str(ROOT)}, text=True) as process:
        assert process.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}") as channel:
            yield provider_pb2_grpc.ResourceProviderStub(channel)
        process.kill()


def test_a_provider_is_loaded_by_its_name_and_judges(plugin: Any) -> None:
    key = {
        "hsmUri": "https://hsm.managedhsm.azure.net/",
        "keyName": "model-llm",
        "properties": {"kty": "RSA-HSM", "keySize": 3072},
        "tags": {"stack": "test"},
        "__provider": serialize_provider(HsmKeyProvider()),
    }
    assert not plugin.Check(provider_pb2.CheckRequest(urn=URN, news=to_struct(key))).failures
    software = {**key, "properties": {"kty": "RSA"}}
    (failure,) = plugin.Check(provider_pb2.CheckRequest(urn=URN, news=to_struct(software))).failures
    assert (failure.property, failure.reason[:32]) == ("properties.kty", "'RSA' is not a key type of a Man")
    larger = {**key, "properties": {"kty": "RSA-HSM", "keySize": 4096}}
    diff = plugin.Diff(provider_pb2.DiffRequest(id="it", urn=URN, olds=to_struct(key), news=to_struct(larger)))
    assert list(diff.replaces) == ["properties.keySize"]


def test_an_hsm_that_is_not_active_is_a_failed_check_and_no_half_made_resource(plugin: Any) -> None:
    news = {
        "hsmUri": "https://hsm.managedhsm.azure.net/",
        "hsmName": "hsm",
        "activationStatus": "NotActivated",
        "__provider": serialize_provider(HsmActivationProvider()),
    }
    (failure,) = plugin.Check(provider_pb2.CheckRequest(urn=URN, news=to_struct(news))).failures
    assert failure.reason.startswith("Managed HSM hsm waits for its officers")
