"""The emulated AWS (`aws`)."""

from sandbox.clouds.aws.cloud import AwsCloud

__all__ = ["AwsCloud"]
