"""Examples of the rules for AWS: resources as Bailiwick's components make them there, varied by rule."""

import json
from collections.abc import Mapping
from typing import Any, Final

from policies.examples.common import but
from policies.examples.components import verifier_on
from policies.rule import Covered, Example, ExampleResource

LOCATION: Final = "eu-west-1"
CONFIG: Final[Mapping[str, str]] = {
    "cloud": "aws",
    "jurisdiction": "EU",
    "location": LOCATION,
    "subscriptionId": "",
    "tenantId": "",
    "accountId": "000000000000",
}
_TAGS: Final = {"jurisdiction": "EU", "data-class": "confidential"}


def _example(says: str, *resources: ExampleResource, config: Mapping[str, str] = CONFIG) -> Example:
    return Example(says, resources, config)


def policy(*statements: Mapping[str, Any]) -> str:
    """A policy whose statements allow, where they do not say otherwise."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]})


_OURS: Final = {"StringEquals": {"aws:PrincipalAccount": CONFIG["accountId"]}}

PROVIDER = ExampleResource(
    "pulumi:providers:aws", "aws", {"region": LOCATION, "allowedAccountIds": json.dumps([CONFIG["accountId"]])}
)

KEY = ExampleResource(
    "aws:kms/key:Key",
    "model-key",
    {
        "region": LOCATION,
        "keyUsage": "ENCRYPT_DECRYPT",
        "enableKeyRotation": True,
        "rotationPeriodInDays": 90,
        "deletionWindowInDays": 30,
        "tags": _TAGS,
    },
)

_OWN_KEY = but(
    KEY,
    {
        "enableKeyRotation": None,
        "rotationPeriodInDays": None,
        "customKeyStoreId": "cks-0123456789abcdef0",
    },
    name="own-key",
)

VM = ExampleResource(
    "aws:ec2/instance:Instance",
    "inference",
    {
        "region": LOCATION,
        "availabilityZone": f"{LOCATION}a",
        "ami": "ami-0123456789abcdef0",
        "instanceType": "m6a.large",
        "cpuOptions": {"amdSevSnp": "enabled"},
        "associatePublicIpAddress": False,
        "metadataOptions": {"httpTokens": "required"},
    },
)
TEMPLATE = but(
    VM,
    {"availabilityZone": None, "ami": None, "associatePublicIpAddress": None},
    name="nodes-template",
    type="aws:ec2/launchTemplate:LaunchTemplate",
)
"""What the nodes of a cluster are made from, without an image."""
NODES = ExampleResource(
    "aws:eks/nodeGroup:NodeGroup",
    "nodes",
    {"region": LOCATION, "releaseVersion": "1.35.7-20260903", "launchTemplate": {"id": "lt-1", "version": "1"}},
    uses={"launchTemplate": ("nodes-template",)},
)
MEMBERS = ExampleResource(
    "aws:autoscaling/group:Group",
    "members",
    {"region": LOCATION, "launchTemplate": {"id": "lt-1", "version": "1"}},
    uses={"launchTemplate": ("nodes-template",)},
)
VERIFIER = verifier_on("Aws")

GROUP = ExampleResource(
    "aws:ec2/securityGroup:SecurityGroup",
    "workload",
    {
        "region": LOCATION,
        "ingress": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.40.0.0/24"]}],
        "egress": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.40.2.0/24"]}],
    },
)
GUARDED_VM = but(VM, {"vpcSecurityGroupIds": ["workload"]}, uses={"vpcSecurityGroupIds": ("workload",)})
_GUARDED_TEMPLATE = but(TEMPLATE, {"vpcSecurityGroupIds": ["workload"]}, uses={"vpcSecurityGroupIds": ("workload",)})
_ATTACHED_TEMPLATE = but(
    TEMPLATE,
    {"networkInterfaces": [{"associatePublicIpAddress": "false", "securityGroups": ["workload"]}]},
    uses={"networkInterfaces": ("workload",)},
)
_DOOR = ExampleResource(
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    "kms",
    {
        "region": LOCATION,
        "serviceName": f"com.amazonaws.{LOCATION}.kms",
        "vpcEndpointType": "Interface",
        "policy": policy({"Principal": "*", "Action": "*", "Resource": "*", "Condition": _OURS}),
    },
)
_GROUP_RULE = ExampleResource(
    "aws:ec2/securityGroupRule:SecurityGroupRule",
    "out",
    {"region": LOCATION, "type": "egress", "cidrBlocks": ["0.0.0.0/0"]},
)

BUCKET = ExampleResource("aws:s3/bucket:Bucket", "audit", {"region": LOCATION, "objectLockEnabled": True})
LOCK = ExampleResource(
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
    "audit-lock",
    {"region": LOCATION, "bucket": "audit", "rule": {"defaultRetention": {"mode": "COMPLIANCE", "days": 365}}},
    uses={"bucket": ("audit",)},
)
TRAIL = ExampleResource(
    "aws:cloudtrail/trail:Trail",
    "trail",
    {"region": LOCATION, "s3BucketName": "audit", "enableLogging": True},
    uses={"s3BucketName": ("audit",)},
)


COVERED: Final[Mapping[str, Covered]] = {
    "RES-01": Covered(
        _example("A machine in Ireland, in a stack that may not leave the EU.", VM),
        (
            _example("A machine in Virginia.", but(VM, {"region": "us-east-1", "availabilityZone": "us-east-1a"})),
            _example("A machine in a zone of London.", but(VM, {"region": None, "availabilityZone": "eu-west-2a"})),
        ),
    ),
    "RES-02": Covered(
        _example(
            "A role is global: it holds no customer content.",
            ExampleResource("aws:iam/role:Role", "role", {"path": "/"}),
        ),
        (
            _example(
                "A worldwide front.",
                ExampleResource("aws:cloudfront/distribution:Distribution", "front", {"enabled": True}),
            ),
        ),
    ),
    "RES-03": Covered(
        _example("A provider for Ireland and for one account.", PROVIDER),
        (
            _example("A provider for Virginia.", but(PROVIDER, {"region": "us-east-1"})),
            _example(
                "A provider that takes region and account from whoever runs it.",
                but(PROVIDER, {"region": None, "allowedAccountIds": None}),
            ),
            _example(
                "A provider for one account more.",
                but(PROVIDER, {"allowedAccountIds": '["000000000000", "123456789012"]'}),
            ),
            _example(
                "A provider with a control plane of its own.",
                but(PROVIDER, {"endpoints": [{"kms": "https://kms.example.org"}]}),
            ),
        ),
    ),
    "RES-04": Covered(
        _example("A key of one region.", but(KEY, {"multiRegion": False})),
        (
            _example(
                "A bucket that is copied to another one, under the type's earlier name.",
                ExampleResource(
                    "aws:s3/bucketV2:BucketV2", "models", {"replicationConfigurations": [{"role": "copy"}]}
                ),
            ),
            _example("A key that can be replicated to other regions.", but(KEY, {"multiRegion": True})),
            _example(
                "A copy of each backup in another vault.",
                ExampleResource(
                    "aws:backup/plan:Plan",
                    "daily",
                    {
                        "region": LOCATION,
                        "rules": [
                            {
                                "copyActions": [
                                    {"destinationVaultArn": "arn:aws:backup:us-east-1:000000000000:backup-vault:far"}
                                ]
                            }
                        ],
                    },
                ),
            ),
            _example(
                "A disk that another account may use.",
                ExampleResource(
                    "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission",
                    "share",
                    {"region": LOCATION},
                ),
            ),
        ),
    ),
    "RES-10": Covered(
        _example("A key with both tags.", KEY),
        (
            _example("A key without tags.", but(KEY, {"tags": None})),
            _example(
                "A role that changes tags.",
                ExampleResource(
                    "aws:iam/policy:Policy",
                    "relabel",
                    {"policy": policy({"Action": ["kms:UntagResource"], "Resource": "*"})},
                ),
            ),
        ),
    ),
    "CVM-01": Covered(
        _example("A machine with SEV-SNP, and nodes and a group of a template with it.", VM, TEMPLATE, NODES, MEMBERS),
        (
            _example("Nodes of a template without it.", but(TEMPLATE, {"cpuOptions": None}), NODES),
            _example("Nodes of AWS's own template.", but(NODES, {"launchTemplate": None}, uses={})),
            _example("Machines of another stack's template.", MEMBERS),
            _example(
                "Code on machines that AWS chooses.",
                ExampleResource("aws:lambda/function:Function", "answer", {"region": LOCATION}),
            ),
            _example(
                "A cluster for which AWS chooses the nodes.",
                ExampleResource("aws:eks/cluster:Cluster", "cluster", {"computeConfig": {"enabled": True}}),
            ),
            _example(
                "Containers on machines that AWS chooses.",
                ExampleResource("aws:ecs/service:Service", "front", {"region": LOCATION, "launchType": "FARGATE"}),
            ),
            _example("SEV-SNP is switched off.", but(VM, {"cpuOptions.amdSevSnp": "disabled"})),
            _example("An ordinary machine.", but(VM, {"cpuOptions": None})),
        ),
    ),
    "CVM-02": Covered(
        _example("An instance type with SEV-SNP.", VM),
        (
            _example("An instance type without it.", but(VM, {"instanceType": "m5.large"})),
            _example("Nodes of a size without it.", but(NODES, {"instanceTypes": ["m5.large"]})),
        ),
    ),
    "CVM-06": Covered(
        _example("A machine without logins.", VM),
        (
            _example(
                "A role that opens sessions in its machines.",
                ExampleResource(
                    "aws:iam/role:Role",
                    "inference",
                    {"managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]},
                ),
            ),
            _example("A key pair.", but(VM, {"keyName": "operators"})),
            _example(
                "Whatever runs on the machine can take its role.", but(VM, {"metadataOptions.httpTokens": "optional"})
            ),
            _example("A login to a cluster's nodes.", but(NODES, {"remoteAccess": {"ec2SshKey": "operators"}})),
            _example(
                "A command that the operator runs.",
                ExampleResource("aws:ssm/association:Association", "patch", {"region": LOCATION}),
            ),
        ),
    ),
    "CVM-08": Covered(
        _example("An image by its id, and nodes of one release of AWS's own.", VM, TEMPLATE, NODES),
        (
            _example("Whatever a parameter names today.", but(VM, {"ami": "resolve:ssm:/images/guest"})),
            _example("Nodes of the newest release.", TEMPLATE, but(NODES, {"releaseVersion": None})),
            _example("A release that is none.", TEMPLATE, but(NODES, {"releaseVersion": "latest"})),
        ),
    ),
    "KEY-03": Covered(
        _example("A deleted key can be restored for 30 days.", KEY),
        (_example("For a week.", but(KEY, {"deletionWindowInDays": 7})),),
    ),
    "KEY-04": Covered(
        _example(
            "A new version every 90 days, as AWS makes it or as the keeper of a key store of one's own does.",
            KEY,
            but(_OWN_KEY, {"tags.key-rotation": "P90D"}),
            but(_OWN_KEY, {"tags.key-rotation": "P90D", "customKeyStoreId": None, "xksKeyId": "llm"}, name="outside"),
        ),
        (
            _example("Never.", but(KEY, {"enableKeyRotation": False})),
            _example("A key store of one's own, whose keeper says nothing.", _OWN_KEY),
            _example("One whose keeper renews it once a year.", but(_OWN_KEY, {"tags.key-rotation": "P1Y"})),
            _example("Once a year, which is the default.", but(KEY, {"rotationPeriodInDays": None})),
        ),
    ),
    "NET-01": Covered(
        _example("A machine without a public address, and a group that lets one private range in.", VM, GROUP),
        (
            _example(
                "A load balancer of the first generation, public by default.",
                ExampleResource("aws:elb/loadBalancer:LoadBalancer", "front", {"region": LOCATION}),
            ),
            _example("A group that lets everybody in.", but(GROUP, {"ingress.0.cidrBlocks": ["0.0.0.0/0"]})),
            _example(
                "A group that lets everybody in, over IPv6.",
                but(GROUP, {"ingress.0.cidrBlocks": None, "ingress.0.ipv6CidrBlocks": ["::/0"]}),
            ),
            _example("A rule of its own that lets everybody in.", but(_GROUP_RULE, {"type": "ingress"})),
            _example(
                "The newer kind of such a rule, for one public address.",
                ExampleResource(
                    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
                    "in",
                    {"region": LOCATION, "ipProtocol": "tcp", "cidrIpv4": "198.51.100.7/32"},
                ),
            ),
            _example(
                "A list of prefixes, which may hold any.",
                but(GROUP, {"ingress.0.cidrBlocks": None, "ingress.0.prefixListIds": ["pl-0123456789abcdef0"]}),
            ),
            _example(
                "A template whose machines get public addresses.",
                but(_ATTACHED_TEMPLATE, {"networkInterfaces.0.associatePublicIpAddress": "true"}),
            ),
            _example("Whatever the subnet says.", but(VM, {"associatePublicIpAddress": None})),
            _example(
                "A public load balancer.",
                ExampleResource("aws:lb/loadBalancer:LoadBalancer", "front", {"region": LOCATION, "internal": False}),
            ),
            _example("A public address.", ExampleResource("aws:ec2/eip:Eip", "address", {"region": LOCATION})),
            _example(
                "A subnet that gives each machine a public address.",
                ExampleResource("aws:ec2/subnet:Subnet", "workload", {"region": LOCATION, "mapPublicIpOnLaunch": True}),
            ),
        ),
    ),
    "NET-02": Covered(
        _example(
            "Machines whose security group lets traffic go to one private range, an endpoint for this account, and one"
            " to a service whose owner decides who is let in.",
            GROUP,
            GUARDED_VM,
            _GUARDED_TEMPLATE,
            but(_ATTACHED_TEMPLATE, {}, name="attached-template"),
            _DOOR,
            but(
                _DOOR,
                {"serviceName": f"com.amazonaws.vpce.{LOCATION}.vpce-svc-0123456789abcdef0", "policy": None},
                name="keys-elsewhere",
            ),
        ),
        (
            _example(
                "A route to other networks.",
                ExampleResource(
                    "aws:ec2/route:Route", "office", {"region": LOCATION, "transitGatewayId": "tgw-0123456789abcdef0"}
                ),
            ),
            _example("A template under the network's default group.", TEMPLATE),
            _example(
                "A template whose interface is under that one.",
                GROUP,
                but(_ATTACHED_TEMPLATE, {"networkInterfaces.0.securityGroups": None}),
            ),
            _example("A template under a group of another stack.", _GUARDED_TEMPLATE),
            _example("An endpoint under AWS's own policy, which lets everybody through.", but(_DOOR, {"policy": None})),
            _example(
                "The same policy, stated.",
                but(_DOOR, {"policy": policy({"Principal": "*", "Action": "*", "Resource": "*"})}),
            ),
            _example(
                "An endpoint for this account, or for whoever says nothing of an account.",
                but(
                    _DOOR,
                    {
                        "policy": policy(
                            {
                                "Principal": "*",
                                "Action": "*",
                                "Resource": "*",
                                "Condition": {"StringEqualsIfExists": _OURS["StringEquals"]},
                            }
                        )
                    },
                ),
            ),
            _example("A machine under the network's default group.", VM),
            _example("Egress to everywhere.", but(GROUP, {"egress.0.cidrBlocks": ["0.0.0.0/0"]})),
            _example("Egress that names nothing.", but(GROUP, {"egress.0.cidrBlocks": None})),
            _example("A rule of its own that lets everything out.", _GROUP_RULE),
            _example("A NAT gateway.", ExampleResource("aws:ec2/natGateway:NatGateway", "nat", {"region": LOCATION})),
            _example(
                "A route to a gateway.",
                ExampleResource("aws:ec2/route:Route", "default", {"region": LOCATION, "gatewayId": "igw-1"}),
            ),
        ),
    ),
    "LOG-01": Covered(
        _example("A trail goes to a bucket that keeps it for a year.", VM, BUCKET, LOCK, TRAIL),
        (
            _example("A machine that nobody watches.", VM),
            _example("A bucket that keeps nothing.", VM, BUCKET, TRAIL),
            _example("Records are kept for 30 days.", VM, BUCKET, but(LOCK, {"rule.defaultRetention.days": 30}), TRAIL),
            _example("The trail is switched off.", VM, BUCKET, LOCK, but(TRAIL, {"enableLogging": False})),
        ),
    ),
}
"""By id of the rule."""
