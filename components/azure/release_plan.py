"""Who may get which key of a region: the release policies that follow from its images and their reference values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import catalog
from components import reference_values
from components.azure.attestation_verifier import provider_origin, shared_provider_host
from components.azure.dependencies import residence
from components.azure.placement import Placement
from components.naming import digest
from components.reference_values import ReferenceValues
from components.release import Authority, MinimumTcb, ReleasePolicy, Tee
from components.release.azure import compile_policy, encode
from components.spec import ImageSpec, RegionSpec


def image_id(image: ImageSpec) -> str:
    """`<name>-<version>`: how reference values and release policies name an image."""
    return f"{image.name}-{image.version}"


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """The release policies of one region."""

    values: Mapping[str, ReferenceValues]
    """Reference values of every image in use, by image id."""
    disks: Mapping[str, ReleasePolicy]
    """Policy of each OS-disk key, by the key's label."""
    disk_labels: Mapping[str, str]
    """Label of the OS-disk key of each image in use, by image id."""
    models: Mapping[str, ReleasePolicy]
    """Policy of each model's key, by model: every image that serves it may have it, from the region's verifier."""
    model_images: Mapping[str, Sequence[str]]
    """Ids of the images that serve each model."""


def plan(spec: RegionSpec, placement: Placement, *, directory: Path, verifier_url: str) -> ReleasePlan:
    """Read the reference values of the region's images and derive every policy; raises `ReferenceValuesError`."""
    images = {image_id(image): image for image in (spec.verifier.image, *(m.image for m in spec.machines))}
    values = {
        id_: reference_values.load(directory, name=image.name, version=image.version) for id_, image in images.items()
    }
    models = sorted({machine.model for machine in spec.machines})
    model_images = {
        model: sorted({image_id(machine.image) for machine in spec.machines if machine.model == model})
        for model in models
    }
    here = catalog.load().region("azure", spec.location).jurisdiction
    verifier = Authority(uri=verifier_url, jurisdiction=here)

    def policy(image_ids: Iterable[str], authorities: tuple[Authority, ...]) -> ReleasePolicy:
        return _policy(spec, [values[id_] for id_ in image_ids], authorities)

    disks = {id_: policy([id_], disk_authorities(placement)) for id_ in sorted(images)}
    labels = {id_: disk_label(id_, disk) for id_, disk in disks.items()}
    return ReleasePlan(
        values=values,
        disks={labels[id_]: disk for id_, disk in disks.items()},
        disk_labels=labels,
        models={model: policy(model_images[model], (verifier,)) for model in models},
        model_images=model_images,
    )


def disk_label(id_: str, policy: ReleasePolicy) -> str:
    """Label of the key and of the disk encryption set for one image under one policy.

    Azure never changes the release policy of a key that exists (Key Vault, "Keys - Create If Not Exist"), nor the key
    under running confidential machines. So that another policy means another key: the old one stays for the old disks.
    """
    return f"{id_.replace('.', '-')}-{digest(encode(compile_policy(policy)))}"


def disk_authorities(placement: Placement) -> tuple[Authority, ...]:
    """Azure Attestation providers that Key Vault believes about a starting machine: the stack's own and the region's.

    Azure's boot firmware asks the provider that the region's tenants share (Azure/azure-cli#28720: the default policy
    for confidential disks names the region's default provider); the stack's own serves guests that ask by themselves.
    """
    jurisdiction = residence("azure-attestation", placement.location)
    return tuple(
        Authority(uri=origin, jurisdiction=jurisdiction)
        for origin in (provider_origin(placement), f"https://{shared_provider_host(placement.location)}")
    )


def _policy(spec: RegionSpec, values: Sequence[ReferenceValues], authorities: tuple[Authority, ...]) -> ReleasePolicy:
    """A policy that any of the images satisfies, on firmware that is new enough for every one of them."""
    return ReleasePolicy(
        jurisdiction=spec.jurisdiction,
        data_class=spec.data_class,
        tees=tuple(tee for tee in Tee if any(value.tee is tee for value in values)),
        launch_measurements=tuple(
            dict.fromkeys(measurement for value in values for measurement in value.launch_measurements)
        ),
        minimum_tcb=_strictest([value.minimum_tcb for value in values]),
        authorities=authorities,
    )


def _strictest(floors: Sequence[MinimumTcb]) -> MinimumTcb:
    return MinimumTcb(**{part: max(getattr(floor, part) for floor in floors) for part in MinimumTcb.model_fields})
