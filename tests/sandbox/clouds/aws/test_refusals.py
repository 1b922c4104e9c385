"""Mistakes, each with AWS's answer: judged by moto and botocore, by the catalogue, or by a rule that both lack."""

import base64
import json
from typing import Any

import pytest

from sandbox.provider import ProviderError
from tests.sandbox.clouds.aws.bench import ACCOUNT, TRUST, Bench, policy
from tests.sandbox.clouds.aws.mistakes import Making, Mistake


def _in_network(kind: str, **inputs: Any) -> Making:
    def make(bench: Bench) -> Any:
        vpc, _ = bench.network()
        return bench.make(kind, "wrong", vpcId=vpc.id, **inputs)

    return make


def _machine(**inputs: Any) -> Making:
    return lambda bench: bench.machine("wrong", bench.network()[1], **inputs)


def _second_subnet(cidr: str) -> Making:
    return _in_network("ec2:Subnet", cidrBlock=cidr, availabilityZone="eu-west-1a")


def _role_policy(document: str) -> Making:
    def make(bench: Bench) -> Any:
        bench.make("iam:Role", "role", name="role", assumeRolePolicy=TRUST)
        return bench.make("iam:RolePolicy", "wrong", name="wrong", role="role", policy=document)

    return make


def _on_bucket(kind: str, *, bucket: dict[str, Any] | None = None, **inputs: Any) -> Making:
    def make(bench: Bench) -> Any:
        bench.make("s3:Bucket", "bucket", bucket="somebodysbucket", **(bucket or {}))
        bench.make("s3:BucketPublicAccessBlock", "block", bucket="somebodysbucket", blockPublicPolicy=True)
        return bench.make(kind, "wrong", bucket="somebodysbucket", **inputs)

    return make


def _shorter_retention(bench: Bench) -> Any:
    bench.make("s3:Bucket", "bucket", bucket="audit", objectLockEnabled=True)
    rule = {"defaultRetention": {"mode": "COMPLIANCE", "days": 365}}
    lock = bench.make("s3:BucketObjectLockConfiguration", "lock", bucket="audit", rule=rule)
    shorter = {"defaultRetention": {"mode": "COMPLIANCE", "days": 30}}
    return bench.change("s3:BucketObjectLockConfiguration", "lock", lock, bucket="audit", rule=shorter)


def _twice(kind: str, **inputs: Any) -> Making:
    def make(bench: Bench) -> Any:
        bench.make(kind, "first", **inputs)
        return bench.make(kind, "second", **inputs)

    return make


def _used_vpc(bench: Bench) -> Any:
    vpc, _ = bench.network()
    return bench.remove("ec2:Vpc", "vpc", vpc)


def _trail_without_permission(bench: Bench) -> Any:
    bench.make("s3:Bucket", "bucket", bucket="audit")
    return bench.make("cloudtrail:Trail", "trail", name="audit", s3BucketName="audit")


def _record(**inputs: Any) -> Making:
    def make(bench: Bench) -> Any:
        vpc, _ = bench.network()
        zone = bench.make("route53:Zone", "zone", name="a.internal", vpcs=[{"vpcId": vpc.id}])
        return bench.make("route53:Record", "wrong", zoneId=zone.id, type="A", **inputs)

    return make


def _cluster(bench: Bench) -> Any:
    _, subnet = bench.network()
    role = bench.make("iam:Role", "role", name="role", assumeRolePolicy=TRUST)
    return bench.make("eks:Cluster", "wrong", roleArn=role.outputs["arn"], vpcConfig={"subnetIds": [subnet.id]})


def _dns_endpoint(bench: Bench) -> Any:
    vpc = bench.make("ec2:Vpc", "vpc", cidrBlock="10.40.0.0/16")
    return bench.make(
        "ec2:VpcEndpoint",
        "wrong",
        vpcId=vpc.id,
        serviceName="com.amazonaws.eu-west-1.kms",
        vpcEndpointType="Interface",
        privateDnsEnabled=True,
    )


MISTAKES = (
    Mistake("a VPC that is too large", lambda b: b.make("ec2:Vpc", "w", cidrBlock="10.0.0.0/8"), "InvalidVpc.Range"),
    Mistake("a range that is none", lambda b: b.make("ec2:Vpc", "w", cidrBlock="10.0.0.0"), "InvalidVpc.Range"),
    Mistake("a misspelt input", lambda b: b.make("ec2:Vpc", "w", cidrBlok="10.0.0.0/16"), "Did you mean 'cidrBlock'?"),
    Mistake("a subnet outside its VPC", _second_subnet("10.50.0.0/24"), "InvalidSubnet.Range"),
    Mistake("a subnet over another", _second_subnet("10.40.1.128/25"), "InvalidSubnet.Conflict"),
    Mistake(
        "a zone of another region",
        _in_network("ec2:Subnet", cidrBlock="10.40.2.0/24", availabilityZone="eu-central-1a"),
        "Subnets can currently only be created in the following availability zones: eu-west-1a",
    ),
    Mistake(
        "a security group in no VPC",
        lambda b: b.make("ec2:SecurityGroup", "w", vpcId="vpc-0123456789abcdef0", name="w"),
        "InvalidVpcID.NotFound",
    ),
    Mistake("a VPC in use", _used_vpc, "DependencyViolation"),
    Mistake(
        "a service of another partition",
        _in_network("ec2:VpcEndpoint", serviceName="eu.amazonaws.eu-west-1.kms", vpcEndpointType="Interface"),
        "InvalidServiceName: The Vpc Endpoint Service 'eu.amazonaws.eu-west-1.kms' does not exist",
    ),
    Mistake(
        "a gateway endpoint for KMS",
        _in_network("ec2:VpcEndpoint", serviceName="com.amazonaws.eu-west-1.kms"),
        "Endpoint type (Gateway) does not match available service types ([Interface])",
    ),
    Mistake("private DNS in a VPC without names", _dns_endpoint, "Enabling private DNS requires both enableDnsSupport"),
    Mistake(
        "SNP on a size of the 7a families",
        _machine(instanceType="m7a.large"),
        "instance type m7a.large does not support AMD SEV-SNP in eu-west-1",
    ),
    Mistake(
        "SNP on a size of the family that is too large",
        _machine(instanceType="m6a.48xlarge"),
        "m6a.48xlarge does not support AMD SEV-SNP",
    ),
    Mistake(
        "a size that does not exist", _machine(instanceType="m6a.small", cpuOptions=None), "Invalid value 'm6a.small'"
    ),
    Mistake(
        "more machines than the account was granted",
        lambda b: [b.machine(f"m{number}", b.network()[1], instanceType="c6a.16xlarge") for number in range(5)],
        "VcpuLimitExceeded: RunInstances: You have requested more vCPU capacity than your current vCPU limit of 256",
    ),
    Mistake("SNP with hibernation", _machine(hibernation=True), "Hibernation is not supported with AMD SEV-SNP"),
    Mistake("SNP with an enclave", _machine(enclaveOptions={"enabled": True}), "Nitro Enclaves is not supported"),
    Mistake(
        "an AMI with NitroTPM on a size that has none",
        _machine(instanceType="t2.micro", cpuOptions=None),
        "requires NitroTPM, which instance type t2.micro does not support",
    ),
    Mistake("an AMI that does not exist", _machine(ami="ami-0123456789abcdef0"), "InvalidAMIID.NotFound"),
    Mistake(
        "an instance profile that does not exist",
        _machine(iamInstanceProfile="nobody"),
        "Invalid IAM Instance Profile name",
    ),
    Mistake(
        "user data that does not fit",
        _machine(userDataBase64=base64.b64encode(b"x" * 16_385).decode()),
        "User data is limited to 16384 bytes",
    ),
    Mistake(
        "a trust policy with a resource",
        lambda b: b.make(
            "iam:Role",
            "w",
            assumeRolePolicy=policy({**json.loads(TRUST)["Statement"][0], "Resource": "*"}),
        ),
        "MalformedPolicyDocument: assumeRolePolicy: Has prohibited field Resource.",
    ),
    Mistake(
        "a policy that is not JSON", _role_policy("{"), "MalformedPolicyDocument: policy: Syntax errors in policy."
    ),
    Mistake(
        "a policy without a resource",
        _role_policy(policy({"Effect": "Allow", "Action": "s3:GetObject"})),
        "Policy statement must contain resources.",
    ),
    Mistake(
        "an ARN of another partition",
        _role_policy(policy({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws-eusc:s3:::a"})),
        'Partition "aws-eusc" is not valid for resource "arn:aws-eusc:s3:::a".',
    ),
    Mistake("a bucket's name in capitals", lambda b: b.make("s3:Bucket", "w", bucket="Audit"), "InvalidBucketName"),
    Mistake("a bucket twice", _twice("s3:Bucket", bucket="audit"), "BucketAlreadyOwnedByYou"),
    Mistake(
        "object lock on a bucket made without it",
        _on_bucket("s3:BucketObjectLockConfiguration", rule={"defaultRetention": {"mode": "GOVERNANCE", "days": 1}}),
        "Object Lock configuration cannot be enabled on existing buckets",
    ),
    Mistake("a shorter retention in compliance mode", _shorter_retention, "the retention mode is COMPLIANCE"),
    Mistake(
        "a public policy on a bucket that blocks them",
        _on_bucket(
            "s3:BucketPolicy",
            policy=policy(
                {
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "s3:GetObject",
                    "Resource": "arn:aws:s3:::somebodysbucket/*",
                }
            ),
        ),
        "public policies are prevented by the BlockPublicPolicy setting",
    ),
    Mistake("a trail whose bucket refuses it", _trail_without_permission, "InsufficientS3BucketPolicyException"),
    Mistake(
        "a retention that logs do not have",
        lambda b: b.make("cloudwatch:LogGroup", "w", name="w", retentionInDays=183),
        "expected retentionInDays to be one of [0 1 3 5 7",
    ),
    Mistake("a record without a value", _record(name="x"), "one of `aliases,records` must be specified"),
    Mistake(
        "a listener of no load balancer",
        lambda b: b.make(
            "lb:Listener",
            "w",
            loadBalancerArn=f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:loadbalancer/net/no/0123456789abcdef",
            port=1,
            protocol="TCP",
            defaultActions=[{"type": "forward", "targetGroupArn": "no"}],
        ),
        "LoadBalancerNotFound",
    ),
    Mistake(
        "a health check that outlasts its interval",
        _in_network("lb:TargetGroup", name="w", port=1, protocol="TCP", healthCheck={"interval": 5}),
        "must be smaller than or equal to the interval",
    ),
    Mistake("a cluster in one zone", _cluster, "Subnets specified must be in at least two different AZs"),
    Mistake(
        "a service control policy that is too long",
        lambda b: b.make(
            "organizations:Policy",
            "w",
            name="w",
            content=policy({"Effect": "Deny", "Action": ["s3:" + "x" * 6_000], "Resource": "*"}),
        ),
        "you have exceeded the maximum policy size of 5120",
    ),
    Mistake(
        "a group whose sizes contradict each other",
        lambda b: b.make("autoscaling:Group", "w", name="w", minSize=3, maxSize=1),
        "must be between the specified min size:3 and max size:1",
    ),
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.what)
def test_a_mistake_is_refused_as_aws_does(bench: Bench, mistake: Mistake) -> None:
    mistake.is_refused(bench)


def test_snp_outside_the_two_regions_needs_a_dedicated_host(bench: Bench) -> None:
    bench.cloud.configure({"region": "eu-central-1"})
    _, subnet = bench.network()
    with pytest.raises(ProviderError, match=r"not supported on the requested tenancy.* it is on dedicated-host"):
        bench.machine("wrong", subnet)


def test_the_sovereign_partition_offers_no_snp(sovereign: Bench) -> None:
    _, subnet = sovereign.network()
    with pytest.raises(ProviderError, match=r"m6a\.large does not support AMD SEV-SNP in eusc-de-east-1"):
        sovereign.machine("wrong", subnet)


def test_a_literal_arn_of_the_commercial_partition_is_refused_in_the_sovereign_one(sovereign: Bench) -> None:
    sovereign.make("iam:Role", "role", name="role", assumeRolePolicy=TRUST)
    document = policy({"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::a"})
    with pytest.raises(ProviderError, match='Partition "aws" is not valid'):
        sovereign.make("iam:RolePolicy", "wrong", name="wrong", role="role", policy=document)


def test_a_preview_refuses_what_needs_no_other_object(bench: Bench) -> None:
    inputs = {"region": "eu-west-1", "instanceType": "m7a.large", "cpuOptions": {"amdSevSnp": "enabled"}}
    with pytest.raises(ProviderError, match="does not support AMD SEV-SNP"):
        bench.cloud.create("urn:pulumi:test::bailiwick::aws:ec2/instance:Instance::it", inputs, preview=True)


def test_a_type_that_is_not_emulated_says_how_to_add_it(bench: Bench) -> None:
    (failure,) = bench.failures("rds:Instance")
    assert failure.reason == (
        "'aws:rds/instance:Instance' is not emulated: add an AwsType for it to a module of sandbox/clouds/aws and to"
        " its TYPES"
    )


def test_a_type_that_the_sdk_lacks_is_named(bench: Bench) -> None:
    (failure,) = bench.failures("ec2:Teapot")
    assert failure.reason == "the installed aws SDK has no resource type 'aws:ec2/teapot:Teapot'"


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"region": "eu-west-9"}, "invalid AWS Region: eu-west-9"),
        ({"region": "eu-west-1", "allowedAccountIds": '["123456789012"]'}, "AWS account ID not allowed: 000000000000"),
    ],
)
def test_a_provider_of_another_place_or_account_is_refused(bench: Bench, config: dict[str, Any], says: str) -> None:
    with pytest.raises(ProviderError, match=says):
        bench.cloud.configure(config)
