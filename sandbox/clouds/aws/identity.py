"""AWS IAM: roles, their policies, and the profiles that hand a role to a machine."""

from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import IAMPolicyDocumentValidator, IAMTrustPolicyDocumentValidator

from sandbox.clouds.aws.documents import well_formed
from sandbox.clouds.aws.resource import AwsType, Call
from sandbox.clouds.resource import CloudError
from sandbox.provider import Properties

_POLICY = well_formed("policy")


def _create_role(call: Call) -> str:
    request = call.given(
        RoleName=call.name,
        AssumeRolePolicyDocument=call.inputs["assumeRolePolicy"],
        Path=call.inputs["path"],
        Description=call.inputs["description"],
        MaxSessionDuration=call.inputs["maxSessionDuration"],
        PermissionsBoundary=call.inputs["permissionsBoundary"],
        Tags=call.tags,
    )
    return str(call.client("iam").create_role(**request)["Role"]["RoleName"])


def _change_role(call: Call) -> None:
    iam = call.client("iam")
    if call.changed("assumeRolePolicy"):
        iam.update_assume_role_policy(RoleName=call.id, PolicyDocument=call.inputs["assumeRolePolicy"])
    if call.changed("tags"):
        iam.untag_role(RoleName=call.id, TagKeys=list(call.before["tags"] or {}))
        iam.tag_role(RoleName=call.id, Tags=call.tags)


def _role(call: Call) -> Properties:
    found = call.client("iam").get_role(RoleName=call.id)["Role"]
    return {"arn": found["Arn"], "uniqueId": found["RoleId"], "createDate": found["CreateDate"].isoformat()}


def _trust_is_well_formed(call: Call) -> None:
    """Who may assume the role: moto has the validator and does not ask it when a role is made."""
    try:
        IAMTrustPolicyDocumentValidator(call.inputs["assumeRolePolicy"]).validate()
    except MalformedPolicyDocument as error:
        raise CloudError("MalformedPolicyDocument", f"assumeRolePolicy: {error.message}") from None


def _names_resources(call: Call) -> None:
    """An identity's policy says on what: moto judges it when it is put, a preview already here."""
    text = call.inputs["policy"]
    try:
        IAMPolicyDocumentValidator(text).validate()
    except MalformedPolicyDocument as error:
        raise CloudError("MalformedPolicyDocument", f"policy: {error.message}") from None


def _put_policy(call: Call) -> None:
    call.client("iam").put_role_policy(
        RoleName=call.inputs["role"], PolicyName=call.name, PolicyDocument=call.inputs["policy"]
    )


def _create_policy(call: Call) -> str:
    _put_policy(call)
    return f"{call.inputs.text('role')}:{call.name}"


def _create_profile(call: Call) -> str:
    iam = call.client("iam")
    iam.create_instance_profile(**call.given(InstanceProfileName=call.name, Path=call.inputs["path"], Tags=call.tags))
    if call.inputs["role"]:
        iam.add_role_to_instance_profile(InstanceProfileName=call.name, RoleName=call.inputs["role"])
    return call.name


def _remove_profile(call: Call) -> None:
    iam = call.client("iam")
    if call.inputs["role"]:
        iam.remove_role_from_instance_profile(InstanceProfileName=call.id, RoleName=call.inputs["role"])
    iam.delete_instance_profile(InstanceProfileName=call.id)


def _profile(call: Call) -> Properties:
    found = call.client("iam").get_instance_profile(InstanceProfileName=call.id)["InstanceProfile"]
    return {
        "arn": found["Arn"],
        "uniqueId": found["InstanceProfileId"],
        "createDate": found["CreateDate"].isoformat(),
    }


def _attach(call: Call) -> str:
    role, policy = call.inputs.text("role"), call.inputs.text("policyArn")
    call.client("iam").attach_role_policy(RoleName=role, PolicyArn=policy)
    return f"{role}/{policy}"


TYPES = (
    AwsType(
        pulumi_type="aws:iam/role:Role",
        create=_create_role,
        change=_change_role,
        remove=lambda call: call.client("iam").delete_role(RoleName=call.id),
        answer=_role,
        in_place=frozenset({"tags", "assumeRolePolicy", "description", "maxSessionDuration", "forceDetachPolicies"}),
        name_property="name",
        defaults={"path": "/", "maxSessionDuration": 3600},
        checks=(well_formed("assumeRolePolicy"), _trust_is_well_formed),
    ),
    AwsType(
        pulumi_type="aws:iam/rolePolicy:RolePolicy",
        create=_create_policy,
        change=_put_policy,
        remove=lambda call: call.client("iam").delete_role_policy(RoleName=call.inputs["role"], PolicyName=call.name),
        in_place=frozenset({"policy"}),
        name_property="name",
        checks=(_POLICY, _names_resources),
    ),
    AwsType(
        pulumi_type="aws:iam/instanceProfile:InstanceProfile",
        create=_create_profile,
        remove=_remove_profile,
        answer=_profile,
        in_place=frozenset({"tags"}),
        name_property="name",
        defaults={"path": "/"},
    ),
    AwsType(
        pulumi_type="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        create=_attach,
        remove=lambda call: call.client("iam").detach_role_policy(
            RoleName=call.inputs["role"], PolicyArn=call.inputs["policyArn"]
        ),
    ),
)
