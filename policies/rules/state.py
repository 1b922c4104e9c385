"""RES-07: where Pulumi keeps what it knows of a stack.

No resource stands for it, and a policy pack is not told of it, so that the stack declares it (`bailiwick:state`). What
an address says by itself (`?region=`, a key's ARN, a key ring's path) is held against that.
"""

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qs, urlsplit

from pulumi_policy import Severity

import catalog
from policies import examples
from policies.context import Declared
from policies.rule import Example, Rule
from policies.subject import Property, Stack
from policies.terms import region_id
from policies.verdict import Finding, NotApplicable

_BACKENDS = ("azblob", "s3", "gs", "file", "https")
_SECRETS = ("passphrase", "azurekeyvault", "awskms", "gcpkms", "hashivault")
_IN_PATH = re.compile(r"(?:^|/)locations/([a-z0-9-]+)/|^arn:[a-z-]+:kms:([a-z0-9-]+):")
_VENDOR = "pulumi-cloud"


def _kept_here(_: Stack, declared: Declared) -> Iterator[Finding]:
    nothing = not declared.stack.get("state") or not any(declared.state.at(key).value for key in declared.state.names())
    if declared.emulated and nothing:
        raise NotApplicable("an emulated stack's state is on the machine that emulates it, about nothing real")
    state = declared.state
    allowed = ", ".join(declared.regions)
    location = state.at("location")
    if region_id(location.text or "") not in declared.regions:
        found = f"is outside {declared.area}, or no region" if location.value else "is not stated"
        yield Finding(location.path, found, allowed)
    yield from _address(state.at("backend"), _BACKENDS, declared)
    yield from _address(state.at("secretsProvider"), _SECRETS, declared)


def _address(address: Property, schemes: tuple[str, ...], declared: Declared) -> Iterator[Finding]:
    """What is wrong with where state, or the key of its secrets, is."""
    text = address.text or ""
    try:
        parts = urlsplit(text)
        scheme, host = parts.scheme or text, parts.hostname or ""
    except ValueError:
        scheme, host, parts = "", "", SplitResult("", "", "", "", "")
    if scheme not in schemes:
        found = "is not stated" if not address.value else "is an address of no kind that can be judged"
        yield Finding(address.path, found, " or ".join(schemes))
    elif host in catalog.load().vendor_services[_VENDOR].endpoints.values():
        yield Finding(address.path, "is a service that keeps state in another country", f"a store in {declared.area}")
    for region in _regions(parts):
        if region not in declared.regions:
            yield Finding(address.path, f"names a region outside {declared.area}", ", ".join(declared.regions))


def _regions(parts: SplitResult) -> Iterator[str]:
    yield from parse_qs(parts.query).get("region", ())
    named = _IN_PATH.search(parts.netloc + parts.path) or _IN_PATH.search(parts.path.lstrip("/"))
    if named:
        yield named.group(1) or named.group(2)


def _example(says: str, **state: str) -> Example:
    return Example(says, (examples.VAULT,), {"state": examples.state(**state)})


RES_07 = Rule(
    id="RES-07",
    title="Pulumi's state, and the key of its secrets, are in the jurisdiction",
    why="State names every resource and holds what the program computed; whoever keeps it knows the region.",
    severity=Severity.HIGH,
    remediation="keep state in a store of the region, and declare it: `bailiwick:state` with backend, secretsProvider "
    "and location",
    confirm="that the store is in the region that `location` says, where its address does not name one, and that the "
    "stack is deployed with this backend and no other.",
    check_stack=_kept_here,
    passing=_example("A blob container and a vault in Germany."),
    failing=(
        Example(
            "A stack in a real account that does not say.",
            (examples.VAULT,),
            {"emulated": "false", "subscriptionId": "7d0f0d1e-0000-4000-8000-000000000001"},
        ),
        _example("State in the Netherlands.", location="westeurope"),
        _example("Pulumi's own service.", backend="https://api.pulumi.com"),
        _example("Secrets under a key of another region.", secretsProvider="awskms:///alias/state?region=us-east-1"),
        _example("Secrets under a key, but which?", secretsProvider=""),
    ),
)

RULES = (RES_07,)
