"""Who may get which key of a region: the release policies that follow from its images and their reference values."""

from collections.abc import Mapping
from dataclasses import dataclass

from components import release_plan
from components.azure.attestation_verifier import provider_origin, shared_provider_host
from components.azure.dependencies import CLOUD
from components.azure.placement import Placement
from components.naming import digest
from components.region import Outline
from components.release import Authority, ReleasePolicy, Tee
from components.release.azure import compile_policy, encode
from components.release_plan import ImagePlan
from components.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """The release policies of one region."""

    images: ImagePlan
    """The images in use, and the policies of the models' keys."""
    disks: Mapping[str, ReleasePolicy]
    """Policy of each OS-disk key, by the key's label."""
    disk_labels: Mapping[tuple[str, Tee], str]
    """Label of the OS-disk key of each image in use, by image id and TEE."""


def plan(outline: Outline, placement: Placement) -> ReleasePlan:
    """Read the reference values of the region's images and derive every policy; raises `ReferenceValuesError`."""
    images = outline.plan()
    authorities = disk_authorities(placement)
    disks = {
        key: release_plan.policy(outline.spec, [values], authorities, signers=images.signers[key])
        for key, values in sorted(images.values.items())
    }
    labels = {(id_, tee): disk_label(id_, disk) for (id_, tee), disk in disks.items()}
    return ReleasePlan(images=images, disks={labels[key]: disk for key, disk in disks.items()}, disk_labels=labels)


def disk_label(id_: str, policy: ReleasePolicy) -> str:
    """Label of the key and of the disk encryption set for one image under one policy, which names one TEE.

    Azure never changes the release policy of a key that exists (Key Vault, "Keys - Create If Not Exist"), nor the key
    under running confidential machines. So that another policy means another key: the old one stays for the old disks.
    """
    return f"{id_.replace('.', '-')}-{digest(encode(compile_policy(policy)))}"


def disk_authorities(placement: Placement) -> tuple[Authority, ...]:
    """Azure Attestation providers that Key Vault believes about a starting machine: the stack's own and the region's.

    Azure's boot firmware asks the provider that the region's tenants share (Azure/azure-cli#28720: the default policy
    for confidential disks names the region's default provider); the stack's own serves guests that ask by themselves.
    """
    jurisdiction = Surroundings(CLOUD, placement.location).residence("azure-attestation")
    return tuple(
        Authority(uri=origin, jurisdiction=jurisdiction)
        for origin in (provider_origin(placement), f"https://{shared_provider_host(placement.location)}")
    )
