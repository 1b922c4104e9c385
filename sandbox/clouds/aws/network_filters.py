"""Amazon VPC: security groups and network ACLs, which say what traffic passes."""

from collections.abc import Iterator, Mapping

from sandbox.clouds.aws.backends import ACCOUNT
from sandbox.clouds.aws.network import arn_of, retag, tagged
from sandbox.clouds.aws.resource import AwsType, Call
from sandbox.clouds.resource import View
from sandbox.values import Value

_TAGS = frozenset({"tags"})


def _network_exists(call: Call) -> None:
    """moto makes a security group in any VPC; EC2 looks."""
    if call.inputs["vpcId"] and not call.preview:
        call.client("ec2").describe_vpcs(VpcIds=[call.inputs["vpcId"]])


def _create_group(call: Call) -> str:
    ec2 = call.client("ec2")
    request = call.given(
        GroupName=call.name,
        Description=call.inputs["description"],
        VpcId=call.inputs["vpcId"],
        TagSpecifications=tagged("security-group", call),
    )
    group_id = str(ec2.create_security_group(**request)["GroupId"])
    # The provider takes away the rule with which AWS lets everything out.
    created = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
    if created["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=group_id, IpPermissions=created["IpPermissionsEgress"])
    _authorize(call.at(group_id))
    return group_id


def _authorize(call: Call) -> None:
    ec2 = call.client("ec2")
    for direction, authorize in (
        ("ingress", ec2.authorize_security_group_ingress),
        ("egress", ec2.authorize_security_group_egress),
    ):
        permissions = [_permission(rule) for rule in call.inputs.items(direction)]
        if permissions:
            authorize(GroupId=call.id, IpPermissions=permissions)


def _change_group(call: Call) -> None:
    ec2 = call.client("ec2")
    if call.changed("ingress") or call.changed("egress"):
        found = ec2.describe_security_groups(GroupIds=[call.id])["SecurityGroups"][0]
        if found["IpPermissions"]:
            ec2.revoke_security_group_ingress(GroupId=call.id, IpPermissions=found["IpPermissions"])
        if found["IpPermissionsEgress"]:
            ec2.revoke_security_group_egress(GroupId=call.id, IpPermissions=found["IpPermissionsEgress"])
        _authorize(call)
    retag(call)


def _permission(rule: View) -> dict[str, Value]:
    """One inline rule as an EC2 IpPermission."""
    described = {"Description": rule.text("description")} if rule["description"] else {}
    permission: dict[str, Value] = {
        "IpProtocol": str(rule["protocol"]),
        "IpRanges": [{"CidrIp": block, **described} for block in rule["cidrBlocks"] or ()],
        "Ipv6Ranges": [{"CidrIpv6": block, **described} for block in rule["ipv6CidrBlocks"] or ()],
        "PrefixListIds": [{"PrefixListId": each, **described} for each in rule["prefixListIds"] or ()],
        "UserIdGroupPairs": [{"GroupId": each, **described} for each in rule["securityGroups"] or ()],
    }
    if permission["IpProtocol"] not in ("-1", "all"):
        permission |= {"FromPort": int(rule["fromPort"]), "ToPort": int(rule["toPort"])}
    return {name: value for name, value in permission.items() if value != []}


def _create_acl(call: Call) -> str:
    ec2 = call.client("ec2")
    request = call.given(VpcId=call.inputs["vpcId"], TagSpecifications=tagged("network-acl", call))
    acl_id = str(ec2.create_network_acl(**request)["NetworkAcl"]["NetworkAclId"])
    made = call.at(acl_id)
    for entry in _entries(call.inputs):
        ec2.create_network_acl_entry(NetworkAclId=acl_id, **entry)
    for subnet in call.inputs["subnetIds"] or ():
        _move(made, subnet, acl_id)
    return acl_id


def _entries(inputs: View) -> Iterator[dict[str, Value]]:
    for direction in ("ingress", "egress"):
        for rule in inputs.items(direction):
            entry: dict[str, Value] = {
                "RuleNumber": int(rule["ruleNo"]),
                "Protocol": _PROTOCOLS.get(str(rule["protocol"]), str(rule["protocol"])),
                "RuleAction": rule["action"],
                "Egress": direction == "egress",
                "CidrBlock": rule["cidrBlock"],
            }
            if entry["Protocol"] != "-1":
                entry["PortRange"] = {"From": int(rule["fromPort"]), "To": int(rule["toPort"])}
            yield entry


_PROTOCOLS: Mapping[str, str] = {"tcp": "6", "udp": "17", "icmp": "1", "all": "-1"}


def _move(call: Call, subnet: str, acl_id: str) -> None:
    """Put a subnet under an ACL: AWS replaces the association that it has."""
    ec2 = call.client("ec2")
    found = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"]
    for acl in found:
        for association in acl["Associations"]:
            if association["SubnetId"] == subnet:
                ec2.replace_network_acl_association(
                    AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl_id
                )
                return


def _remove_acl(call: Call) -> None:
    """The subnets go back to the VPC's own ACL."""
    ec2 = call.client("ec2")
    filters = [
        {"Name": "vpc-id", "Values": [call.inputs.text("vpcId")]},
        {"Name": "default", "Values": ["true"]},
    ]
    default = ec2.describe_network_acls(Filters=filters)["NetworkAcls"][0]["NetworkAclId"]
    for subnet in call.inputs["subnetIds"] or ():
        _move(call, subnet, default)
    ec2.delete_network_acl(NetworkAclId=call.id)


def _empty_default_group(call: Call) -> str:
    """Adopt the VPC's own security group and take its rules."""
    ec2 = call.client("ec2")
    filters = [
        {"Name": "vpc-id", "Values": [call.inputs.text("vpcId")]},
        {"Name": "group-name", "Values": ["default"]},
    ]
    group = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]
    if group["IpPermissions"]:
        ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
    if group["IpPermissionsEgress"]:
        ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
    _authorize(call.at(str(group["GroupId"])))
    return str(group["GroupId"])


TYPES = (
    AwsType(
        pulumi_type="aws:ec2/securityGroup:SecurityGroup",
        create=_create_group,
        change=_change_group,
        remove=lambda call: call.client("ec2").delete_security_group(GroupId=call.id),
        answer=lambda call: {"arn": arn_of(call, f"security-group/{call.id}"), "ownerId": ACCOUNT},
        in_place=_TAGS | {"ingress", "egress", "revokeRulesOnDelete"},
        name_property="name",
        defaults={"description": "Managed by Pulumi"},
        checks=(_network_exists,),
    ),
    AwsType(
        pulumi_type="aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        create=_empty_default_group,
        change=_change_group,
        answer=lambda call: {"arn": arn_of(call, f"security-group/{call.id}"), "name": "default"},
        in_place=_TAGS | {"ingress", "egress"},
    ),
    AwsType(
        pulumi_type="aws:ec2/networkAcl:NetworkAcl",
        create=_create_acl,
        change=retag,
        remove=_remove_acl,
        answer=lambda call: {"arn": arn_of(call, f"network-acl/{call.id}"), "ownerId": ACCOUNT},
        in_place=_TAGS,
    ),
)
