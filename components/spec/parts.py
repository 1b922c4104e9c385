"""What the components of each provider build, so that a stack file asks for nothing that would be left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Tpm = Literal["vtpm", "nitrotpm"]


@dataclass(frozen=True, slots=True)
class Parts:
    """What `SovereignRegion` of one provider builds from a stack file."""

    tees: tuple[str, ...]
    """TEEs of its machines."""
    gpus: tuple[str, ...] = ("none",)
    """Confidential GPUs of its machines."""
    groups: bool = False
    """Whether a machine may have a `count`."""
    clusters: bool = False
    """Whether it may have `clusters`."""
    gpu_pools: bool = False
    """Whether a cluster may have a `gpuPool`."""
    releases: bool = False
    """Whether a cluster must say the `release` of its nodes' image, because the cloud's choice would be another one
    tomorrow; where not, it must not."""
    keys_and_log: bool = False
    """Whether a region may be without verifier and machines, for a place that has none with a TEE."""
    processors_named: bool = True
    """Whether evidence says which processor it is from. AWS's hosts sign with the cloud's key (VLEK), and the reports
    under that have zeros for CHIP_ID."""
    launches_signed: bool = True
    """Whether a SEV-SNP launch can have a signer (ID block): Microsoft signs its paravisor's, and on hosts of one's own
    whoever sets up the hypervisor does. AWS's reports have zeros for ID_KEY_DIGEST, and neither AWS nor Google takes an
    ID block for a machine."""
    tpm: Tpm | None = None
    """The TPM that measures an image where the processor measures the cloud's own firmware: the member of the image's
    reference values for it, Azure's `vtpm` or EC2's `nitrotpm`. None where the processor measures the image."""
    tpm_root: str = ""
    """Whose root signs for that TPM; empty where the processor vouches for it."""
    soft_delete_days: range = range(30, 91)
    """For how many days the key service can keep a deleted key; less than 30 is too short to notice."""
    external_keys: str = ""
    """The key service that uses keys of a manager outside the cloud; empty where none is built."""


PARTS: Mapping[str, Parts] = {
    "azure": Parts(tees=("snp", "tdx"), gpus=("none", "h100"), groups=True, clusters=True, gpu_pools=True, tpm="vtpm"),
    "gcp": Parts(
        tees=("snp", "tdx"),
        gpus=("none", "h100"),
        groups=True,
        clusters=True,
        gpu_pools=True,
        keys_and_log=True,
        launches_signed=False,
        soft_delete_days=range(30, 121),
        external_keys="cloud-ekm",
    ),
    "aws": Parts(
        tees=("snp",),
        groups=True,
        clusters=True,
        releases=True,
        keys_and_log=True,
        processors_named=False,
        launches_signed=False,
        tpm="nitrotpm",
        tpm_root="aws",
        soft_delete_days=range(30, 31),
        external_keys="kms-external-key-store",
    ),
    "kubernetes": Parts(tees=("snp", "tdx"), groups=True),
}
"""By provider of the catalogue."""
