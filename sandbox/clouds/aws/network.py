"""Amazon VPC: networks, subnets, routes, gateways and private endpoints."""

from sandbox.clouds.aws import places
from sandbox.clouds.aws.backends import ACCOUNT
from sandbox.clouds.aws.documents import well_formed
from sandbox.clouds.aws.resource import AwsType, Call
from sandbox.clouds.resource import CloudError
from sandbox.provider import Properties
from sandbox.values import Value

_TAGS = frozenset({"tags"})


def tagged(kind: str, call: Call) -> list[dict[str, Value]]:
    """TagSpecifications of an EC2 request."""
    return [{"ResourceType": kind, "Tags": call.tags}] if call.tags else []


def retag(call: Call) -> None:
    """Bring the tags of an EC2 object to what the program says."""
    if call.changed("tags"):
        call.client("ec2").delete_tags(Resources=[call.id])
        if call.tags:
            call.client("ec2").create_tags(Resources=[call.id], Tags=call.tags)


def arn_of(call: Call, resource: str, service: str = "ec2") -> str:
    return places.place(call.region).arn(service, resource, account=ACCOUNT)


def _create_vpc(call: Call) -> str:
    ec2 = call.client("ec2")
    request = call.given(
        CidrBlock=call.inputs["cidrBlock"],
        InstanceTenancy=call.inputs["instanceTenancy"],
        TagSpecifications=tagged("vpc", call),
    )
    vpc_id = str(ec2.create_vpc(**request)["Vpc"]["VpcId"])
    _name_service(call.at(vpc_id))
    return vpc_id


def _name_service(call: Call) -> None:
    ec2 = call.client("ec2")
    ec2.modify_vpc_attribute(VpcId=call.id, EnableDnsSupport={"Value": call.inputs["enableDnsSupport"] is not False})
    names = {"Value": call.inputs["enableDnsHostnames"] is True}
    ec2.modify_vpc_attribute(VpcId=call.id, EnableDnsHostnames=names)


def _change_vpc(call: Call) -> None:
    _name_service(call)
    retag(call)


def _vpc(call: Call) -> Properties:
    ec2 = call.client("ec2")
    inside = [{"Name": "vpc-id", "Values": [call.id]}]
    groups = ec2.describe_security_groups(Filters=[*inside, {"Name": "group-name", "Values": ["default"]}])
    acls = ec2.describe_network_acls(Filters=[*inside, {"Name": "default", "Values": ["true"]}])
    tables = ec2.describe_route_tables(Filters=[*inside, {"Name": "association.main", "Values": ["true"]}])
    main = tables["RouteTables"][0]["RouteTableId"]
    return {
        "arn": arn_of(call, f"vpc/{call.id}"),
        "ownerId": ACCOUNT,
        "defaultSecurityGroupId": groups["SecurityGroups"][0]["GroupId"],
        "defaultNetworkAclId": acls["NetworkAcls"][0]["NetworkAclId"],
        "defaultRouteTableId": main,
        "mainRouteTableId": main,
    }


def _create_subnet(call: Call) -> str:
    request = call.given(
        VpcId=call.inputs["vpcId"],
        CidrBlock=call.inputs["cidrBlock"],
        AvailabilityZone=call.inputs["availabilityZone"],
        TagSpecifications=tagged("subnet", call),
    )
    return str(call.client("ec2").create_subnet(**request)["Subnet"]["SubnetId"])


def _zone_is_here(call: Call) -> None:
    zone, zones = call.inputs["availabilityZone"], places.place(call.region).zones
    if zone and zones and zone not in zones:
        raise CloudError(
            "InvalidParameterValue",
            f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the"
            f" following availability zones: {', '.join(zones)}.",
        )


def _subnet(call: Call) -> Properties:
    found = call.client("ec2").describe_subnets(SubnetIds=[call.id])["Subnets"][0]
    return {
        "arn": arn_of(call, f"subnet/{call.id}"),
        "ownerId": ACCOUNT,
        "availabilityZone": found["AvailabilityZone"],
        "availabilityZoneId": found["AvailabilityZoneId"],
    }


def _create_endpoint(call: Call) -> str:
    inputs = call.inputs
    request = call.given(
        VpcId=inputs["vpcId"],
        ServiceName=inputs["serviceName"],
        VpcEndpointType=inputs["vpcEndpointType"],
        SubnetIds=inputs["subnetIds"],
        SecurityGroupIds=inputs["securityGroupIds"],
        RouteTableIds=inputs["routeTableIds"],
        PrivateDnsEnabled=inputs["privateDnsEnabled"] is True,  # the provider's default; EC2's own is true
        PolicyDocument=inputs["policy"],
        TagSpecifications=tagged("vpc-endpoint", call),
    )
    return str(call.client("ec2").create_vpc_endpoint(**request)["VpcEndpoint"]["VpcEndpointId"])


def _change_endpoint(call: Call) -> None:
    """The provider keeps the policy that there is when the program states none any more."""
    policy = call.inputs["policy"]
    if call.changed("policy") and policy is not None:
        call.client("ec2").modify_vpc_endpoint(VpcEndpointId=call.id, PolicyDocument=policy)
    retag(call)


def _service_exists(call: Call) -> None:
    """The service name has the partition's prefix, the region, and a service that the catalogue knows there."""
    place = places.place(call.region)
    name = call.inputs.text("serviceName")
    if not name.startswith(f"{place.endpoint_prefix}.{call.region}."):
        raise CloudError(
            "InvalidServiceName",
            f"The Vpc Endpoint Service '{name}' does not exist (in {call.region} the names of AWS services begin with"
            f" '{place.endpoint_prefix}.{call.region}.')",
        )
    wanted = call.inputs.text("vpcEndpointType") or "Gateway"
    service = name.rsplit(f"{call.region}.", 1)[1]
    if wanted == "Gateway" and service not in ("s3", "dynamodb"):
        raise CloudError(
            "InvalidParameter", f"Endpoint type (Gateway) does not match available service types ([Interface]): {name}"
        )


def _names_are_answered(call: Call) -> None:
    """Private DNS needs both of the VPC's DNS attributes."""
    if call.inputs["privateDnsEnabled"] is not True or call.preview:
        return
    ec2, vpc = call.client("ec2"), call.inputs.text("vpcId")
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        found = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)
        if not found[f"E{attribute[1:]}"]["Value"]:
            raise CloudError(
                "InvalidParameter",
                "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to"
                f" true for {vpc}",
            )


def _endpoint(call: Call) -> Properties:
    found = call.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[call.id])["VpcEndpoints"][0]
    entries = found.get("DnsEntries") or ()
    return {
        "arn": arn_of(call, f"vpc-endpoint/{call.id}"),
        "ownerId": ACCOUNT,
        "state": str(found["State"]).lower(),
        "dnsEntries": [{"dnsName": each["DnsName"], "hostedZoneId": each["HostedZoneId"]} for each in entries],
    }


def _create_table(call: Call) -> str:
    ec2 = call.client("ec2")
    request = call.given(VpcId=call.inputs["vpcId"], TagSpecifications=tagged("route-table", call))
    table_id = str(ec2.create_route_table(**request)["RouteTable"]["RouteTableId"])
    _route(call.at(table_id))
    return table_id


def _route(call: Call) -> None:
    for route in call.inputs.items("routes"):
        call.client("ec2").create_route(
            **call.given(
                RouteTableId=call.id,
                DestinationCidrBlock=route["cidrBlock"],
                GatewayId=route["gatewayId"],
                NatGatewayId=route["natGatewayId"],
                VpcPeeringConnectionId=route["vpcPeeringConnectionId"],
            )
        )


def _change_table(call: Call) -> None:
    for route in call.before.items("routes") if call.changed("routes") else ():
        call.client("ec2").delete_route(RouteTableId=call.id, DestinationCidrBlock=route["cidrBlock"])
    if call.changed("routes"):
        _route(call)
    retag(call)


def _associate(call: Call) -> str:
    request = call.given(RouteTableId=call.inputs["routeTableId"], SubnetId=call.inputs["subnetId"])
    return str(call.client("ec2").associate_route_table(**request)["AssociationId"])


def _create_gateway(call: Call) -> str:
    ec2 = call.client("ec2")
    request = call.given(TagSpecifications=tagged("internet-gateway", call))
    gateway = str(ec2.create_internet_gateway(**request)["InternetGateway"]["InternetGatewayId"])
    if call.inputs["vpcId"]:
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=call.inputs["vpcId"])
    return gateway


def _remove_gateway(call: Call) -> None:
    ec2 = call.client("ec2")
    if call.inputs["vpcId"]:
        ec2.detach_internet_gateway(InternetGatewayId=call.id, VpcId=call.inputs["vpcId"])
    ec2.delete_internet_gateway(InternetGatewayId=call.id)


def _allocate(call: Call) -> str:
    request = call.given(Domain="vpc", TagSpecifications=tagged("elastic-ip", call))
    return str(call.client("ec2").allocate_address(**request)["AllocationId"])


def _address(call: Call) -> Properties:
    found = call.client("ec2").describe_addresses(AllocationIds=[call.id])["Addresses"][0]
    return {"publicIp": found["PublicIp"], "allocationId": call.id, "domain": "vpc"}


TYPES = (
    AwsType(
        pulumi_type="aws:ec2/vpc:Vpc",
        create=_create_vpc,
        change=_change_vpc,
        remove=lambda call: call.client("ec2").delete_vpc(VpcId=call.id),
        answer=_vpc,
        in_place=_TAGS | {"enableDnsSupport", "enableDnsHostnames"},
        defaults={"enableDnsSupport": True, "instanceTenancy": "default"},
    ),
    AwsType(
        pulumi_type="aws:ec2/subnet:Subnet",
        create=_create_subnet,
        change=retag,
        remove=lambda call: call.client("ec2").delete_subnet(SubnetId=call.id),
        answer=_subnet,
        in_place=_TAGS | {"mapPublicIpOnLaunch"},
        checks=(_zone_is_here,),
    ),
    AwsType(
        pulumi_type="aws:ec2/vpcEndpoint:VpcEndpoint",
        create=_create_endpoint,
        change=_change_endpoint,
        remove=lambda call: call.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[call.id]),
        answer=_endpoint,
        in_place=_TAGS | {"policy"},
        checks=(_service_exists, _names_are_answered, well_formed("policy", code="InvalidPolicyDocument")),
    ),
    AwsType(
        pulumi_type="aws:ec2/routeTable:RouteTable",
        create=_create_table,
        change=_change_table,
        remove=lambda call: call.client("ec2").delete_route_table(RouteTableId=call.id),
        answer=lambda call: {"arn": arn_of(call, f"route-table/{call.id}"), "ownerId": ACCOUNT},
        in_place=_TAGS | {"routes"},
    ),
    AwsType(
        pulumi_type="aws:ec2/routeTableAssociation:RouteTableAssociation",
        create=_associate,
        remove=lambda call: call.client("ec2").disassociate_route_table(AssociationId=call.id),
    ),
    AwsType(
        pulumi_type="aws:ec2/internetGateway:InternetGateway",
        create=_create_gateway,
        change=retag,
        remove=_remove_gateway,
        answer=lambda call: {"arn": arn_of(call, f"internet-gateway/{call.id}"), "ownerId": ACCOUNT},
        in_place=_TAGS,
    ),
    AwsType(
        pulumi_type="aws:ec2/eip:Eip",
        create=_allocate,
        change=retag,
        remove=lambda call: call.client("ec2").release_address(AllocationId=call.id),
        answer=_address,
        in_place=_TAGS,
    ),
)
