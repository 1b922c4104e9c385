"""Guests under an emulated paravisor at the emulated site, and what the site needs to serve them."""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sandbox.hardware import (
    PARAVISOR_MEASUREMENT,
    SNP_REPORT,
    TD_REPORT,
    Booted,
    Measured,
    Platform,
    Setup,
    TdxModule,
    boot,
    firmware_pcr,
    publish_collateral,
)
from tests.verifier.emulated_site import ON_MILAN, Guest, Site
from tests.verifier.signed_values import signed_values
from verifier.signer import SoftwareSigner, public_key_pem

KERNEL, APPLICATION = Measured(4, 0x80000003, b"kernel"), Measured(11, 0x0D, b"application")
VM_ID = "26F8BC30-774E-4290-8E7A-535F3B672AEE"
HOST = Platform("host-a")
SETUP = Setup(VM_ID, secure_boot=True, init_data=b"customData")


@dataclass(frozen=True)
class AzureGuest(Guest):
    """A guest on SEV-SNP whose vTPM asks for a key."""

    tee: ClassVar[str] = "az-snp-vtpm"

    booted: tuple[Measured, ...] = (KERNEL, APPLICATION)
    setup: Setup = SETUP
    paravisor: bytes = PARAVISOR_MEASUREMENT
    signed_by: bytes = bytes(48)
    changes: dict[str, Any] = field(default_factory=dict)

    def start(self) -> tuple[Booted, dict[str, str]]:
        """The guest as it runs, and what its host adds to its evidence."""
        firmware = self.firmware
        launched = firmware.launch(self.paravisor, self.policy, vmpl=self.vmpl, id_key_digest=self.signed_by)
        booted = boot(self.booted, self.setup, SNP_REPORT, lambda data: firmware.report(launched, data))
        return booted, {"vcek": urlsafe(firmware.certificates.leaf)}

    def digest(self, nonce: str) -> bytes:
        """What the vTPM is to quote."""
        return self.report_data(nonce)[:48]

    def evidence(self, nonce: str, report_data: bytes | None = None) -> dict[str, Any]:
        booted, endorsed = self.start()
        quote = booted.vtpm.quote(self.digest(nonce) if report_data is None else report_data)
        tpm_quote = {
            "message": quote.hex(),
            "signature": booted.vtpm.signature(quote).hex(),
            "pcrs": [value.hex() for value in booted.vtpm.pcrs],
        }
        members = {"version": 1, "tpm_quote": tpm_quote, "hcl_report": urlsafe(booted.hcl_report), **endorsed}
        log = base64.b64encode(booted.event_log).decode()
        return members | {"cc_eventlog": log} | self.changes


@dataclass(frozen=True)
class AzureTdGuest(AzureGuest):
    """The same in a TD."""

    tee: ClassVar[str] = "az-tdx-vtpm"

    platform: Platform = HOST

    def start(self) -> tuple[Booted, dict[str, str]]:
        module = TdxModule(self.pki.intel, self.platform)
        td = module.launch(self.paravisor, ())
        booted = boot(self.booted, self.setup, TD_REPORT, lambda data: module.report(td, data))
        return booted, {"td_quote": urlsafe(module.quote(td, booted.report_data))}


def admit_azure(site: Site) -> None:
    """Let the site's key go to guests under a paravisor, and to no others."""
    build = SoftwareSigner.generate()
    site.configure(
        reference_values=[reference_values(build, "snp"), reference_values(build, "tdx")],
        build_keys=[public_key_pem(build.public_key)],
    )
    site.change_policy(tee=["az-snp-vtpm", "az-tdx-vtpm"])
    publish_collateral(site.pki.intel, site.collateral)


def reference_values(signer: SoftwareSigner, tee: str, name: str = "inference-guest", **vtpm: Any) -> Any:
    """The signed values of the site's image under a paravisor."""
    unused = hashlib.sha384(f"{name} on {tee}".encode()).digest()
    hardware = {
        "snp": {**ON_MILAN, "launch_measurements": [unused.hex()]},
        "tdx": {"tee": "tdx", "mr_td": [unused.hex()]},
    }[tee]
    shown = {
        "paravisor": {"name": "azure-paravisor", "version": "1.0.0"},
        "launch_measurements": [PARAVISOR_MEASUREMENT.hex()],
        "pcrs": {"4": [extended(firmware_pcr(4), KERNEL)], "11": [extended(bytes(32), APPLICATION)]},
    }
    return signed_values(signer, name, unused, **hardware, vtpm=shown | vtpm)


def extended(before: bytes, event: Measured) -> str:
    return hashlib.sha256(before + hashlib.sha256(event.data).digest()).hexdigest()


def urlsafe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()
