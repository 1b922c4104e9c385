"""What governs a project: enabled services and organization policies."""

import re
from typing import Final

import catalog
from sandbox.clouds.gcp import ids
from sandbox.clouds.gcp.errors import ApiError, RefusedError
from sandbox.clouds.gcp.places import CLOUD, MULTI_REGIONS, regions
from sandbox.clouds.gcp.rules import matches, require_own
from sandbox.clouds.resource import Account, Request, ResourceType, View
from sandbox.values import UNKNOWN

SERVICE: Final = "serviceusage.googleapis.com/Service"
ORG_POLICY: Final = "orgpolicy.googleapis.com/Policy"
_POLICY_NAME = re.compile(r"(?:projects|folders|organizations)/[^/]+/policies/(?P<constraint>[A-Za-z0-9.]+)")
_LOCATIONS: Final = "gcp.resourceLocations"
_GROUP = re.compile(r"in:(?P<group>[a-z0-9-]+)-locations")
_EFFECTS: Final = ("values", "allowAll", "denyAll", "enforce")
# Value groups that are no region and no country (Resource Manager, "Restricting resource locations").
_GROUPS: Final = frozenset({"eu", "europe", "us", "asia", "americas", "northamerica", "southamerica", "australia"})


def _service_identity(account: Account, inputs: View) -> tuple[str, str]:
    project = ids.project_of(account, inputs)
    return f"{project}/{inputs.text('service')}", f"projects/{project}"


def _constraint(request: Request) -> str:
    found = _POLICY_NAME.fullmatch(request.inputs.text("name"))
    if found is None:
        raise RefusedError(f"name '{request.inputs.text('name')}' is not {{parent}}/policies/{{constraint}}")
    return found["constraint"]


def _parent(request: Request) -> None:
    """The policy lies on its parent, which is the one project that there is."""
    parent = request.inputs.text("parent")
    _constraint(request)
    if not parent.startswith("projects/"):
        raise ApiError(
            403,
            f"Permission 'orgpolicy.policies.create' denied on resource '{parent}' (or it may not exist)",
            "forbidden",
        )
    require_own(parent, request.session.account.id)
    if not request.inputs.text("name").startswith(f"{parent}/policies/"):
        raise ApiError(400, f"The policy '{request.inputs.text('name')}' is not on '{parent}'", "badRequest")


def _rules(request: Request) -> None:
    """Each rule has one effect, of the kind that its constraint has."""
    constraint = _constraint(request)
    for section in ("spec", "dryRunSpec"):
        for rule in request.inputs.items(f"{section}.rules"):
            effects = [name for name in _EFFECTS if rule[name] is not None]
            if len(effects) != 1:
                raise ApiError(
                    400, f"A rule must have exactly one of {', '.join(_EFFECTS)}: has {effects}", "badRequest"
                )
            _judge_flag(rule, effects[0])
            if constraint == _LOCATIONS:
                _judge_locations(rule)


def _judge_flag(rule: View, effect: str) -> None:
    if effect != "values" and rule[effect] not in ("TRUE", "FALSE"):
        raise RefusedError(f'expected {effect} to be one of ["TRUE" "FALSE"], got {rule[effect]}')


def _judge_locations(rule: View) -> None:
    if rule["enforce"] is not None:
        raise ApiError(
            400, f"constraints/{_LOCATIONS} is a list constraint; 'enforce' is for boolean ones", "badRequest"
        )
    for path in ("values.allowedValues", "values.deniedValues"):
        for value in rule[path] or ():
            if value is not UNKNOWN and not _is_location(str(value)):
                raise ApiError(
                    400,
                    f"Invalid value '{value}' for constraints/{_LOCATIONS}: no such location or group",
                    "badRequest",
                )


def _is_location(value: str) -> bool:
    found = _GROUP.fullmatch(value)
    if found is None:
        name = value.removeprefix("is:").lower()
        return name in regions() or name in MULTI_REGIONS
    countries = {region.country.lower() for region in catalog.load().regions(cloud=CLOUD)}
    return found["group"] in _GROUPS | regions() | countries


TYPES = (
    ResourceType(
        pulumi_type="gcp:projects/service:Service",
        kind=SERVICE,
        identify=_service_identity,
        name_property=None,
        replace_on=("project", "service"),
        checks=(matches("service", r"[a-z0-9-]+\.(?:[a-z0-9-]+\.)*googleapis\.com"),),
    ),
    ResourceType(
        pulumi_type="gcp:orgpolicy/policy:Policy",
        kind=ORG_POLICY,
        identify=lambda _account, inputs: (inputs.text("name"), inputs.text("parent")),
        name_property="name",
        replace_on=("name", "parent"),
        checks=(_parent, _rules),
    ),
)
