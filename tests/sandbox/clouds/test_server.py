"""The provider protocol over gRPC, as the real engine speaks it."""

import importlib.metadata
import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox.clouds.server import Served, serve
from sandbox.engine.wire import from_struct, to_struct
from sandbox.values import UNKNOWN
from tests.sandbox.clouds.region import GROUP, LOCATION, Bench, region_parts, urn

GROUP_TYPE = "resources:ResourceGroup"
INPUTS = {"resourceGroupName": "rg", "location": LOCATION}


@pytest.fixture
def served(bench: Bench) -> Iterator[Served]:
    running = serve({"azure-native": bench.cloud})
    yield running
    running.stop()


@pytest.fixture
def stub(served: Served) -> Iterator[Any]:
    with grpc.insecure_channel(f"127.0.0.1:{served.ports['azure-native']}") as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)


def create(stub: Any, name: str = "group", inputs: dict[str, Any] | None = None, *, preview: bool = False) -> Any:
    properties = to_struct(INPUTS if inputs is None else inputs)
    return stub.Create(provider_pb2.CreateRequest(urn=urn(GROUP_TYPE, name), properties=properties, preview=preview))


def test_the_line_to_export(served: Served) -> None:
    assert served.debug_providers == f"azure-native:{served.ports['azure-native']}"


def test_introduces_itself(stub: Any) -> None:
    assert not stub.Handshake(provider_pb2.ProviderHandshakeRequest()).accept_secrets
    assert stub.GetPluginInfo(empty_pb2.Empty()).version == importlib.metadata.version("pulumi-azure-native")
    answer = stub.Configure(provider_pb2.ConfigureRequest(args=to_struct({"location": LOCATION})))
    assert answer.supportsPreview
    assert not answer.acceptSecrets


def test_creates_reads_updates_and_deletes(stub: Any) -> None:
    created = create(stub)
    assert created.id == GROUP
    live = stub.Read(provider_pb2.ReadRequest(urn=urn(GROUP_TYPE, "group"), id=GROUP))
    assert from_struct(live.inputs) == INPUTS
    assert live.properties == created.properties
    news = to_struct(INPUTS | {"tags": {"a": "b"}})
    updated = stub.Update(
        provider_pb2.UpdateRequest(urn=urn(GROUP_TYPE, "group"), id=GROUP, old_inputs=to_struct(INPUTS), news=news)
    )
    assert from_struct(updated.properties)["tags"] == {"a": "b"}
    stub.Delete(provider_pb2.DeleteRequest(urn=urn(GROUP_TYPE, "group"), id=GROUP))
    gone = stub.Read(provider_pb2.ReadRequest(urn=urn(GROUP_TYPE, "group"), id=GROUP))
    assert gone.id == ""


def test_a_preview_carries_unknowns(stub: Any) -> None:
    foretold = create(stub, inputs={"resourceGroupName": UNKNOWN, "location": LOCATION}, preview=True)
    assert foretold.id == ""
    outputs = from_struct(foretold.properties)
    assert outputs["name"] is UNKNOWN
    assert outputs["location"] == LOCATION


def test_a_secret_arrives_as_its_value(stub: Any) -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": LOCATION}
    checked = stub.Check(
        provider_pb2.CheckRequest(urn=urn(GROUP_TYPE, "g"), news=to_struct(INPUTS | {"location": secret}))
    )
    assert from_struct(checked.inputs)["location"] == LOCATION


def test_check_failures_name_their_property(stub: Any) -> None:
    checked = stub.Check(provider_pb2.CheckRequest(urn=urn(GROUP_TYPE, "g"), news=to_struct(INPUTS | {"tag": {}})))
    (failure,) = checked.failures
    assert failure.property == "tag"
    assert "did you mean 'tags'?" in failure.reason


@pytest.mark.parametrize(
    ("news", "kind", "replaces"),
    [
        ({"tags": {"a": "b"}}, {"tags": "ADD"}, []),
        ({"location": "francecentral"}, {"location": "UPDATE_REPLACE"}, ["location"]),
        ({"managedBy": None}, {"managedBy": "DELETE"}, []),
    ],
)
def test_differences_are_detailed(stub: Any, news: dict[str, Any], kind: dict[str, str], replaces: list[str]) -> None:
    olds = INPUTS | {"managedBy": "me"}
    new_inputs = {name: value for name, value in (olds | news).items() if value is not None}
    diff = stub.Diff(
        provider_pb2.DiffRequest(
            urn=urn(GROUP_TYPE, "g"), id=GROUP, old_inputs=to_struct(olds), news=to_struct(new_inputs)
        )
    )
    assert diff.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(diff.replaces) == replaces
    kinds = provider_pb2.PropertyDiff.Kind
    assert {path: kinds.Name(item.kind) for path, item in diff.detailedDiff.items()} == kind


def test_a_refusal_says_that_nothing_happened(stub: Any) -> None:
    create(stub)
    with pytest.raises(grpc.RpcError) as refusal:
        create(stub, "again")
    assert refusal.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert refusal.value.details().startswith("Conflict: cannot create already existing resource")


def test_assets_are_refused(stub: Any) -> None:
    asset = {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "text": "a"}
    with pytest.raises(grpc.RpcError) as refusal:
        create(stub, inputs=INPUTS | {"tags": asset})
    assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_real_account_is_refused(stub: Any) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        stub.Configure(provider_pb2.ConfigureRequest(variables={"azure-native:config:subscriptionId": "1234"}))
    assert "SubscriptionNotFound" in refusal.value.details()


def test_invokes(stub: Any) -> None:
    token = "azure-native:authorization:getClientConfig"
    answer = stub.Invoke(provider_pb2.InvokeRequest(tok=token))
    assert from_struct(getattr(answer, "return"))["subscriptionId"] == GROUP.split("/")[2]
    with pytest.raises(grpc.RpcError) as refusal:
        stub.Invoke(provider_pb2.InvokeRequest(tok="azure-native:compute:getDisk"))
    assert "not emulated" in refusal.value.details()


def test_what_the_protocol_has_besides_is_unimplemented(stub: Any) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        stub.Construct(provider_pb2.ConstructRequest())
    assert refusal.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_nothing_is_served_after_the_stop(bench: Bench) -> None:
    served = serve({"azure-native": bench.cloud})
    served.stop()
    with grpc.insecure_channel(f"127.0.0.1:{served.ports['azure-native']}") as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        with pytest.raises(grpc.RpcError) as refusal:
            stub.GetPluginInfo(empty_pb2.Empty(), timeout=5)
    assert refusal.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def test_a_whole_region_over_the_wire(stub: Any) -> None:
    for pulumi_type, name, inputs in region_parts():
        checked = stub.Check(provider_pb2.CheckRequest(urn=urn(pulumi_type, name), news=to_struct(inputs)))
        assert list(checked.failures) == []
        stub.Create(provider_pb2.CreateRequest(urn=urn(pulumi_type, name), properties=checked.inputs))


def test_says_which_types_it_knows_to_languages_without_its_sdk(stub: Any) -> None:
    published = json.loads(stub.GetSchema(provider_pb2.GetSchemaRequest()).schema)
    assert published["name"] == "azure-native"
    assert published["provider"]["inputProperties"]["location"] == {"type": "string"}
    zone = published["resources"]["azure-native:privatedns:PrivateZone"]
    assert zone["requiredInputs"] == ["resourceGroupName"]
    assert zone["inputProperties"]["tags"] == {"type": "object", "additionalProperties": {"type": "string"}}
    vault = published["resources"]["azure-native:keyvault:Vault"]["inputProperties"]["properties"]
    assert vault == {"$ref": "pulumi.json#/Any"}
