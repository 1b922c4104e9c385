"""AWS Organizations: service control policies. The emulated account is a member of an organization."""

from typing import Any

from sandbox.clouds.aws.backends import ACCOUNT
from sandbox.clouds.aws.documents import well_formed
from sandbox.clouds.aws.resource import AwsType, Call
from sandbox.clouds.resource import CloudError
from sandbox.provider import Properties

_CONTENT_BYTES = 5120
"""Longest service control policy (Organizations quotas)."""


def _organization(call: Call) -> Any:
    """The client, once the account is in an organization with service control policies."""
    client = call.client("organizations")
    try:
        client.describe_organization()
    except client.exceptions.AWSOrganizationsNotInUseException:
        client.create_organization(FeatureSet="ALL")
    roots = client.list_roots()["Roots"]
    if "SERVICE_CONTROL_POLICY" not in {each["Type"] for each in roots[0].get("PolicyTypes", ())}:
        client.enable_policy_type(RootId=roots[0]["Id"], PolicyType="SERVICE_CONTROL_POLICY")
    return client


def _create(call: Call) -> str:
    made = _organization(call).create_policy(
        Content=call.inputs.text("content"),
        Description=call.inputs.text("description"),
        Name=call.name,
        Type=call.inputs.text("type") or "SERVICE_CONTROL_POLICY",
        Tags=call.tags,
    )
    return str(made["Policy"]["PolicySummary"]["Id"])


def _change(call: Call) -> None:
    _organization(call).update_policy(PolicyId=call.id, Content=call.inputs.text("content"), Name=call.name)


def _fits(call: Call) -> None:
    size = len(call.inputs.text("content").encode())
    if size > _CONTENT_BYTES:
        raise CloudError(
            "ConstraintViolationException",
            f"The policy content has {size} bytes; you have exceeded the maximum policy size of {_CONTENT_BYTES}.",
        )


def _answer(call: Call) -> Properties:
    return {"arn": _organization(call).describe_policy(PolicyId=call.id)["Policy"]["PolicySummary"]["Arn"]}


def _attach(call: Call) -> str:
    target, policy = call.inputs.text("targetId"), call.inputs.text("policyId")
    if target.isdigit() and target != ACCOUNT:
        raise CloudError("TargetNotFoundException", "You specified a target that doesn't exist.")
    _organization(call).attach_policy(PolicyId=policy, TargetId=target)
    return f"{target}:{policy}"


def _detach(call: Call) -> None:
    target, policy = call.id.split(":", 1)
    _organization(call).detach_policy(PolicyId=policy, TargetId=target)


TYPES = (
    AwsType(
        pulumi_type="aws:organizations/policy:Policy",
        create=_create,
        change=_change,
        remove=lambda call: _organization(call).delete_policy(PolicyId=call.id),
        answer=_answer,
        in_place=frozenset({"content", "description", "tags"}),
        name_property="name",
        defaults={"type": "SERVICE_CONTROL_POLICY"},
        checks=(well_formed("content", code="MalformedPolicyDocumentException"), _fits),
    ),
    AwsType(pulumi_type="aws:organizations/policyAttachment:PolicyAttachment", create=_attach, remove=_detach),
)
