"""The answers for a package that no module here knows: it has no machines, keys or networks that a rule could judge.

RES-02 and RES-03 refuse such resources and their providers, so that silence here is never a pass.
"""

from policies.context import Declared
from policies.release.model import MalformedDocument, Way
from policies.subject import Property, Resource

CLOUD_FAMILY = ""


def locations(_: Resource) -> tuple[Property, ...]:
    return ()


def provider_settings(_: Property, __: Declared) -> tuple[()]:
    return ()


def location_of_verifier(_: str, __: object) -> None:
    return None


def parse_release_document(_: str) -> tuple[Way, ...]:
    raise MalformedDocument("", "is in a language that no module knows")


def sources(_: Resource, __: Declared) -> tuple[()]:
    return ()


def _nothing(_: Resource) -> None:
    return None


def _no_parts(_: Resource) -> tuple[()]:
    return ()


machine = disk_key = key_store = key = private_door = egress_guard = record_store = audit_stream = _nothing
runtime = model_deployment = tags = role = holder = private_name = guarded_network = needs_guard = _nothing
store_name = private_host = _nothing
ways_in = ways_out = subnets = side_doors = copies_away = redundancies = transport = managed_verifier = _no_parts
peerings = container_images = log_sinks = content_logs = migration = service_keys = own_hardware = _no_parts
key_places = quorums = release_documents = managed_models = callers = model_sources = _no_parts
provenance_demands = watched_apis = _no_parts
