"""Evidence of emulated Intel hardware in files, as a person has it who verifies by the command."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.hardware import SandboxPki, publish_collateral
from sandbox.hardware.platform import FMSPC
from tests.verifier.emulated_azure import AzureTdGuest
from verifier.command import Verdict, verify_files
from verifier.trust import TrustStore

NONCE = b"\x07" * 48


class FileSite:
    """A folder with collateral, evidence and logs, and the emulated hardware that they are from."""

    def __init__(self, directory: Path) -> None:
        self.pki = SandboxPki(directory / "hardware")
        publish_collateral(self.pki.intel, directory)
        self.folder = directory / FMSPC.hex()
        self.policy = directory / "policy.json"
        self.ask()

    def ask(self, **demands: Any) -> None:
        """The policy: no reference values, and what a test demands."""
        self.policy.write_text(json.dumps({"reference_values": "if-given"} | demands))

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def verify(self, evidence: Path, log: Path | None = None, **options: Any) -> Verdict:
        trust = TrustStore.production().with_sandbox(self.pki.intel.root.pem)
        return verify_files(
            evidence,
            self.folder,
            at=datetime.now(UTC),
            policy=self.policy,
            nonce=NONCE,
            event_log=log,
            trust=trust,
            **options,
        )

    def start_vm(self, **changes: Any) -> tuple[Path, Path]:
        """An HCL report of an Azure TD with what its vTPM says beside it, and the vTPM's log."""
        booted, endorsed = AzureTdGuest(self.pki, ec.generate_private_key(ec.SECP256R1()), **changes).start()
        quote = booted.vtpm.quote(NONCE)
        self.write("tpm_quote.msg", quote)
        self.write("tpm_quote.sig", booted.vtpm.signature(quote))
        self.write("pcrs.json", json.dumps([value.hex() for value in booted.vtpm.pcrs]).encode())
        self.write("td_quote.bin", base64.urlsafe_b64decode(endorsed["td_quote"]))
        return self.write("hcl_report.bin", booted.hcl_report), self.write("tcg.bin", booted.event_log)
