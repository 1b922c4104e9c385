"""The image gallery of the emulated region: recipes, and the launch measurements that follow from them.

A recipe (`<name>-<version>.yaml` in this folder) lists what an image consists of, in launch order. An emulated
image has no disk: the content of a component is the text in its recipe. The launch measurement chains the
components as SNP firmware chains launch pages (AMD 56860, SNP_LAUNCH_UPDATE, table PAGE_INFO), with one
record for a component where hardware has one for each 4 KiB page. A real image's measurement comes from its
real pages; everything that reads reference values treats both alike.
"""

import hashlib
import re
import struct
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from sandbox.hardware import LaunchPolicy, Tcb

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


class Image(_Model):
    """One version of one image, as its recipe describes it."""

    name: str
    version: str
    tee: Literal["snp"]
    product: Literal["milan"]
    security_types: tuple[str, ...]
    components: tuple[Component, ...] = Field(min_length=1)
    guest_policy: LaunchPolicy
    minimum_tcb: Tcb

    @property
    def id(self) -> str:
        """`<name>-<version>`, as release policies name it."""
        return f"{self.name}-{self.version}"

    def measurement(self) -> bytes:
        """The launch digest: 48 bytes, SHA-384."""
        digest = bytes(48)
        for index, component in enumerate(self.components):
            content = hashlib.sha384(f"{component.kind}\0{component.content}".encode()).digest()
            record = _PAGE_INFO.pack(digest, content, _PAGE_INFO.size, _PAGE_TYPE_NORMAL, index * _PAGE_BYTES)
            digest = hashlib.sha384(record).digest()
        return digest

    def statement(self, built_at: datetime) -> dict[str, Any]:
        """The in-toto statement that names this image's reference values."""
        measurement = self.measurement().hex()
        return {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": self.id, "digest": {"sha384": measurement}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "image": {"name": self.name, "version": self.version},
                "tee": self.tee,
                "product": self.product,
                "launch_measurements": [measurement],
                **self.model_dump(mode="json", include={"minimum_tcb", "guest_policy"}),
                "built_at": built_at.isoformat(timespec="seconds"),
            },
        }


@cache
def gallery() -> dict[str, Image]:
    """Every image that the emulated region offers, by `<name>-<version>`."""
    images = (Image.model_validate(yaml.safe_load(path.read_text("utf-8"))) for path in sorted(RECIPES.glob("*.yaml")))
    return {image.id: image for image in images}


def find(reference_id: str) -> Image | None:
    """The image behind an ARM gallery image version id (case-insensitive, as ARM ids are), or None."""
    match = _GALLERY_ID.fullmatch(reference_id)
    return gallery().get(f"{match['name']}-{match['version']}".lower()) if match else None
