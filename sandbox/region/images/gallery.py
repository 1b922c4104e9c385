"""The image gallery of the emulated region: recipes, and the launch measurements that follow from them.

A recipe (`<name>-<version>.yaml` in this folder, `<name>-<version>.tdx.yaml` for Intel TDX) lists what an image
consists of, in launch order. An emulated image has no disk: the content of a component is the text in its recipe. Under
SEV-SNP the launch measurement chains the components as firmware chains launch pages (AMD 56860, SNP_LAUNCH_UPDATE,
table PAGE_INFO), with one record for a component where hardware has one for each 4 KiB page; under TDX, MRTD measures
the firmware and the RTMRs what it boots (`sandbox.region.images.trust_domain`). Where a paravisor starts the image, the
CPU measures that, and a vTPM the image (`sandbox.region.images.virtual_tpm`); on EC2 it measures AWS's firmware, and
NitroTPM the image (`sandbox.region.images.attestable`). A real image's measurements come from
its real pages; everything that reads reference values treats both alike.
"""

import hashlib
import re
import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sandbox.hardware import (
    EC2_FIRMWARE,
    EC2_FIRMWARE_MEASUREMENT,
    PARAVISOR,
    PARAVISOR_MEASUREMENT,
    LaunchPolicy,
    Measured,
    Tcb,
)
from sandbox.region.images import attestable, trust_domain, virtual_tpm

RECIPES: Final = Path(__file__).parent

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://bailiwick.dev/reference-values/v1"

_GALLERY_ID: Final = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/bailiwick-images/providers/Microsoft\.Compute"
    r"/galleries/bailiwick/images/(?P<name>[^/]+)/versions/(?P<version>[^/]+)",
    re.IGNORECASE,
)
_PAGE_INFO: Final = struct.Struct("<48s48sHB5xQ")
_PAGE_TYPE_NORMAL: Final = 1
_PAGE_BYTES: Final = 4096


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Component(_Model):
    """One measured part of an image; `content` is measured as UTF-8."""

    kind: Literal["firmware", "kernel", "initrd", "cmdline", "application"]
    content: str = Field(min_length=1)


class _Image(_Model, ABC):
    """One version of one image for one TEE, as its recipe describes it."""

    name: str
    version: str
    security_types: tuple[str, ...]
    components: tuple[Component, ...] = Field(min_length=1)

    @property
    def id(self) -> str:
        """`<name>-<version>`, as release policies name it."""
        return f"{self.name}-{self.version}"

    @abstractmethod
    def measurement(self) -> bytes:
        """What the hardware measures at launch: 48 bytes, SHA-384."""

    @abstractmethod
    def predicate(self) -> dict[str, Any]:
        """What the reference values say besides image and build time."""

    def boot_events(self) -> list[Measured]:
        """What is measured into a vTPM where a paravisor starts the image."""
        return virtual_tpm.events(self._parts())

    def _vtpm(self) -> dict[str, Any]:
        """What the reference values say of such a start."""
        name, version = PARAVISOR
        return {
            "paravisor": {"name": name, "version": version},
            "launch_measurements": [PARAVISOR_MEASUREMENT.hex()],
            "pcrs": _stated(virtual_tpm.measure(self._parts())),
        }

    def _parts(self) -> list[tuple[str, str]]:
        return [(component.kind, component.content) for component in self.components]

    def statement(self, built_at: datetime) -> dict[str, Any]:
        """The in-toto statement that names this image's reference values."""
        return {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": self.id, "digest": {"sha384": self.measurement().hex()}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "image": {"name": self.name, "version": self.version},
                **self.predicate(),
                "built_at": built_at.isoformat(timespec="seconds"),
            },
        }


class Image(_Image):
    """An image for AMD SEV-SNP."""

    tee: Literal["snp"]
    product: Literal["milan"]
    guest_policy: LaunchPolicy
    minimum_tcb: Tcb

    @property
    def key(self) -> str:
        """Name of the recipe and of its reference values, without suffix."""
        return self.id

    def measurement(self) -> bytes:
        """The launch digest: 48 bytes, SHA-384."""
        digest = bytes(48)
        for index, component in enumerate(self.components):
            content = hashlib.sha384(f"{component.kind}\0{component.content}".encode()).digest()
            record = _PAGE_INFO.pack(digest, content, _PAGE_INFO.size, _PAGE_TYPE_NORMAL, index * _PAGE_BYTES)
            digest = hashlib.sha384(record).digest()
        return digest

    def predicate(self) -> dict[str, Any]:
        return {
            "tee": self.tee,
            "product": self.product,
            "launch_measurements": [self.measurement().hex()],
            **self.model_dump(mode="json", include={"minimum_tcb", "guest_policy"}),
            "vtpm": self._vtpm(),
            "nitrotpm": self._nitrotpm(),
        }

    def attestable_events(self) -> list[Measured]:
        """What is measured into NitroTPM where EC2 starts the image."""
        return attestable.events(self._parts())

    def _nitrotpm(self) -> dict[str, Any]:
        """What the reference values say of such a start."""
        name, version = EC2_FIRMWARE
        return {
            "firmware": {"name": name, "version": version},
            "launch_measurements": [EC2_FIRMWARE_MEASUREMENT.hex()],
            "pcrs": _stated(attestable.measure(self._parts())),
        }


class TrustDomainImage(_Image):
    """An image for Intel TDX."""

    tee: Literal["tdx"]

    @property
    def key(self) -> str:
        """Name of the recipe and of its reference values, without suffix."""
        return f"{self.id}.tdx"

    def measurement(self) -> bytes:
        """MRTD: 48 bytes, SHA-384."""
        return self.registers().mr_td

    def registers(self) -> trust_domain.Registers:
        """MRTD and the RTMRs of a TD that was started from the image."""
        return trust_domain.measure(self._parts())

    def events(self) -> list[Measured]:
        """What the firmware of such a TD measures as it boots."""
        return trust_domain.events(self._parts())

    def predicate(self) -> dict[str, Any]:
        found = self.registers()
        return {
            "tee": self.tee,
            "mr_td": [found.mr_td.hex()],
            "rtmr1": [found.rtmr1.hex()],
            "rtmr2": [found.rtmr2.hex()],
            "vtpm": self._vtpm(),
        }


AnyImage = Image | TrustDomainImage
_RECIPE: Final[TypeAdapter[AnyImage]] = TypeAdapter(Annotated[AnyImage, Field(discriminator="tee")])


def _stated(pcrs: Mapping[int, bytes]) -> dict[str, list[str]]:
    return {str(register): [value.hex()] for register, value in pcrs.items()}


@cache
def gallery() -> dict[str, AnyImage]:
    """Every image that the emulated region offers, by the name of its recipe."""
    recipes = (yaml.safe_load(path.read_text("utf-8")) for path in sorted(RECIPES.glob("*.yaml")))
    return {image.key: image for image in map(_RECIPE.validate_python, recipes)}


def find(reference_id: str, tee: str | None = None) -> AnyImage | None:
    """The image behind an ARM gallery image version id (case-insensitive, as ARM ids are), or None.

    tee: the hardware that it is for; None: whichever there is, SEV-SNP first.
    """
    match = _GALLERY_ID.fullmatch(reference_id)
    if match is None:
        return None
    key = f"{match['name']}-{match['version']}".lower()
    variants = (gallery().get(key), gallery().get(f"{key}.tdx"))
    return next((image for image in variants if image and tee in (None, image.tee)), None)
