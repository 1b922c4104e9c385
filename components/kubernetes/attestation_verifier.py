"""The verifier and key broker of a region, in confidential guests of its own."""

from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import core, meta, policy

from components.addresses import Segment
from components.component import Component
from components.errors import InputError
from components.guest_configuration import HEALTH_PATH, HOST, VERIFIER_PORT
from components.kubernetes.confidential_vm import deployment
from components.kubernetes.init_data import CONFIGURATION_PATH
from components.kubernetes.machine_settings import Extras, MachineSettings, selector
from components.kubernetes.placement import Placement
from components.kubernetes.site import Hsm

TYPE = "bailiwick:index:KubernetesAttestationVerifier"
_DATA = "/var/lib/bailiwick"
_PIN = "/run/secrets/hsm"
_PORT = "attest"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationVerifierArgs(MachineSettings):
    """Inputs of `AttestationVerifier`: those of `MachineSettings`, and what the verifier works with."""

    replicas: int
    """Number of pods, 1 or more; they keep no session, so that any of them answers any request."""
    hsm: Hsm
    """The HSM that unwraps keys."""
    data_claim: pulumi.Input[str]
    """Volume claim of the transparency log and the wrapped keys, from `AuditLog`."""


class AttestationVerifier(Component):
    """`bailiwick:index:KubernetesAttestationVerifier`: verifies evidence in the region, unwraps keys for who passes.

    Creates a Deployment of `replicas` pods, each in a confidential guest of its own and spread over the zones, a
    service `verifier` inside the cluster, and a disruption budget that keeps all but one of them.

    Guarantees: evidence about the region's guests is verified at the site, by code that is itself measured and that
    nobody logs in to; the service has no address outside the cluster; a lost node or zone leaves the others serving.
    Its configuration is in its init data, and so in its own evidence.

    Does not: keep the HSM's PIN from the cluster's operator. The PIN comes from a Secret that the site's people made,
    because the verifier is the one guest that nobody else can attest before it serves; the HSM must hold its keys as
    not extractable and take calls from the verifier only.
    """

    url: str
    """Base URL of the verifier, known before it exists. Plain HTTP: the key broker protocol encrypts every key to the
    guest's own key, which the evidence binds, and signs every result."""
    host: str
    """Its DNS name in the cluster."""
    id: pulumi.Output[str]
    """Id of the Deployment: namespace and name."""

    def __init__(self, name: str, args: AttestationVerifierArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        args.check(TYPE)
        if args.replicas < 1:
            raise InputError(TYPE, "replicas", f"{args.replicas} machines verify nothing", "1")
        place = args.placement
        self.host, self.url = host_in(place), url_in(place)
        super().__init__(TYPE, name, args, opts)
        self.id = deployment(self, name, TYPE, args, replicas=args.replicas, extras=_extras(args)).id
        child = pulumi.ResourceOptions(parent=self)
        core.v1.Service(
            f"{name}-service",
            metadata=place.metadata(HOST, Segment.VERIFIER),
            spec=core.v1.ServiceSpecArgs(
                type="ClusterIP",
                selector=selector(args.role),
                ports=[core.v1.ServicePortArgs(name=_PORT, port=VERIFIER_PORT, target_port=_PORT)],
            ),
            opts=child,
        )
        policy.v1.PodDisruptionBudget(
            f"{name}-budget",
            metadata=place.metadata(HOST, Segment.VERIFIER),
            spec=policy.v1.PodDisruptionBudgetSpecArgs(
                max_unavailable=1, selector=meta.v1.LabelSelectorArgs(match_labels=selector(args.role))
            ),
            opts=child,
        )
        self.register_outputs({"url": self.url})


def host_in(placement: Placement) -> str:
    """DNS name of the region's verifier."""
    return placement.service_host(Segment.VERIFIER, HOST)


def url_in(placement: Placement) -> str:
    """Base URL of the region's verifier."""
    return f"http://{host_in(placement)}:{VERIFIER_PORT}"


def _extras(args: AttestationVerifierArgs) -> Extras:
    """How the verifier is called, and what it mounts."""
    claim = core.v1.PersistentVolumeClaimVolumeSourceArgs(claim_name=args.data_claim)
    secret = core.v1.SecretVolumeSourceArgs(
        secret_name=args.hsm.pin_secret, items=[core.v1.KeyToPathArgs(key="pin", path="pin", mode=0o440)]
    )
    command = ["python", "-m", "verifier", CONFIGURATION_PATH, "--data", _DATA, "--pin-file", f"{_PIN}/pin"]
    return Extras(
        command=[*command, "--pkcs11-module", args.hsm.module, "--token", args.hsm.token],
        ports={_PORT: VERIFIER_PORT},
        health_path=HEALTH_PATH,
        volumes=[
            core.v1.VolumeArgs(name="data", persistent_volume_claim=claim),
            core.v1.VolumeArgs(name="pin", secret=secret),
        ],
        mounts=[
            core.v1.VolumeMountArgs(name="data", mount_path=_DATA),
            core.v1.VolumeMountArgs(name="pin", mount_path=_PIN, read_only=True),
        ],
        devices=[args.hsm.device] if args.hsm.device else [],
    )
