"""Amazon Route 53: private zones and the records in them."""

from sandbox.clouds.aws.resource import AwsType, Call
from sandbox.clouds.resource import CloudError
from sandbox.provider import Properties
from sandbox.values import Value


def _create_zone(call: Call) -> str:
    vpcs = [
        {"VPCId": vpc.text("vpcId"), "VPCRegion": vpc.text("vpcRegion") or call.region}
        for vpc in call.inputs.items("vpcs")
    ]
    comment = call.inputs.text("comment") or "Managed by Pulumi"
    request: dict[str, Value] = {
        "Name": call.inputs.text("name"),
        "CallerReference": call.urn,
        "HostedZoneConfig": {"Comment": comment, "PrivateZone": bool(vpcs)},
    }
    if vpcs:
        request["VPC"] = vpcs[0]
    route53 = call.client("route53")
    zone_id = str(route53.create_hosted_zone(**request)["HostedZone"]["Id"]).rsplit("/", 1)[-1]
    for vpc in vpcs[1:]:
        route53.associate_vpc_with_hosted_zone(HostedZoneId=zone_id, VPC=vpc)
    _tag(call.at(zone_id))
    return zone_id


def _tag(call: Call) -> None:
    if call.tags:
        call.client("route53").change_tags_for_resource(
            ResourceType="hostedzone", ResourceId=call.id, AddTags=call.tags
        )


def _vpc_exists(call: Call) -> None:
    """moto associates a zone with any VPC id; Route 53 looks."""
    for vpc in () if call.preview else call.inputs.items("vpcs"):
        region = vpc.text("vpcRegion") or call.region
        call.session.client("ec2", region).describe_vpcs(VpcIds=[vpc.text("vpcId")])


def _zone(call: Call) -> Properties:
    found = call.client("route53").get_hosted_zone(Id=call.id)
    servers = found.get("DelegationSet", {}).get("NameServers", [])
    arn = f"arn:{call.client('route53').meta.partition}:route53:::hostedzone/{call.id}"
    return {"arn": arn, "zoneId": call.id, "nameServers": servers}


def _change_record(call: Call, action: str) -> None:
    inputs = call.inputs
    record: dict[str, Value] = {"Name": _full_name(call), "Type": inputs.text("type")}
    aliases = inputs.items("aliases")
    if aliases:
        record["AliasTarget"] = {
            "HostedZoneId": aliases[0].text("zoneId"),
            "DNSName": aliases[0].text("name"),
            "EvaluateTargetHealth": aliases[0]["evaluateTargetHealth"] is True,
        }
    else:
        record |= {
            "TTL": int(inputs["ttl"] or 0),
            "ResourceRecords": [{"Value": value} for value in inputs["records"] or ()],
        }
    changes = [{"Action": action, "ResourceRecordSet": record}]
    call.client("route53").change_resource_record_sets(
        HostedZoneId=inputs.text("zoneId"), ChangeBatch={"Changes": changes}
    )


def _full_name(call: Call) -> str:
    """Relative names are completed with the zone's, as the provider does."""
    zone = str(call.client("route53").get_hosted_zone(Id=call.inputs.text("zoneId"))["HostedZone"]["Name"]).rstrip(".")
    name = call.inputs.text("name").rstrip(".")
    if name == zone or name.endswith(f".{zone}"):
        return name
    return f"{name}.{zone}" if name else zone


def _alias_or_values(call: Call) -> None:
    if bool(call.inputs["aliases"]) == bool(call.inputs["records"]):
        raise CloudError("InvalidArgument", "one of `aliases,records` must be specified, and not both")


def _create_record(call: Call) -> str:
    _change_record(call, "CREATE" if call.inputs["allowOverwrite"] is not True else "UPSERT")
    return f"{call.inputs.text('zoneId')}_{call.inputs.text('name')}_{call.inputs.text('type')}"


TYPES = (
    AwsType(
        pulumi_type="aws:route53/zone:Zone",
        create=_create_zone,
        change=_tag,
        remove=lambda call: call.client("route53").delete_hosted_zone(Id=call.id),
        answer=_zone,
        in_place=frozenset({"tags", "comment", "forceDestroy"}),
        defaults={"comment": "Managed by Pulumi", "forceDestroy": False},
        checks=(_vpc_exists,),
    ),
    AwsType(
        pulumi_type="aws:route53/record:Record",
        create=_create_record,
        change=lambda call: _change_record(call, "UPSERT"),
        remove=lambda call: _change_record(call, "DELETE"),
        answer=lambda call: {"fqdn": _full_name(call)},
        in_place=frozenset({"aliases", "records", "ttl", "allowOverwrite"}),
        checks=(_alias_or_values,),
    ),
)
