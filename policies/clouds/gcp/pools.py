"""Workload identity pools of Google Cloud: whose token a pool believes, and what its members may do."""

import re
from collections.abc import Iterator, Sequence
from functools import partial

from policies.clouds.gcp.access import grants
from policies.release import gcp as language
from policies.release.model import Flaw, Reading, Weakness
from policies.subject import Property, Resource, Stack
from policies.terms import ReleaseDocument

_PROVIDER = "gcp:iam:WorkloadIdentityPoolProvider"
_KEYS = "gcp:kms:"
_POOL = re.compile(r"principal(?:Set)?://iam\.googleapis\.com/.*/workloadIdentityPools/([^/]+)/.*")


def release_documents(resource: Resource) -> Iterator[ReleaseDocument]:
    """The condition under which a provider of a workload identity pool believes a token."""
    if resource.type == _PROVIDER:
        yield ReleaseDocument(resource.props.at("attributeCondition"), lambda: _reading(resource.props))


def pool_grants(stack: Stack) -> Iterator[tuple[Resource, ReleaseDocument]]:
    """Who of a pool gets a role, read together with the providers of that pool, and the resource that says so.

    A pool that has its providers in another stack is judged where the role is one on keys. A member that is known only
    after deployment may be anybody.
    """
    providers = [one.props for one in stack.resources if one.type == _PROVIDER]
    for grant in stack.resources:
        for member in (one.member for one in grants(grant)):
            pool = None if member.unknown else _POOL.fullmatch(member.text or "")
            ours = [one for one in providers if pool and one.at("workloadIdentityPoolId").text == pool.group(1)]
            if member.unknown or ours or (pool and grant.type.startswith(_KEYS)):
                yield grant, ReleaseDocument(member, partial(_granted, member, ours))


def _granted(member: Property, providers: Sequence[Property]) -> Reading:
    if not providers:
        found = "is of a pool whose providers the stack does not have, so that nothing says what its members prove"
        return Reading((), (Weakness(Flaw.NO_WORKLOAD, "member", found, "a pool of this stack"),))
    readings = [_reading(provider, member.text or "") for provider in providers]
    return Reading(
        tuple(way for reading in readings for way in reading.ways),
        tuple(weakness for reading in readings for weakness in reading.weaknesses),
    )


def _reading(provider: Property, *granted: str) -> Reading:
    mapping = provider.at("attributeMapping")
    return language.analyse_provider(
        provider.at("oidc", "issuerUri").text or "",
        provider.at("attributeCondition").text or "",
        {name: mapping.at(name).text or "" for name in mapping.names()},
        members=granted,
    )
