"""Elastic Load Balancing: load balancers, listeners, and the targets behind them."""

from sandbox.clouds.aws.resource import AwsType, Call
from sandbox.clouds.resource import CloudError
from sandbox.provider import Properties
from sandbox.values import Value

_TAGS = frozenset({"tags"})


def _whole(value: Value) -> int | None:
    return None if value is None else int(value)


def _create(call: Call) -> str:
    inputs = call.inputs
    request = call.given(
        Name=call.name,
        Type=inputs["loadBalancerType"],
        Scheme="internal" if inputs["internal"] is True else "internet-facing",
        Subnets=inputs["subnets"],
        SecurityGroups=inputs["securityGroups"],
        Tags=call.tags,
    )
    made = call.client("elbv2").create_load_balancer(**request)["LoadBalancers"][0]
    return str(made["LoadBalancerArn"])


def _name_fits(call: Call) -> None:
    if len(call.name) > 32:
        raise CloudError("ValidationError", f'"name" cannot be longer than 32 characters: "{call.name}"')


def _answer(call: Call) -> Properties:
    found = call.client("elbv2").describe_load_balancers(LoadBalancerArns=[call.id])["LoadBalancers"][0]
    return {
        "arn": call.id,
        "arnSuffix": call.id.split(":loadbalancer/", 1)[1],
        "dnsName": found["DNSName"],
        "zoneId": found["CanonicalHostedZoneId"],
        "vpcId": found["VpcId"],
    }


def _create_target_group(call: Call) -> str:
    inputs, check = call.inputs, call.inputs["healthCheck"] or {}
    request = call.given(
        Name=call.name,
        Protocol=inputs["protocol"],
        Port=_whole(inputs["port"]),
        VpcId=inputs["vpcId"],
        TargetType=inputs["targetType"],
        HealthCheckProtocol=check.get("protocol"),
        HealthCheckPath=check.get("path"),
        HealthCheckPort=check.get("port"),
        HealthCheckIntervalSeconds=_whole(check.get("interval")),
        HealthCheckTimeoutSeconds=_whole(check.get("timeout")),
        HealthyThresholdCount=_whole(check.get("healthyThreshold")),
        UnhealthyThresholdCount=_whole(check.get("unhealthyThreshold")),
        Tags=call.tags,
    )
    return str(call.client("elbv2").create_target_group(**request)["TargetGroups"][0]["TargetGroupArn"])


def _attach(call: Call) -> str:
    target, group = call.inputs.text("targetId"), call.inputs.text("targetGroupArn")
    target_description = call.given(Id=target, Port=_whole(call.inputs["port"]))
    call.client("elbv2").register_targets(TargetGroupArn=group, Targets=[target_description])
    return f"{group}-{target}"


def _target_exists(call: Call) -> None:
    """moto registers any target; the service looks for the instance."""
    target = call.inputs.text("targetId")
    if target.startswith("i-") and not call.preview:
        ec2 = call.client("ec2")
        try:
            ec2.describe_instances(InstanceIds=[target])
        except ec2.exceptions.ClientError:
            raise CloudError("InvalidTarget", f"The following targets are not valid: '{target}'") from None


def _detach(call: Call) -> None:
    call.client("elbv2").deregister_targets(
        TargetGroupArn=call.inputs["targetGroupArn"], Targets=[{"Id": call.inputs["targetId"]}]
    )


def _create_listener(call: Call) -> str:
    inputs = call.inputs
    request = call.given(
        LoadBalancerArn=inputs["loadBalancerArn"],
        Protocol=inputs["protocol"],
        Port=_whole(inputs["port"]),
        DefaultActions=_actions(call),
        Tags=call.tags,
    )
    return str(call.client("elbv2").create_listener(**request)["Listeners"][0]["ListenerArn"])


def _actions(call: Call) -> list[dict[str, Value]]:
    return [
        call.given(Type=action["type"], TargetGroupArn=action["targetGroupArn"])
        for action in call.inputs.items("defaultActions")
    ]


def _remove(call: Call) -> None:
    call.client("elbv2").delete_load_balancer(LoadBalancerArn=call.id)


TYPES = (
    AwsType(
        pulumi_type="aws:lb/loadBalancer:LoadBalancer",
        create=_create,
        remove=_remove,
        answer=_answer,
        in_place=_TAGS | {"enableDeletionProtection", "enableCrossZoneLoadBalancing"},
        name_property="name",
        checks=(_name_fits,),
    ),
    AwsType(
        pulumi_type="aws:lb/targetGroup:TargetGroup",
        create=_create_target_group,
        remove=lambda call: call.client("elbv2").delete_target_group(TargetGroupArn=call.id),
        answer=lambda call: {"arn": call.id, "arnSuffix": f"targetgroup/{call.id.split(':targetgroup/', 1)[1]}"},
        in_place=_TAGS | {"healthCheck", "deregistrationDelay"},
        name_property="name",
        checks=(_name_fits,),
    ),
    AwsType(
        pulumi_type="aws:lb/targetGroupAttachment:TargetGroupAttachment",
        create=_attach,
        remove=_detach,
        checks=(_target_exists,),
    ),
    AwsType(
        pulumi_type="aws:lb/listener:Listener",
        create=_create_listener,
        change=lambda call: call.client("elbv2").modify_listener(ListenerArn=call.id, DefaultActions=_actions(call)),
        remove=lambda call: call.client("elbv2").delete_listener(ListenerArn=call.id),
        answer=lambda call: {"arn": call.id},
        in_place=_TAGS | {"defaultActions"},
    ),
)
