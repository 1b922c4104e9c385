"""The right to decrypt with a key, for who proves by attestation what runs where."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_gcp import iam, kms

from components.component import Component, ComponentArgs
from components.errors import InputError
from components.gcp.names import gcp_unique
from components.gcp.placement import Placement
from components.release import Inexpressible, ReleasePolicy
from components.release.gcp import compile_policy, member

TYPE = "bailiwick:index:GcpAttestedRelease"


@dataclass(frozen=True, slots=True)
class AttestedReleaseArgs(ComponentArgs):
    """Inputs of `AttestedRelease`."""

    placement: Placement
    """Where the pool is kept."""
    role: str
    """What the key is for, such as a model's name; part of the pool's name."""
    key_id: pulumi.Input[str]
    """Resource id of the key."""
    policy: ReleasePolicy = field(repr=False)
    """To whom the key may be released; its one authority is Google Cloud Attestation, or a verifier with an https
    origin."""
    service_accounts: Sequence[str] = ()
    """Mail addresses of the accounts that the workload may run as; needed where the authority is Google Cloud
    Attestation."""
    verifier_keys: str | None = None
    """Public keys of a verifier of one's own as a JSON web key set, for one that Google cannot reach."""


class AttestedRelease(Component):
    """`bailiwick:index:GcpAttestedRelease`: a workload identity pool that believes one verifier, and the right to
    decrypt with one key for the pool's members whose attested attributes the release policy names.

    Creates a workload identity pool, its one OIDC provider with the policy compiled to a condition, and one IAM member
    on the key for each accepted measurement or container digest.

    Guarantees: IAM lets nobody decrypt by this grant whose token does not meet the condition; the grant names
    attributes, never the pool as a whole; what the policy says and the condition cannot is in `cannot_express`.

    Does not: come with `SovereignRegion`, whose broker releases keys by itself and asks no service outside the region:
    pools and the exchange of tokens are worldwide services of Google. It is for Confidential Space and for verifiers of
    one's own. A pool's id stays taken for 30 days after its deletion.
    """

    pool_name: pulumi.Output[str]
    """Resource name of the pool, with the project's number."""
    cannot_express: Sequence[Inexpressible]
    """Conditions of the policy that the pool does not hold, each with what holds it instead."""

    def __init__(self, name: str, args: AttestedReleaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        placement = args.placement
        compiled = compile_policy(args.policy, cloud=placement.cloud, service_accounts=args.service_accounts)
        document = compiled.document
        binding = document["binding"]
        if not binding["values"]:
            raise InputError(TYPE, "policy", "names nobody who may have the key")
        pool_id = gcp_unique("workload identity", args.role, placement.project_id, placement.stack, args.role)
        super().__init__(TYPE, name, args, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.cannot_express = compiled.cannot_express
        pool = iam.WorkloadIdentityPool(
            f"{name}-pool",
            workload_identity_pool_id=pool_id,
            project=placement.project_id,
            display_name=pool_id,
            description=f"attested workloads of {placement.stack}: {args.role}",
            opts=child,
        )
        self.pool_name = pool.name
        provider = iam.WorkloadIdentityPoolProvider(
            f"{name}-provider",
            workload_identity_pool_id=pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="verifier",
            project=placement.project_id,
            attribute_condition=document["attributeCondition"],
            attribute_mapping=document["attributeMapping"],
            oidc=iam.WorkloadIdentityPoolProviderOidcArgs(
                issuer_uri=document["issuer"],
                allowed_audiences=document["allowedAudiences"],
                jwks_json=args.verifier_keys,
            ),
            opts=child,
        )
        for index, value in enumerate(binding["values"]):
            kms.CryptoKeyIAMMember(
                f"{name}-decrypt-{index}",
                crypto_key_id=args.key_id,
                role=binding["role"],
                member=_member(self.pool_name, binding["attribute"], value),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[provider]),
            )
        self.register_outputs({"poolName": self.pool_name})


def _member(pool_name: pulumi.Output[str], attribute: str, value: str) -> pulumi.Output[str]:
    return pool_name.apply(lambda name: member(name, attribute, value))
