"""Attestations and releases: results are the verifier's, evidence is genuine, each key went where it was allowed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from verifier import canonical, ear, jwk, nvidia
from verifier.broker.judge import Judge
from verifier.broker.protocol import Evidence
from verifier.config import Resource, VerifierConfig
from verifier.errors import InvalidToken, VerifierError
from verifier.evidence.outcome import Verification, count
from verifier.tdx import Collateral, KnownCollateral
from verifier.trust import TrustStore


@dataclass(frozen=True)
class Attested:
    """One attestation of the bundle, read: the evidence, the result token and its claims at the time of issue."""

    evidence: Evidence
    evidence_digest: str
    result: str
    claims: dict[str, Any]


@dataclass
class Attestations:
    """The attestations of a bundle, the decisions that rest on them, and what is needed to judge them again.

    collateral: SHA-256 → what TDX quotes and devices were judged with. entries: the log's. configurations: verifier
    name → configuration. keys: of the verifiers' results. trust: the auditor's roots.
    """

    results: list[dict[str, Any]]
    collateral: Mapping[str, Mapping[str, Any]]
    entries: list[dict[str, Any]]
    configurations: Mapping[str, VerifierConfig]
    keys: Sequence[ec.EllipticCurvePublicKey]
    trust: TrustStore
    attested: dict[str, Attested] = field(default_factory=dict)
    judges: dict[str, Judge] = field(default_factory=dict)

    def check(self, outcome: Verification) -> None:
        """Results, then hardware, then releases; a later check uses what an earlier one established."""
        self._results(outcome)
        self._hardware(outcome)
        self._releases(outcome)

    def _results(self, outcome: Verification) -> None:
        problems = [problem for item in self.results for problem in self._read(item)]
        decided = {entry["verdict_digest"] for entry in self._allowed("attestation")}
        problems += [f"result {digest[:16]}… has no receipt" for digest in sorted(self.attested.keys() - decided)]
        outcome.add(
            "attestation.results",
            "Attestation results are the verifier's own and match their evidence",
            problems,
            f"{count(len(self.attested), 'result')}, none but affirming",
        )

    def _read(self, item: Mapping[str, Any]) -> Iterator[str]:
        """Take one attestation in, or say what is wrong with it."""
        name = f"result {item['result_digest'][:16]}…"
        evidence = Evidence.from_json(canonical.encode(item["evidence"]))
        try:
            claims = self._claims(item["result"])
        except InvalidToken as error:
            yield f"{name}: {error}"
            return
        if hashlib.sha256(item["result"].encode("ascii")).hexdigest() != item["result_digest"]:
            yield f"{name} is not the token it stands for"
        if evidence.digest != item["evidence_digest"]:
            yield f"{name}: the evidence is not what its digest says"
        bound = (evidence.digest, evidence.runtime_data.tee_pubkey, evidence.runtime_data.nonce)
        if (claims.get("evidence"), claims.get("tee-pubkey"), claims.get("eat_nonce")) != bound:
            yield f"{name} is about other evidence"
        if claims.get("ear.status") != "affirming":
            yield f"{name} is {claims.get('ear.status')}"
        self.attested[item["result_digest"]] = Attested(evidence, item["evidence_digest"], item["result"], claims)

    def _hardware(self, outcome: Verification) -> None:
        problems: list[str] = []
        roots: set[str] = set()
        for entry in (*self._allowed("attestation"), *self._allowed("release")):
            try:
                roots.add(self._judge_again(entry))
            except (VerifierError, ValueError) as error:
                problems.append(f"{entry['event']} {entry['id'][:8]}: {error}")
        if problems and not self._accepts_emulated() and self._expects_emulated():
            problems.insert(0, "the verifier accepts emulated hardware too; its root was not given to this check")
        outcome.add(
            "hardware.evidence",
            "Hardware evidence verifies, and satisfies the policy: judged here again",
            problems,
            f"reports verify up to the pinned root: {', '.join(sorted(roots)) or 'none was needed'}",
        )
        if "sandbox" in roots:
            emulated = "the guests ran on emulated hardware, which proves nothing about a real machine"
            outcome.add("hardware.emulated", "The hardware is a vendor's", [emulated], "", otherwise="warning")

    def _judge_again(self, entry: Mapping[str, Any]) -> str:
        """Verify and appraise the evidence of one allowed decision as of its time; the name of its root."""
        attested = self.attested.get(entry["verdict_digest"])
        if attested is None:
            raise VerifierError("it rests on a result that is not in the bundle")
        configuration = self.configurations.get(entry["verifier"]["name"])
        if configuration is None:
            raise VerifierError(f"the configuration of {entry['verifier']['name']} is not in the bundle")
        judge = self._judge(configuration)
        evidence = attested.evidence
        at = datetime.fromisoformat(entry["time"])
        genuine = judge.verify(evidence, at, self._collateral_of(entry), self._device_collateral_of(entry))
        if genuine.measurement != entry["measurement"]:
            raise VerifierError("the receipt names another measurement than the evidence")
        if len(genuine.devices) != entry.get("devices", 0):
            raise VerifierError(
                f"the receipt names {entry.get('devices', 0)} devices, the evidence {len(genuine.devices)}"
            )
        problem = genuine.unbound(evidence.runtime_data)
        if problem is not None:
            raise VerifierError(problem)
        resource = _resource(configuration, entry)
        objections = judge.objections(judge.appraise(genuine, evidence, resource), resource, evidence.tee)
        if objections:
            raise VerifierError("; ".join(objections))
        return genuine.root

    def _collateral_of(self, entry: Mapping[str, Any]) -> KnownCollateral:
        """What the decision says that it was judged with; None where it says nothing, as for every SNP report."""
        members = self._archived(entry, "collateral_digest")
        return KnownCollateral(None if members is None else Collateral.from_members(members))

    def _device_collateral_of(self, entry: Mapping[str, Any]) -> nvidia.CollateralSource:
        """The same of devices; nothing where it says nothing."""
        members = self._archived(entry, "device_collateral_digest")
        return nvidia.Collateral if members is None else lambda: nvidia.Collateral.from_members(members)

    def _archived(self, entry: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
        digest = entry.get(name)
        if digest is not None and digest not in self.collateral:
            raise VerifierError(f"the collateral {digest[:16]}… that it was judged with is not in the bundle")
        return None if digest is None else self.collateral[digest]

    def _accepts_emulated(self) -> bool:
        return any(anchor.name == "sandbox" for anchor in self.trust.anchors)

    def _expects_emulated(self) -> bool:
        return any("sandbox" in configuration.trust_anchors for configuration in self.configurations.values())

    def _judge(self, configuration: VerifierConfig) -> Judge:
        """The verifier's policies under those of its roots that the auditor trusts too."""
        known = {anchor.name for anchor in self.trust.anchors}
        if configuration.name not in self.judges:
            shared = tuple(name for name in configuration.trust_anchors if name in known)
            narrowed = configuration.model_copy(update={"trust_anchors": shared})
            self.judges[configuration.name] = Judge(narrowed, self.trust)
        return self.judges[configuration.name]

    def _releases(self, outcome: Verification) -> None:
        released = self._allowed("release")
        problems = [problem for entry in released for problem in self._bound(entry)]
        outcome.add(
            "releases.bound",
            "Each key went to the guest that was attested, while its result was valid",
            problems,
            count(len(released), "release") if released else "no key was released",
        )

    def _bound(self, entry: Mapping[str, Any]) -> Iterator[str]:
        name, attested = f"release {entry['id'][:8]}", self.attested.get(entry["verdict_digest"])
        if attested is None:
            yield f"{name} rests on a result that is not in the bundle"
            return
        if entry["evidence_digest"] != attested.evidence_digest:
            yield f"{name} names other evidence than its result"
        if entry["guest_key"] != jwk.thumbprint(attested.evidence.runtime_data.tee_pubkey):
            yield f"{name} went to another key than the attested one"
        try:
            ear.read(attested.result, self.keys, datetime.fromisoformat(entry["time"]))
        except InvalidToken as error:
            yield f"{name}: at its time, {error}"

    def _allowed(self, event: str) -> list[dict[str, Any]]:
        return [entry for entry in self.entries if (entry["event"], entry["decision"]) == (event, "allow")]

    def _claims(self, token: str) -> dict[str, Any]:
        """A result token's claims as of its time of issue; later it has expired, which is as it should be."""
        try:
            issued = canonical.parse_object(jwk.decode(token.split(".")[1]))["iat"]
            at = datetime.fromtimestamp(issued, UTC)
        except (ValueError, KeyError, TypeError, IndexError, OverflowError):
            raise InvalidToken("token: not a JWT with the time of its issue (iat)") from None
        return ear.read(token, self.keys, at)


def _resource(configuration: VerifierConfig, entry: Mapping[str, Any]) -> Resource:
    """The resource whose policy decided; VerifierError unless the configuration has that very policy."""
    for resource in configuration.resources:
        named = entry["resource"] is None or resource.path == entry["resource"]
        if named and resource.policy.digest == entry["policy_digest"]:
            return resource
    raise VerifierError(f"its policy {entry['policy_digest'][:16]}… is not in the verifier's configuration")
