"""Identities and what they may do."""

from components.azure import Grant, Placement, WorkloadIdentity, WorkloadIdentityArgs
from tests.components.azure.recorder import Recording, record


def _deploy(placement: Placement) -> Recording:
    grants = [Grant("unwrap", "role-1", "key-1"), Grant("read", "role-2", "container-1")]
    return record(
        lambda: WorkloadIdentity("broker", WorkloadIdentityArgs(placement=placement, role="broker", grants=grants))
    )


def test_it_may_do_what_is_granted_and_no_more(placement: Placement) -> None:
    found = _deploy(placement)
    assignments = [one.inputs for one in found.of_type("authorization:RoleAssignment")]
    assert {(one["roleDefinitionId"], one["scope"]) for one in assignments} == {
        ("role-1", "key-1"),
        ("role-2", "container-1"),
    }
    assert {one["principalId"] for one in assignments} == {"<broker-identity.principalId>"}
    assert {one["principalType"] for one in assignments} == {"ServicePrincipal"}


def test_assignments_keep_their_names_from_run_to_run(placement: Placement) -> None:
    first, second = (
        {one.name: one.inputs["roleAssignmentName"] for one in _deploy(placement).of_type("RoleAssignment")}
        for _ in range(2)
    )
    assert first == second
    assert len(set(first.values())) == 2
