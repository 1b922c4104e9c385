"""Private DNS as a guest sees it: from a host name to the machines behind it."""

from collections.abc import Iterator
from typing import Any

from sandbox.clouds.aws import compute, places
from sandbox.clouds.aws.resource import Call, Session
from sandbox.clouds.resource import View
from sandbox.clouds.store import Object


def resolve(session: Session, host: str, vpc_id: str) -> list[str]:
    """The ids of the machines that `host` leads to from a VPC; none where it leads nowhere.

    A zone answers only in the VPCs that it is associated with. A record holds addresses of machines, or is the alias
    of a load balancer; then every machine of the target groups that its listeners forward to answers.
    """
    route53 = session.client("route53", session.location())
    host = host.rstrip(".").lower()
    found: dict[str, None] = {}
    for zone in route53.list_hosted_zones_by_vpc(VPCId=vpc_id, VPCRegion=session.location())["HostedZoneSummaries"]:
        name = str(zone["Name"]).rstrip(".").lower()
        if host != name and not host.endswith(f".{name}"):
            continue
        for record in route53.list_resource_record_sets(HostedZoneId=zone["HostedZoneId"])["ResourceRecordSets"]:
            if str(record["Name"]).rstrip(".").lower() == host and record["Type"] == "A":
                found |= dict.fromkeys(_machines(session, record, vpc_id))
    return list(found)


def storage_obstacle(session: Session, host: str, vpc_id: str) -> str | None:
    """Why a VPC does not lead to S3: it has no endpoint for it that its names or its routes use."""
    region = session.location()
    service = f"{places.place(region).endpoint_prefix}.{region}.s3"
    here = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "service-name", "Values": [service]}]
    endpoints = session.client("ec2", region).describe_vpc_endpoints(Filters=here)["VpcEndpoints"]
    if any(each.get("PrivateDnsEnabled") or each.get("RouteTableIds") for each in endpoints):
        return None
    lack = f"of {vpc_id} answers no public name: enable its private DNS" if endpoints else f"is absent from {vpc_id}"
    return f"{host} is outside the VPC: the endpoint for {service} {lack}"


def _machines(session: Session, record: dict[str, Any], vpc_id: str) -> Iterator[str]:
    if "AliasTarget" in record:
        instances = list(_behind(session, str(record["AliasTarget"]["DNSName"]).rstrip(".")))
    else:
        addresses = [each["Value"] for each in record.get("ResourceRecords", ())]
        filters = [{"Name": "private-ip-address", "Values": addresses}, {"Name": "vpc-id", "Values": [vpc_id]}]
        reservations = session.client("ec2", session.location()).describe_instances(Filters=filters)["Reservations"]
        instances = [each["InstanceId"] for reservation in reservations for each in reservation["Instances"]]
    for item in session.store.of_kind(compute.INSTANCE):
        if (instance := _id(item)) in instances:
            call = Call(session, session.types[compute.INSTANCE], item.urn, View(item.inputs), instance)
            yield compute.machine_id(call, instance)


def _id(item: Object) -> str:
    return item.id.rsplit("|", 1)[1]


def _behind(session: Session, dns_name: str) -> Iterator[str]:
    """The instances behind a load balancer."""
    elb = session.client("elbv2", session.location())
    for balancer in elb.describe_load_balancers()["LoadBalancers"]:
        if balancer["DNSName"].lower() != dns_name.lower():
            continue
        for listener in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            for action in listener["DefaultActions"]:
                health = elb.describe_target_health(TargetGroupArn=action["TargetGroupArn"])
                yield from (each["Target"]["Id"] for each in health["TargetHealthDescriptions"])
