"""A guest with emulated Intel TDX at the emulated site, and what the site needs to serve it."""

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar

from sandbox.hardware import Measured, Platform, TdxModule, publish_collateral
from tests.verifier.emulated_site import Guest, Site, text
from tests.verifier.signed_values import signed_values
from verifier.signer import SoftwareSigner, public_key_pem

MR_TD = bytes(range(48))
KERNEL, APPLICATION = Measured(1, 0x80000003, b"kernel"), Measured(2, 0x0D, b"application")
HOST = Platform("host-a")


@dataclass(frozen=True)
class TdGuest(Guest):
    """A TD that asks for a key."""

    tee: ClassVar[str] = "tdx"

    booted: tuple[Measured, ...] = (KERNEL, APPLICATION)
    platform: Platform = HOST
    attributes: int = 1 << 28

    def evidence(self, nonce: str, report_data: bytes | None = None) -> dict[str, Any]:
        module = TdxModule(self.pki.intel, self.platform)
        td = module.launch(MR_TD, self.booted, attributes=self.attributes)
        return {
            "quote": text(module.quote(td, report_data or self.report_data(nonce))),
            "cc_eventlog": text(td.event_log),
        }


def admit_trust_domains(site: Site) -> None:
    """Let the site's key go to TDs as well: reference values, policy and collateral."""
    build = SoftwareSigner.generate()
    site.configure(
        reference_values=[*site.config.reference_values, _reference_values(build)],
        build_keys=[*site.config.build_keys, public_key_pem(build.public_key)],
    )
    site.change_policy(tee=["snp", "tdx"])
    publish_collateral(site.pki.intel, site.collateral)


def _reference_values(signer: SoftwareSigner) -> Any:
    """The signed values of the TD variant of the site's image."""
    registers = {"mr_td": [MR_TD.hex()], "rtmr1": [_extended(KERNEL)], "rtmr2": [_extended(APPLICATION)]}
    return signed_values(signer, "inference-guest", MR_TD, tee="tdx", **registers)


def _extended(event: Measured) -> str:
    return hashlib.sha384(bytes(48) + hashlib.sha384(event.data).digest()).hexdigest()
