"""Who may get which model key of a region: what follows from its images and their reference values, on any cloud."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import catalog
from components import reference_values
from components.reference_values import ReferenceValues
from components.release import Authority, MinimumTcb, ReleasePolicy, Tee
from components.spec import ImageSpec, MachineSpec, RegionSpec, VerifierSpec
from components.spec.parts import PARTS


def image_id(image: ImageSpec) -> str:
    """`<name>-<version>`: how reference values and release policies name an image."""
    return f"{image.name}-{image.version}"


@dataclass(frozen=True, slots=True)
class ImagePlan:
    """The images of one region, what they measure, and whose model key each may have."""

    values: Mapping[tuple[str, Tee], ReferenceValues]
    """Reference values of every image in use, by image id and TEE."""
    models: Mapping[str, ReleasePolicy]
    """Policy of each model's key, by model: every image that serves it may have it, from the region's verifier."""
    model_images: Mapping[str, Sequence[str]]
    """Ids of the images that serve each model."""
    signers: Mapping[tuple[str, Tee], Sequence[str]]
    """Who may have signed the launch of each image in use, by image id and TEE; empty where nobody need have."""

    def of_image(self, id_: str) -> list[ReferenceValues]:
        """The reference values of one image, one for each TEE that it runs on."""
        return [values for (image, _), values in self.values.items() if image == id_]

    def of_workloads(self) -> list[ReferenceValues]:
        """The reference values that the verifier needs: those of every image that serves a model."""
        images = sorted({id_ for ids in self.model_images.values() for id_ in ids})
        return [values for id_ in images for values in self.of_image(id_)]


def plan(spec: RegionSpec, *, directory: Path, verifier_url: str) -> ImagePlan:
    """Read the reference values of the region's images and derive every model's policy.

    Raises `ReferenceValuesError`.
    """
    entries: list[VerifierSpec | MachineSpec] = [*([spec.verifier] if spec.verifier else []), *spec.machines]
    values = {
        (image_id(entry.image), Tee(entry.tee)): reference_values.load(
            directory,
            name=entry.image.name,
            version=entry.image.version,
            tee=Tee(entry.tee),
            tpm=PARTS[spec.provider].tpm,
        )
        for entry in entries
    }
    signers = {(image_id(entry.image), Tee(entry.tee)): entry.image.launch_signers for entry in entries}
    here = catalog.load().region(spec.cloud, spec.location).jurisdiction
    verifier = Authority(uri=verifier_url, jurisdiction=here)
    by_model: dict[str, list[MachineSpec]] = {}
    for machine in sorted(spec.machines, key=lambda machine: machine.model):
        by_model.setdefault(machine.model, []).append(machine)
    used = {
        model: dict.fromkeys((image_id(machine.image), Tee(machine.tee)) for machine in machines)
        for model, machines in by_model.items()
    }
    return ImagePlan(
        values=values,
        models={
            model: policy(
                spec,
                [values[key] for key in sorted(keys)],
                (verifier,),
                confidential_gpu=_have_gpus(by_model[model]),
                hardware=spec.verifier.hardware if spec.verifier else (),
                signers=signers[next(iter(keys))],
            )
            for model, keys in used.items()
        },
        model_images={model: sorted({id_ for id_, _ in keys}) for model, keys in used.items()},
        signers=signers,
    )


def policy(
    spec: RegionSpec,
    values: Sequence[ReferenceValues],
    authorities: tuple[Authority, ...],
    *,
    confidential_gpu: bool = False,
    hardware: Sequence[str] = (),
    signers: Sequence[str] = (),
) -> ReleasePolicy:
    """A policy that any of the images satisfies, on firmware that is new enough for every one of them.

    signers: of the launch. The cloud renews a paravisor, and its measurement with it, but not the key that signs it.
    """
    tpm = PARTS[spec.provider].tpm
    named = () if tpm and signers else values
    floors = [value.minimum_tcb for value in values if value.minimum_tcb is not None]
    return ReleasePolicy(
        jurisdiction=spec.jurisdiction,
        data_class=spec.data_class,
        tees=tuple(tee for tee in Tee if any(value.tee is tee for value in values)),
        launch_measurements=tuple(
            dict.fromkeys(measurement for value in named for measurement in value.launch_measurements)
        ),
        launch_signers=tuple(signers),
        minimum_tcb=_strictest(floors) if floors else None,
        authorities=authorities,
        confidential_gpu=confidential_gpu,
        vtpm=tpm is not None,
        hardware=tuple(hardware),
    )


def _have_gpus(machines: Iterable[MachineSpec]) -> bool:
    """Whether each has a GPU, so that the key may demand one; a key that serves others too cannot."""
    return all(machine.gpu != "none" for machine in machines)


def _strictest(floors: Iterable[MinimumTcb]) -> MinimumTcb:
    known = list(floors)
    return MinimumTcb(**{part: max(getattr(floor, part) for floor in known) for part in MinimumTcb.model_fields})
