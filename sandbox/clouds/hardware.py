"""What an emulated cloud needs from the machines below it: an HSM, and hosts that boot guests.

`sandbox.region` implements `Hardware`. `NullHardware` is for what needs none of it: a preview, `bailiwick check`,
and tests of the cloud itself.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sandbox.values import Value


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """A key pair that the HSM holds. `public_jwk` (RFC 7517) is all that ever leaves it."""

    version: str
    public_jwk: dict[str, str]


@dataclass(frozen=True, slots=True)
class Machine:
    """A virtual machine as the host is asked to boot it.

    `id` is the cloud's id of the machine and `network_id` that of its network; `tee` is the catalogue's name (`snp`,
    `tdx`, `sev`) or None for an ordinary machine; `image_reference` names the image it boots from, see
    `Hardware.image`; `custom_data` is what the guest is told at boot, decoded: on Azure osProfile.customData, or
    userData for a specialized image, which takes no osProfile; on Google Cloud an entry of the instance's metadata.
    """

    id: str
    name: str
    location: str
    zone: str | None
    size: str
    tee: str | None
    image_reference: str
    custom_data: bytes | None
    private_ip: str
    network_id: str
    secure_boot: bool
    vtpm: bool
    gpu: str | None = None
    """GPU in confidential-computing mode, as the catalogue names it."""
    cloud_key: str | None = None
    """Whom AMD issued a key to that the cloud's hosts sign reports with (VLEK), as its certificate names the cloud;
    None: every host signs with its chip's own key (VCEK)."""
    instance_id: str | None = None
    """EC2's id of the machine, which AWS's firmware starts: the processor measures that, and NitroTPM, where there is
    one (`vtpm`), what it boots. None: no machine of EC2."""
    paravisor: bool = False
    """Whether the cloud starts guests under a paravisor with a vTPM, which the processor measures in their place."""


class Hardware(Protocol):
    """The HSM and the hosts of one emulated region. A method that fails raises `sandbox.provider.ProviderError`."""

    def image(self, reference_id: str) -> dict[str, Value] | None:
        """Facts of a gallery image version: `name`, `version`, `securityTypes`; None when there is no such image.

        `securityTypes` lists what a VM made from it may state as securityProfile.securityType (`ConfidentialVM`,
        `TrustedLaunch`, `Standard`). `specialized`, where given, says whether the image has its own users, so that the
        VM takes no osProfile.
        """

    def create_key(self, vault: str, name: str, properties: Mapping[str, Value]) -> KeyVersion:
        """Create the key pair `name` in `vault` from the ARM key properties, or find it when it is already there."""

    def destroy_key(self, vault: str, name: str) -> None:
        """Destroy every version of a key. Called when it is purged, not when it is deleted; absent is no error."""

    def boot(self, machine: Machine) -> None:
        """Start a machine, afresh if it is on. Returns without waiting for the guest."""

    def power_off(self, machine_id: str) -> None:
        """Stop a machine and forget it; absent is no error."""


def image_reference(name: str, version: str) -> str:
    """How the hardware's gallery names an image, whatever a cloud calls it."""
    gallery = "/subscriptions/emulated/resourceGroups/bailiwick-images/providers/Microsoft.Compute/galleries/bailiwick"
    return f"{gallery}/images/{name}/versions/{version}"


class NullHardware:
    """Hardware that is not there: keys are made-up numbers, machines do not start.

    With `images` None every well-formed gallery image version exists and may boot a confidential VM.
    """

    def __init__(self, images: Mapping[str, Mapping[str, Value]] | None = None) -> None:
        self._images = None if images is None else {key.lower(): dict(facts) for key, facts in images.items()}

    def image(self, reference_id: str) -> dict[str, Value] | None:
        if self._images is not None:
            return self._images.get(reference_id.lower())
        name, version = reference_id.split("/images/")[-1].split("/versions/")
        return {"name": name, "version": version, "securityTypes": ["ConfidentialVM"]}

    def create_key(self, vault: str, name: str, properties: Mapping[str, Value]) -> KeyVersion:
        digest = hashlib.sha512(f"{vault}/{name}".encode()).digest()
        kty = "EC" if str(properties.get("kty", "RSA")).startswith("EC") else "RSA"
        member = "x" if kty == "EC" else "n"
        number = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return KeyVersion(version=digest.hex()[:32], public_jwk={"kty": kty, member: number})

    def destroy_key(self, vault: str, name: str) -> None:
        """Nothing to destroy."""

    def boot(self, machine: Machine) -> None:
        """Nothing boots."""

    def power_off(self, machine_id: str) -> None:
        """Nothing runs."""
