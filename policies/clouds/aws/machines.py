"""AWS's virtual machines: single ones, templates of them, and what starts machines from templates."""

from collections.abc import Iterator, Mapping
from typing import Final

from policies.clouds.aws.access import ATTACHMENT, ROLE
from policies.conditions import Matching, OneOf
from policies.subject import Property, Resource
from policies.terms import Machine, Reference, Setting, Unwanted

_EC2: Final = "aws:ec2:"
_INSTANCES: Final = frozenset({_EC2 + "Instance", _EC2 + "SpotInstanceRequest"})
_TEMPLATES: Final = frozenset({_EC2 + "LaunchTemplate", _EC2 + "LaunchConfiguration"})
_CLUSTER: Final = "aws:eks:Cluster"
_NODE_GROUP: Final = "aws:eks:NodeGroup"
_TASKS: Final = frozenset({"aws:ecs:Service", "aws:ecs:TaskSet"})
_FLEETS: Final[Mapping[str, str]] = {
    "aws:autoscaling:Group": "launchTemplate",
    _NODE_GROUP: "launchTemplate",
    _EC2 + "Fleet": "launchTemplateConfigs",
    _EC2 + "SpotFleetRequest": "launchTemplateConfigs",
}
"""By type: the property that names the template of its machines."""
_OF_THE_CLOUD: Final = frozenset(
    {
        "aws:apprunner:Service",
        "aws:appstream:Fleet",
        "aws:appstream:ImageBuilder",
        "aws:batch:ComputeEnvironment",
        "aws:bedrock:AgentcoreAgentRuntime",
        "aws:bedrock:AgentcoreBrowser",
        "aws:bedrock:AgentcoreCodeInterpreter",
        "aws:cloud9:EnvironmentEC2",
        "aws:codebuild:Fleet",
        "aws:codebuild:Project",
        "aws:ecs:ExpressGatewayService",
        "aws:eks:FargateProfile",
        "aws:elasticbeanstalk:Environment",
        "aws:emr:Cluster",
        "aws:emrserverless:Application",
        "aws:finspace:KxCluster",
        "aws:gamelift:Fleet",
        "aws:gamelift:GameServerGroup",
        "aws:glue:DevEndpoint",
        "aws:glue:Job",
        "aws:imagebuilder:InfrastructureConfiguration",
        "aws:kinesisanalyticsv2:Application",
        "aws:lambda:CapacityProvider",
        "aws:lambda:Function",
        "aws:lightsail:ContainerService",
        "aws:lightsail:Instance",
        "aws:mwaa:Environment",
        "aws:sagemaker:App",
        "aws:sagemaker:HyperParameterTuningJob",
        "aws:sagemaker:NotebookInstance",
        "aws:sagemaker:Space",
        "aws:sagemaker:TrainingJob",
        "aws:synthetics:Canary",
        "aws:workspaces:Pool",
        "aws:workspaces:Workspace",
    }
)
"""What runs code on machines that AWS chooses, none of which has a TEE."""
_IMAGE: Final = Matching(r"ami-[0-9a-f]{8,17}", "the id of an image (ami-…)")
_RELEASE: Final = Matching(r"\d+\.\d+\.\d+-[0-9a-f]{8}", "a release of the nodes' image, such as 1.35.7-20260903")
_INTRUDERS: Final[Mapping[str, str]] = {
    "aws:ssm:Association": "a command that the operator runs inside",
    "aws:ssm:Activation": "a way in for the operator's commands",
    "aws:ssm:MaintenanceWindowTask": "a command that the operator runs inside",
    "aws:ec2:SerialConsoleAccess": "a console of the operator",
    "aws:ec2transitgateway:InstanceConnectEndpoint": "a login from outside",
}
_NO_SESSIONS: Final = Matching(
    r"(?!.*/(AmazonSSM|AmazonEC2RoleforSSM|AWSCloud9SSM))\S+", "a policy that does not open sessions (AmazonSSM…)"
)


def machine(resource: Resource) -> Machine | None:
    """`resource` as machines. Secure boot and the TPM are the image's own matter.

    A launch template without an image starts nothing by itself; whoever uses it names the image, and is judged.
    """
    props = resource.props
    if resource.type in _INSTANCES:
        return _described(props, props.at("ami"))
    if resource.type in _TEMPLATES:
        return _described(props, props.at("imageId") if props.at("imageId").stated else None)
    if resource.type in _FLEETS:
        return _fleet(resource)
    chosen = _chosen_by_aws(resource)
    return Machine(chosen) if chosen is not None else None


def _chosen_by_aws(resource: Resource) -> Setting | None:
    """What would run code on machines that AWS chooses, as some services do always and others where they are told."""
    props = resource.props
    if resource.type in _OF_THE_CLOUD:
        return Setting(Property("type", resource.type), OneOf((_EC2 + "Instance",)), (resource.type,))
    if resource.type in _TASKS:
        return Setting(props.at("launchType"), OneOf(("EC2",)), ("FARGATE", "EXTERNAL"))
    automatic = props.at("computeConfig", "enabled") if resource.type == _CLUSTER else None
    if automatic is not None and (automatic.unknown or automatic.flag):
        return Setting(automatic, OneOf((False,)))
    return None


def _described(props: Property, image: Property | None) -> Machine:
    encoded = props.at("userDataBase64")  # AWS takes one of the two; the other one is computed from it
    return Machine(
        Setting(props.at("cpuOptions", "amdSevSnp"), OneOf(("enabled",)), ("disabled",)),
        size=props.at("instanceType"),
        image=Setting(image, _IMAGE) if image is not None else None,
        guest_configurations=(encoded if encoded.stated else props.at("userData"),),
    )


def _fleet(resource: Resource) -> Machine:
    """Machines of a template. A node group may have its size, and a release of AWS's image, beside that."""
    props, through = resource.props, _FLEETS[resource.type]
    nodes = resource.type == _NODE_GROUP
    sizes = props.at("instanceTypes")
    single = sizes if not nodes or sizes.unknown or len(sizes.items()) != 1 else sizes.items()[0]
    return Machine(
        None,
        size=single if nodes else Property("", {}).at("instanceType"),
        template=Reference(props.at(through), through),
        image=Setting(props.at("releaseVersion"), _RELEASE) if nodes else None,
    )


def side_doors(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What lets somebody into a machine beside its measured boot."""
    if resource.type in _INTRUDERS:
        yield Unwanted(Property("type", resource.type), _INTRUDERS[resource.type])
    if resource.type in _INSTANCES | _TEMPLATES:
        yield Unwanted(resource.props.at("keyName"), "a login from outside")
        tokens = resource.props.at("metadataOptions", "httpTokens")
        yield Setting(tokens, OneOf(("required",)), ("optional",), switch=True)
    elif resource.type == _NODE_GROUP:
        yield Unwanted(resource.props.at("remoteAccess"), "a login from outside")
    elif resource.type == ATTACHMENT and not resource.props.at("policyArn").unknown:
        # One that is not known yet is of the stack, which KEY-08 holds, and none of AWS's.
        yield Setting(resource.props.at("policyArn"), _NO_SESSIONS)
    elif resource.type == ROLE:
        yield from (Setting(one, _NO_SESSIONS) for one in resource.props.at("managedPolicyArns").items())
