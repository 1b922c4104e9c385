"""AWS's own IAM policies (`arn:aws:iam::aws:policy/…`), as moto ships them.

moto would know all 1,500 at each start, or none. Here it knows those that somebody attaches.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend


def know(backend: IAMBackend, arn: str, *, partition: str, account: str, region: str) -> None:
    """Have a partition's IAM know the policy, where AWS publishes one of that ARN."""
    name = arn.rsplit("/", 1)[-1]
    published = _published().get(name)
    if published is None or arn in backend.managed_policies or not arn.startswith(f"arn:{partition}:iam::aws:"):
        return
    policy = AWSManagedPolicy.from_data(name, account, region, published)
    backend.managed_policies[policy.arn] = policy


@cache
def _published() -> Mapping[str, Any]:
    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return policies
