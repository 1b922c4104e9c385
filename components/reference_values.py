"""Reference values of guest images: what the build says an image measures, read from the stack's repository.

A file `<image>-<version>.json` (`<image>-<version>.tdx.json` for Intel TDX) is a DSSE envelope (protocol.md of
secure-systems-lab/dsse) around an in-toto Statement v1. Components read the payload to pin a key to a measurement;
they do not check the signature. The verifier does, against the build's public key, before it believes a value, and it
gets the envelopes unopened.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from components.release import MinimumTcb, Tee
from components.release.policy import Measurement
from components.spec.machines import reference_values_name
from components.spec.parts import Tpm

PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "https://bailiwick.dev/reference-values/v1"


class ReferenceValuesError(ValueError):
    """Reference values that are missing or unreadable; `str(error)` is one line with the file and what to do."""


class _Image(BaseModel):
    name: str
    version: str


class _BelowTpm(BaseModel):
    """What an image shows where the cloud's own firmware starts it, as far as components use it."""

    model_config = ConfigDict(extra="ignore")

    launch_measurements: tuple[Measurement, ...] = Field(min_length=1)


class _Predicate(BaseModel):
    """The fields that components use; the verifier's own model refuses what it does not know."""

    model_config = ConfigDict(extra="ignore")

    image: _Image
    tee: Tee
    launch_measurements: tuple[Measurement, ...] = Field(min_length=1)
    minimum_tcb: MinimumTcb | None = None
    vtpm: _BelowTpm | None = None
    nitrotpm: _BelowTpm | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_a_trust_domain(cls, values: Any) -> Any:
        """A TD is launched into its MRTD; its TCB has another form, which only the verifier reads."""
        if not isinstance(values, dict) or values.get("tee") != Tee.TDX:
            return values
        return {**values, "launch_measurements": values.get("mr_td"), "minimum_tcb": None}


class _Statement(BaseModel):
    model_config = ConfigDict(extra="ignore")

    predicate_type: Literal["https://bailiwick.dev/reference-values/v1"] = Field(alias="predicateType")
    predicate: _Predicate


@dataclass(frozen=True, slots=True)
class ReferenceValues:
    """What the build says about one version of one image."""

    image: str
    """`<name>-<version>`."""
    tee: Tee
    launch_measurements: tuple[str, ...]
    """What the processor may measure at launch, lower-case hexadecimal; on Intel TDX the MRTD, which measures the
    virtual firmware, while the RTMRs of the envelope measure what that boots. On Azure it is the paravisor's, on EC2
    AWS's firmware's, and PCRs of the envelope measure the image."""
    minimum_tcb: MinimumTcb | None
    """Oldest firmware of a SEV-SNP platform; None on other TEEs."""
    envelope: dict[str, Any]
    """The DSSE envelope as it was read, for the verifier."""


def load(directory: Path, *, name: str, version: str, tee: Tee = Tee.SNP, tpm: Tpm | None = None) -> ReferenceValues:
    """The reference values of image `name` in `version` on `tee`; raises `ReferenceValuesError`.

    tpm: what measures the image where the processor measures the cloud's own firmware, see `components.spec.parts`.
    """
    image = f"{name}-{version}"
    path = directory / f"{reference_values_name(image, tee)}.json"
    if not path.is_file():
        built = ", ".join(sorted(file.stem for file in directory.glob("*.json"))) or "none"
        raise ReferenceValuesError(
            f"image {image}: no reference values at {directory.name}/{path.name}; images that have them: {built}"
        )
    try:
        envelope = json.loads(path.read_bytes())
        if envelope["payloadType"] != PAYLOAD_TYPE:
            raise ReferenceValuesError(f"{path.name}: payloadType must be {PAYLOAD_TYPE}")
        statement = _Statement.model_validate_json(base64.b64decode(envelope["payload"], validate=True))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ReferenceValuesError(f"{path.name}: {where}: {first['msg']}") from error
    except (KeyError, TypeError, json.JSONDecodeError, binascii.Error, UnicodeDecodeError) as error:
        raise ReferenceValuesError(
            f"{path.name}: not a DSSE envelope (payloadType, payload in base64, signatures)"
        ) from error
    predicate = statement.predicate
    if (predicate.image.name, predicate.image.version) != (name, version):
        raise ReferenceValuesError(
            f"{path.name}: states image {predicate.image.name}-{predicate.image.version}, its name says {image}"
        )
    if predicate.tee is not tee:
        raise ReferenceValuesError(f"{path.name}: states TEE {predicate.tee}, its name says {tee}")
    below = {"vtpm": predicate.vtpm, "nitrotpm": predicate.nitrotpm}[tpm] if tpm else None
    if tpm and below is None:
        raise ReferenceValuesError(
            f"{path.name}: states no {tpm}, and the cloud starts {image} by firmware of its own; sign its PCRs"
        )
    measured = below or predicate
    return ReferenceValues(
        image=image,
        tee=predicate.tee,
        launch_measurements=measured.launch_measurements,
        minimum_tcb=predicate.minimum_tcb,
        envelope=envelope,
    )


def build_keys(directory: Path) -> list[str]:
    """The public keys (PEM, SubjectPublicKeyInfo) of the builds that may sign reference values, by file name."""
    keys = [path.read_text(encoding="ascii") for path in sorted(directory.glob("*.pub.pem"))]
    if not keys:
        raise ReferenceValuesError(f"{directory.name}: no build key; put the build's public key there as build.pub.pem")
    return keys
