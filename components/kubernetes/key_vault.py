"""Keys that are born in the site's HSM and stay there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import pulumi
from pulumi_kubernetes import core

import catalog
from components.addresses import Segment
from components.component import Component, ComponentArgs
from components.errors import InputError
from components.guest_configuration import model_key_name
from components.kubernetes.machine_settings import selector
from components.kubernetes.placement import CLOUD, Placement, name_of
from components.kubernetes.site import Hsm, require_inside
from components.kubernetes.sovereign_network import flow, range_rule

TYPE = "bailiwick:index:KubernetesKeyVault"
_REFERENCE = "hsm"


@dataclass(frozen=True, slots=True)
class KeyVaultArgs(ComponentArgs):
    """Inputs of `KeyVault`."""

    placement: Placement
    """Where the verifier is that uses the keys."""
    service: str
    """Key service, as the site's facts name it."""
    hsm: Hsm
    """The HSM, and how pods reach it."""
    address_space: str
    """Private range of the site, in which a network HSM must be."""
    model_keys: Sequence[str]
    """Models whose keys the HSM holds."""
    verifier_role: str
    """Role of the pods that may call the HSM."""


class KeyVault(Component):
    """`bailiwick:index:KubernetesKeyVault`: a reference to keys in the site's HSM, and the one way to it.

    Creates a config map that says where the HSM is and what its keys are called, and, for a network HSM, the network
    policy that lets the verifier's pods call it, and no others.

    Guarantees: no key, no PIN and no credential is in the program, in its state or in an object that it makes; only the
    verifier reaches the HSM from the region.

    Does not: make keys. Nothing in Kubernetes can make one in an HSM: the site's people do, in a ceremony
    (`key_ceremony`), and rotation and recovery are theirs as well. The PIN is in a Secret that they make; whoever runs
    the cluster can read it, so that the HSM itself must hold the token's keys as not extractable and take calls from
    the verifier's addresses only.
    """

    uri: str
    """PKCS#11 URI of the token (RFC 7512)."""
    model_key_ids: Mapping[str, str]
    """PKCS#11 URI of each model's KEK."""
    key_ceremony: Sequence[str]
    """Commands by which the site's people make the keys, once; each asks for the PIN."""
    reference: pulumi.Output[str]
    """Name of the config map, available when it exists."""

    def __init__(self, name: str, args: KeyVaultArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        _check(args)
        place = args.placement
        self.uri = token_uri(args.hsm)
        super().__init__(TYPE, name, args, opts)
        self.model_key_ids = {
            model: f"{self.uri};object={quote(model_key_name(model))};type=secret-key" for model in args.model_keys
        }
        self.key_ceremony = [
            f"pkcs11-tool --module {args.hsm.module} --token-label {args.hsm.token} --login --keygen"
            f" --key-type AES:32 --label {model_key_name(model)} --sensitive --usage-wrap"
            for model in args.model_keys
        ]
        child = pulumi.ResourceOptions(parent=self)
        config_map = core.v1.ConfigMap(
            f"{name}-reference",
            metadata=place.metadata(_REFERENCE, Segment.VERIFIER),
            data={
                "module": args.hsm.module,
                "token": args.hsm.token,
                **{f"key.{model}": uri for model, uri in sorted(self.model_key_ids.items())},
            },
            opts=child,
        )
        if args.hsm.endpoint is not None:
            flow(
                f"{name}-unwrap",
                place,
                Segment.VERIFIER,
                "unwrap",
                pods=selector(args.verifier_role),
                egress=[range_rule(args.hsm.endpoint.cidr, args.hsm.endpoint.port)],
                opts=child,
            )
        self.reference = name_of(config_map)
        self.register_outputs({"uri": self.uri, "modelKeyIds": dict(self.model_key_ids)})


def token_uri(hsm: Hsm) -> str:
    """PKCS#11 URI of the token."""
    return f"pkcs11:token={quote(hsm.token)}"


def _check(args: KeyVaultArgs) -> None:
    services = catalog.load().services(CLOUD)
    if args.service not in services:
        near = catalog.nearest(args.service, services)
        raise InputError(TYPE, "service", f"{args.service!r} is not a key service in the site's facts", near)
    if args.hsm.endpoint is not None:
        require_inside(TYPE, "hsm.endpoint", args.hsm.endpoint, args.address_space)
