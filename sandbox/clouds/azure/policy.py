"""Azure Policy: the built-in definitions that a residency guard assigns, and what they deny.

The definitions are those of Azure/azure-policy (built-in-policies); the catalogue has their ids. Of each the rule is
stated here as one function, with the parameters that an assignment must give.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import catalog
from sandbox.clouds.azure import arm
from sandbox.clouds.azure.places import CLOUD
from sandbox.clouds.resource import CloudError, Request, View
from sandbox.values import Value

ASSIGNMENT = "Microsoft.Authorization/policyAssignments"
_MACHINE = "Microsoft.Compute/virtualMachines"


@dataclass(frozen=True, slots=True)
class Definition:
    """One built-in definition. `denies` says whether a request is against it, given the values of its `parameter`."""

    parameter: str
    denies: Callable[[Request, list[str]], bool]


def _other_location(request: Request, allowed: list[str]) -> bool:
    location = arm.normal_location(request.inputs.text("location"))
    return bool(location) and location != "global" and location not in allowed


def _resource_elsewhere(request: Request, allowed: list[str]) -> bool:
    return request.type.kind != arm.RESOURCE_GROUP and _other_location(request, allowed)


def _group_elsewhere(request: Request, allowed: list[str]) -> bool:
    return request.type.kind == arm.RESOURCE_GROUP and _other_location(request, allowed)


def _other_size(request: Request, allowed: list[str]) -> bool:
    if request.type.kind != _MACHINE:
        return False
    return request.inputs.text("hardwareProfile.vmSize").lower() not in allowed


_BUILT_IN: Mapping[str, Definition] = {
    "allowed-locations": Definition("listOfAllowedLocations", _resource_elsewhere),
    "allowed-locations-groups": Definition("listOfAllowedLocations", _group_elsewhere),
    "allowed-sizes": Definition("listOfAllowedSKUs", _other_size),
}
"""By the id of the guardrail in the catalogue."""


def definition(id_: str) -> Definition | None:
    """The built-in definition with this ARM id, None where the emulated Azure has none."""
    rails = catalog.load().guardrails(CLOUD)
    return next((known for name, known in _BUILT_IN.items() if rails[name].definition.lower() == id_.lower()), None)


def judge_assignment(request: Request) -> None:
    """An assignment names a definition that there is, and gives exactly its parameters."""
    id_ = request.inputs.text("policyDefinitionId")
    found = definition(id_)
    if not id_:
        raise CloudError("InvalidRequestContent", "Required parameter 'policyDefinitionId' is missing (null).")
    guid = id_.rsplit("/", 1)[-1]
    if found is None:
        raise CloudError("PolicyDefinitionNotFound", f"The policy definition '{guid}' could not be found.")
    given = request.inputs["parameters"] or {}
    if not isinstance(given, Mapping):
        return
    if found.parameter not in given:
        raise CloudError(
            "MissingPolicyParameter",
            f"The policy assignment '{request.name}' is missing the parameter(s) '{found.parameter}' as defined in the"
            f" policy definition '{guid}'.",
        )
    if undefined := sorted(set(given) - {found.parameter}):
        raise CloudError(
            "UndefinedPolicyParameter",
            f"The policy assignment '{request.name}' is attempting to assign the parameter(s) '{','.join(undefined)}'"
            f" which are not defined in the policy definition '{guid}'.",
        )


def enforce(request: Request) -> None:
    """No assignment around the requested object is against it; a preview goes by what the assignment is to become."""
    if request.type.kind == ASSIGNMENT:
        return
    for assignment in request.store.of_kind(ASSIGNMENT):
        current = request.session.lookup(assignment.id, preview=request.preview) or assignment
        inputs = View(current.inputs)
        if _reaches(assignment.parent, request.id) and inputs["enforcementMode"] != "DoNotEnforce":
            found = definition(inputs.text("policyDefinitionId"))
            if found is not None and found.denies(request, _allowed(inputs[f"parameters.{found.parameter}.value"])):
                raise CloudError(
                    "RequestDisallowedByPolicy",
                    f"Resource '{request.name}' was disallowed by policy. Policy identifiers:"
                    f' \'[{{"policyAssignment":{{"name":"{inputs.text("displayName") or assignment.name}",'
                    f'"id":"{assignment.id}"}}}}]\'.',
                )


def _reaches(scope: str, object_id: str) -> bool:
    return f"{object_id.lower()}/".startswith(f"{scope.lower().rstrip('/')}/")


def _allowed(values: Value) -> list[str]:
    return [str(value).replace(" ", "").lower() for value in values or []]
