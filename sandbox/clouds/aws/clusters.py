"""Amazon EKS: clusters and their node groups."""

from sandbox.clouds.aws.resource import AwsType, Call
from sandbox.clouds.resource import CloudError
from sandbox.provider import Properties
from sandbox.values import Value


def _create(call: Call) -> str:
    inputs = call.inputs
    vpc = call.given(
        subnetIds=inputs["vpcConfig.subnetIds"],
        securityGroupIds=inputs["vpcConfig.securityGroupIds"],
        endpointPrivateAccess=inputs["vpcConfig.endpointPrivateAccess"],
        endpointPublicAccess=inputs["vpcConfig.endpointPublicAccess"],
    )
    request = call.given(
        name=call.name,
        roleArn=inputs["roleArn"],
        version=inputs["version"],
        resourcesVpcConfig=vpc,
        encryptionConfig=_encryption(call),
        tags=call.tag_mapping,
    )
    call.client("eks").create_cluster(**request)
    return call.name


def _encryption(call: Call) -> list[dict[str, Value]]:
    config = call.inputs["encryptionConfig"]
    if config is None:
        return []
    key = call.inputs.text("encryptionConfig.provider.keyArn")
    return [{"resources": config.get("resources") or [], "provider": {"keyArn": key}}]


def _two_zones(call: Call) -> None:
    """The control plane's interfaces are in two zones at least."""
    subnets = call.inputs["vpcConfig.subnetIds"] or []
    if call.preview:
        return
    found = call.client("ec2").describe_subnets(SubnetIds=list(subnets))["Subnets"]
    if len({each["AvailabilityZone"] for each in found}) < 2:
        raise CloudError("InvalidParameterException", "Subnets specified must be in at least two different AZs")


def _reachable(call: Call) -> None:
    config = call.inputs["vpcConfig"] or {}
    if config.get("endpointPublicAccess") is False and config.get("endpointPrivateAccess") is not True:
        raise CloudError("InvalidParameterException", "Private and public endpoint access cannot be false")


def _answer(call: Call) -> Properties:
    found = call.client("eks").describe_cluster(name=call.id)["cluster"]
    return {
        "arn": found["arn"],
        "endpoint": found["endpoint"],
        "status": found["status"],
        "certificateAuthority": found.get("certificateAuthority"),
        "version": found["version"],
    }


def _create_nodes(call: Call) -> str:
    inputs = call.inputs
    scaling = {name: int(inputs[f"scalingConfig.{name}"] or 0) for name in ("minSize", "maxSize", "desiredSize")}
    request = call.given(
        clusterName=inputs["clusterName"],
        nodegroupName=inputs["nodeGroupName"],
        nodeRole=inputs["nodeRoleArn"],
        subnets=inputs["subnetIds"],
        scalingConfig=scaling,
        instanceTypes=inputs["instanceTypes"],
        amiType=inputs["amiType"],
        version=inputs["version"],
        releaseVersion=inputs["releaseVersion"],
        launchTemplate=call.given(id=inputs["launchTemplate.id"], version=inputs["launchTemplate.version"]),
        tags=call.tag_mapping,
    )
    call.client("eks").create_nodegroup(**request)
    return f"{inputs.text('clusterName')}:{inputs.text('nodeGroupName')}"


def _size_in_one_place(call: Call) -> None:
    template = call.inputs["launchTemplate.id"]
    if not template or not call.inputs["instanceTypes"] or call.preview:
        return
    found = call.client("ec2").describe_launch_template_versions(LaunchTemplateId=template)["LaunchTemplateVersions"]
    if found[-1]["LaunchTemplateData"].get("InstanceType"):
        raise CloudError(
            "InvalidParameterException",
            "You cannot specify instance types in both the launch template and the node group",
        )


def _release_of_the_version(call: Call) -> None:
    """A release is for one version of Kubernetes, and nodes are of their own version of it."""
    version, release = call.inputs["version"], call.inputs["releaseVersion"]
    if version and release and not str(release).startswith(f"{version}."):
        raise CloudError(
            "InvalidParameterException",
            f"Requested release version {release} is not valid for kubernetes version {version}",
        )


def _nodes(call: Call) -> Properties:
    cluster, name = call.id.split(":", 1)
    found = call.client("eks").describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]
    return {"arn": found["nodegroupArn"], "status": found["status"]}


def _remove_nodes(call: Call) -> None:
    cluster, name = call.id.split(":", 1)
    call.client("eks").delete_nodegroup(clusterName=cluster, nodegroupName=name)


TYPES = (
    AwsType(
        pulumi_type="aws:eks/cluster:Cluster",
        create=_create,
        remove=lambda call: call.client("eks").delete_cluster(name=call.id),
        answer=_answer,
        in_place=frozenset({"tags", "enabledClusterLogTypes", "version", "deletionProtection"}),
        name_property="name",
        checks=(_two_zones, _reachable),
    ),
    AwsType(
        pulumi_type="aws:eks/nodeGroup:NodeGroup",
        create=_create_nodes,
        remove=_remove_nodes,
        answer=_nodes,
        in_place=frozenset({"tags", "scalingConfig", "version", "releaseVersion"}),
        name_property="nodeGroupName",
        checks=(_size_in_one_place, _release_of_the_version),
    ),
)
