"""Where the parts of one region are put, and what all of them carry."""

import re
from dataclasses import dataclass, field

import catalog
from components.aws.names import aws_name, aws_unique
from components.errors import InputError
from components.tags import Tags

TYPE = "bailiwick:index:AwsPlacement"


@dataclass(frozen=True, slots=True)
class Placement:
    """Account and region of a component. Every Args has one, and every regional resource names the region, so that no
    part strays to what the provider happens to be configured with."""

    stack: str
    """Name of the stack; names of resources begin with it."""
    account_id: str
    """AWS account, 12 digits."""
    location: str
    """Region, as the catalogue names it."""
    tags: Tags = field(repr=False)
    """The four tags that every resource carries."""
    cloud: str = "aws"
    """Partition, as the catalogue names it: `aws`, or a sovereign one such as `aws-eusc`."""

    def __post_init__(self) -> None:
        facts = catalog.load()
        if facts.cloud(self.cloud).provider != "aws":
            raise InputError(TYPE, "cloud", f"{self.cloud!r} is another provider's", "aws")
        if not re.fullmatch(r"\d{12}", self.account_id):
            raise InputError(TYPE, "account_id", f"{self.account_id!r} is not an account of 12 digits")
        try:
            facts.region(self.cloud, self.location)
        except catalog.UnknownFact as error:
            raise InputError(TYPE, "location", str(error.message).split(";")[0], error.nearest) from error

    @property
    def partition(self) -> str:
        """The partition in the region's ARNs."""
        return catalog.load().cloud(self.cloud).partition or self.cloud

    @property
    def dns_suffix(self) -> str:
        """The suffix of the partition's endpoints."""
        return catalog.load().cloud(self.cloud).dns["api"]

    @property
    def zones(self) -> tuple[str, ...]:
        """The region's availability zones."""
        return catalog.load().region(self.cloud, self.location).zone_names or ()

    def name(self, kind: str, *words: str) -> str:
        """The name of a resource of this kind: stack and words joined by '-', checked against AWS's rules."""
        return aws_name(kind, "-".join((self.stack, *words)))

    def bucket_name(self, stem: str) -> str:
        """A bucket's name, which no other account of the partition has."""
        return aws_unique("bucket", f"{stem}{self.stack}", self.account_id, self.stack)

    def short_name(self, kind: str, *words: str) -> str:
        """A name for a kind with few characters: cut, and ending in a digest, where the plain name is too long."""
        plain = "-".join((self.stack, *words))
        return aws_name(kind, plain) if len(plain) <= 32 else aws_unique(kind, plain, self.account_id, plain)

    def arn(self, service: str, resource: str) -> str:
        """ARN of a resource of this account in this region."""
        return f"arn:{self.partition}:{service}:{self.location}:{self.account_id}:{resource}"

    def iam_arn(self, resource: str) -> str:
        """ARN of an identity of this account; IAM's name no region."""
        return f"arn:{self.partition}:iam::{self.account_id}:{resource}"

    def bucket_arn(self, bucket: str) -> str:
        """ARN of a bucket; S3's name neither region nor account."""
        return f"arn:{self.partition}:s3:::{bucket}"

    @property
    def image_layers_arn(self) -> str:
        """ARN of whatever is in the bucket in which AWS keeps the layers of the region's container images."""
        host = catalog.load().service(self.cloud, "ecr").endpoints["layers"]
        return self.bucket_arn(host.partition(".")[0].format(region=self.location) + "/*")

    def endpoint(self, service: str) -> str:
        """https origin of a service's endpoint in the region."""
        template = catalog.load().service(self.cloud, service).endpoints["api"]
        return "https://" + template.format(region=self.location, dns=self.dns_suffix)

    def private_service(self, service: str) -> str:
        """Name under which a VPC endpoint finds a service in the region."""
        prefix = catalog.load().cloud(self.cloud).endpoint_prefix
        target = catalog.load().private_endpoint(self.cloud, service).target
        return target.format(prefix=prefix, region=self.location)

    @property
    def tag_mapping(self) -> dict[str, str]:
        """The tags as AWS takes them."""
        return self.tags.as_mapping()

    def tagged(self, name: str) -> dict[str, str]:
        """The tags, and the name that AWS's console shows, for what has no name besides."""
        return {**self.tag_mapping, "Name": aws_name("tag", name)}
