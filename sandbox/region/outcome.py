"""What became of a guest: the record that the command line shows and that evidence export reads."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["attested", "refused", "failed"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class StepRecord(_Record):
    """One thing the guest did; `seconds` is how long it took."""

    name: str
    seconds: float


class ArtefactRecord(_Record):
    """The model that the guest opened. sha256: hex digest of the plaintext; bytes: its size."""

    model: str
    blob: str
    sha256: str
    bytes: int
    decrypted: bool


class GuestOutcome(_Record):
    """Public data about one boot of one guest; never a key.

    status: `attested` (has its key and its model), `refused` (the broker said no) or `failed` (never got an answer).
    reason: None when attested, else one line for the person who must act.
    measurement: what the processor measured, hex: of an SNP guest its launch digest, of a TD its MRTD, of a guest under
    a paravisor that of the paravisor. report: the raw attestation report, quote, or vTPM's quote, base64.
    certificates: the vendor's chain in DER, base64: VCEK, ASK and ARK, or PCK, platform CA and root.
    token: the attestation result (EAR, JWT); claims: its content. verifiers: SHA-256 (hex) of what the region's
    verifiers were told to do when they attested it; told something else, they have not attested it.
    receipts: what the broker logged about this guest, oldest first, each with its inclusion proof.
    started_at: RFC 3339.
    """

    machine: str
    machine_id: str
    image: str
    status: Status
    reason: str | None = None
    measurement: str | None = None
    nonce: str | None = None
    token: str | None = None
    claims: dict[str, Any] | None = None
    verifiers: str | None = None
    report: str | None = None
    certificates: dict[str, str] = Field(default_factory=dict)
    receipts: tuple[dict[str, Any], ...] = ()
    artefact: ArtefactRecord | None = None
    steps: tuple[StepRecord, ...] = ()
    started_at: str
    seconds: float = 0.0

    @property
    def receipt(self) -> dict[str, Any] | None:
        """The last thing the broker logged about this guest: the release, or the refusal."""
        return self.receipts[-1] if self.receipts else None
