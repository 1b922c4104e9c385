"""`POST /v1/verify` on Google's confidential VMs: a message with the processor's report in it is one result."""

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.verifier import emulated_store
from tests.verifier.broker.test_verification import answered, request
from tests.verifier.emulated_site import IMAGE, RESOURCE, Client, Site, text
from tests.verifier.fake_x509 import FakeCertificate
from tests.verifier.google import fake_machine, test_vtpm
from tests.verifier.google.fake_machine import member
from tests.verifier.google.test_attestation_key import WORLD
from verifier.collateral.source import Reader
from verifier.pki import Certificate
from verifier.trust import TrustAnchor, TrustStore

DAY = timedelta(days=1)


def client(site: Site, reader: Reader | None = None) -> Client:
    """A replica that trusts the fake Google, too."""
    own = TrustStore.production().with_sandbox(site.pki.roots)
    anchor = TrustAnchor("google", frozenset({"google-ak"}), current(site, WORLD.root))
    trust = TrustStore([*own.anchors, anchor], [*own.intermediates, current(site, WORLD.intermediate)])
    site.configure(trust_anchors=[*site.config.trust_anchors, "google"])
    return site.replica(trust=trust) if reader is None else emulated_store.replica(site, reader, trust)


def current(site: Site, certificate: FakeCertificate) -> Certificate:
    """The certificate, valid now."""
    return Certificate.parse(replace(certificate, not_before=site.now - DAY, not_after=site.now + DAY).encode())


def asked(site: Site, *, chain: bool = True, changed: bool = False, **changes: Any) -> dict[str, Any]:
    """A request about a machine. chain: whether its message has the certificates; changed: whether its report was."""
    body = request(site.pki, nonce=test_vtpm.NONCE)
    report = bytearray(base64.b64decode(body["evidence"]))
    report[0x90] ^= changed
    vcek, ask = (base64.b64decode(body["endorsements"][name]) for name in ("vcek", "ask"))
    attestation = fake_machine.snp_attestation(bytes(report), member(1, vcek) + member(2, ask) if chain else b"")
    certificate = member(6, current(site, test_vtpm.certificate()).encoded)
    message = replace(test_vtpm.GOOD, certificate=certificate, more=member(8, attestation)).encoded
    asked = {"evidence": text(message), "kind": "google", "nonce": body["nonce"], "policy": RESOURCE}
    return asked | ({} if chain else {"endorsements": body["endorsements"]}) | changes


def claims(answer: dict[str, Any], submodule: str) -> dict[str, Any]:
    found: dict[str, Any] = answer["submods"][submodule]["ear.veraison.policy-claims"]
    return found


@pytest.mark.parametrize("chain", [True, False], ids=["in the message", "beside it"])
def test_report_and_vtpm_are_one_result(site: Site, chain: bool) -> None:
    answer = answered(client(site), asked(site, chain=chain))
    assert (answer["genuine"], answer["submods"].keys()) == (True, {"cpu", "vtpm"})
    assert answer["submods"]["cpu"]["ear.status"] == "affirming"
    assert IMAGE in claims(answer, "cpu")["measurement"]["reason"], "the service's reference values are for the report"
    assert claims(answer, "vtpm")["report"]["tier"] == "affirming"
    assert answer["summary"].startswith("genuine, but not acceptable: pcrs: "), "a key's policy lists no PCRs"


def test_certificates_of_the_message_where_a_store_has_none(site: Site) -> None:
    answer = answered(client(site, emulated_store.put_revocation_list(site)), asked(site))
    assert claims(answer, "cpu")["revocation"]["value"] == "checked"


def test_what_fails_is_said_of_the_part_that_it_is_about(site: Site) -> None:
    answer = answered(client(site), asked(site, changed=True))
    assert (answer["failed_check"], answer["submods"].keys()) == ("signature", {"cpu"})
    nothing = {"endorsements": None}
    answer = answered(client(site), asked(site, chain=False) | nothing)
    assert (answer["failed_check"], answer["submods"].keys()) == ("endorsement.missing", {"cpu"})


def test_another_nonce(site: Site) -> None:
    answer = answered(client(site), asked(site, nonce="00"))
    assert claims(answer, "cpu")["report-data"]["tier"] == "contraindicated"
    assert claims(answer, "vtpm")["nonce"]["tier"] == "contraindicated"
    assert claims(answer, "vtpm")["report"]["tier"] == "affirming"
