"""Everything of the verifier that reads bytes from outside, with genuine inputs to start from."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from tests.verifier.collateral import test_google as fake_google
from tests.verifier.google import fake_machine
from tests.verifier.google import test_vtpm as fake_vtpm
from tests.verifier.nitro import fake_nitro
from tests.verifier.nvidia.fake_nvidia import FakeOcsp, FakeRim, device_certificates, fwid_entry, golden, tcb_info
from tests.verifier.snp.test_certificate_table import table
from tests.verifier.tokens import fake_issuer
from tests.verifier.tpm.fake_tpm import Tpm
from verifier import (
    azure,
    canonical,
    cbor,
    cose,
    dsse,
    ear,
    ear_cwt,
    jwk,
    library,
    nitro,
    nvidia,
    snp,
    tdx,
    tokens,
    tpm,
)
from verifier.appraisal import AppraisalPolicy, rejected
from verifier.appraisal.policy import DEFAULT_POLICY
from verifier.collateral import bundle, google, pem
from verifier.collateral.record import Kind, Record
from verifier.errors import VerificationFailed, VerifierError
from verifier.google import vtpm
from verifier.nvidia import rim
from verifier.nvidia.evidence import parse_evidence_list
from verifier.nvidia.fwid import read_firmware_identity
from verifier.nvidia.ocsp import OcspResponse
from verifier.nvidia.xml import parse_xml, signed_document
from verifier.pki import Certificate, Extension, RevocationList
from verifier.pki.files import pem_values
from verifier.signer import ES256, ES384, SoftwareSigner
from verifier.snp import certificate_table
from verifier.snp.endorsement import read_leaf
from verifier.tdx import documents, event_log
from verifier.tdx.pck import SGX_EXTENSION, read_platform
from verifier.tpm import event_log as tpm_event_log
from verifier.tpm import secure_boot

EVIDENCE = Path(__file__).parents[1] / "evidence"
AT = datetime(2026, 1, 1, tzinfo=UTC)

JSON_WORDS = (
    b"{}",
    b"[]",
    b"null",
    b'""',
    b"true",
    b"1e9",
    b"-1",
    b"NaN",
    b'"\\ud800"',
    b'{"a":1,"a":2}',
    b"[[[[",
    b",",
)
XML_WORDS = (
    b"<!DOCTYPE a>",
    b"<![CDATA[x]]>",
    b"&lt;",
    b"&#0;",
    b"<a/>",
    b"</a>",
    b" a='1'",
    b" xmlns:a='b'",
    b"<?a?>",
)
PEM_WORDS = (b"-----BEGIN CERTIFICATE-----\n", b"\n-----END CERTIFICATE-----\n", b"\n\n\n", b"====")
DER_WORDS = (b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x02\x01\x00", b"\x30\x00", b"\xa0\x00", b"\x06\x01\x80")

CBOR_WORDS = (
    b"\xa0",
    b"\x80",
    b"\x9f",
    b"\xbf",
    b"\xff",
    b"\xf6",
    b"\x5a\xff\xff\xff\xff",
    b"\xd2",
    b"\x9b" + b"\xff" * 8,
)


@dataclass(frozen=True)
class Target:
    """One parser. seeds: inputs to start from. errors: what it may raise. words: of its format."""

    name: str
    run: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]
    errors: tuple[type[Exception], ...] = (VerifierError,)
    words: tuple[bytes, ...] = ()


def _files(*patterns: str, most: int = 12) -> Callable[[], Sequence[bytes]]:
    """The smallest files of the evidence that match."""

    def read() -> Sequence[bytes]:
        found = {path.read_bytes() for pattern in patterns for path in EVIDENCE.glob(pattern) if path.is_file()}
        return sorted(found, key=lambda content: (len(content), content))[:most]

    return read


@cache
def _signer() -> SoftwareSigner:
    return SoftwareSigner.generate(ES256)


@cache
def _public_key() -> ec.EllipticCurvePublicKey:
    return _signer().public_key


@ec.EllipticCurvePublicKey.register
class _Credulous:
    """A P-384 key to which each signature is good: a real one takes ten times as long as what reads the claims."""

    curve = ec.SECP384R1()

    def verify(self, *_: object) -> None:
        """Refuse nothing."""

    def public_bytes(self, *_: object) -> bytes:
        """What a fingerprint is taken of."""
        return b"of a key"


CREDULOUS: Any = _Credulous()


def _quotes() -> Sequence[bytes]:
    return _files("tdx/quotes/*.bin", most=4)()


def _pck_certificates() -> Sequence[bytes]:
    return [pem_values(tdx.parse(quote).certification)[0] for quote in _quotes()[:2]]


def _pck_extensions() -> Sequence[bytes]:
    return [Certificate.parse(encoded).extensions[SGX_EXTENSION].value for encoded in _pck_certificates()]


def _chains() -> Sequence[bytes]:
    return _files("gpu/devices/h100*/chain.pem", most=2)()


def _device_certificates() -> Sequence[bytes]:
    """With either form of the firmware's identity."""
    return [device_certificates()[0].encode(), device_certificates(fwid=tcb_info(fwid_entry()))[0].encode()]


def _rim_contents() -> Sequence[bytes]:
    return [signed_document(encoded, "rim").content for encoded in _rims()]


def _rims() -> Sequence[bytes]:
    """Short ones: a genuine one has 64 measurements, each of the same form, which takes ten times as long to read."""
    return [FakeRim(golden=golden(0, 1)).encode(), FakeRim(inactive=(), golden=golden(7)).encode()]


def _tables() -> Sequence[bytes]:
    leaf = _files("snp/*/vcek.der", most=1)()[0]
    return [table(("vcek", leaf), ("crl", b"crl"))]


def _responses() -> Sequence[bytes]:
    chain = device_certificates()
    return [FakeOcsp(chain[1], chain[2], "provisioner").encode()]


def _evidence_lists() -> Sequence[bytes]:
    folder = EVIDENCE / "gpu" / "devices" / "h100-535.86.09"
    entry = {
        name: base64.b64encode((folder / file).read_bytes()).decode()
        for name, file in (("evidence", "report.bin"), ("certificate", "chain.pem"))
    }
    return [json.dumps([entry]).encode()]


def _tokens() -> Sequence[bytes]:
    policy = AppraisalPolicy.load(DEFAULT_POLICY)
    report = snp.parse(_files("snp/*/report.bin", most=1)()[0])
    token = ear.issue(
        rejected(VerificationFailed("chip-id", "of a test"), policy, report),
        key=_signer(),
        verifier_id=ear.VerifierId("test", "test"),
        nonce="0" * 16,
        lifetime=timedelta(hours=1),
        at=AT,
    )
    return [token.encode()]


def _claims() -> Sequence[bytes]:
    payload = _tokens()[0].split(b".")[1]
    return [base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4))]


def _envelopes() -> Sequence[bytes]:
    return [json.dumps(dsse.sign(dsse.IN_TOTO, b'{"_type":"https://in-toto.io/Statement/v1"}', _signer())).encode()]


def _bundles() -> Sequence[bytes]:
    """Payloads of bundles."""
    content = b"an object"
    record = Record(
        kind=Kind.ROOT_CRL,
        subject="root",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        source="https://example.org",
        fetched_at=AT,
        not_before=AT,
    )
    entry = {"record": record.model_dump(mode="json"), "content": base64.b64encode(content).decode()}
    return [json.dumps({"version": bundle.VERSION, "created_at": AT.isoformat(), "objects": [entry]}).encode()]


def _documents() -> Sequence[bytes]:
    return [fake_nitro.World().document(), *_files("nitro/*.cbor")()]


def _payloads() -> Sequence[bytes]:
    return [cose.parse_sign1(document).payload for document in _documents()]


def _nitro_payload(data: bytes) -> None:
    """Under the head and the signature that a document has."""
    nitro.parse(cbor.encode([b"", {}, data, bytes(2 * ES384.scalar_bytes)]))


def _amd_leaf(data: bytes) -> None:
    certificate = Certificate.parse(data)
    read_leaf(certificate, snp.SigningKey.VLEK if "VLEK" in certificate.common_name else snp.SigningKey.VCEK)


def _pck_extension(data: bytes) -> None:
    certificate: Any = SimpleNamespace(extensions={SGX_EXTENSION: Extension(critical=False, value=data)})
    read_platform(certificate)


def _tpm_log(data: bytes) -> None:
    log = tpm_event_log.parse(data)
    for bank in log.banks:
        tpm_event_log.replay(log, bank)
        secure_boot.secure_boot(log.extended(), bank)


def _ccel(data: bytes) -> None:
    event_log.replay(event_log.parse(data))


def _rim_content(data: bytes) -> None:
    signers: Any = None
    try:
        rim._content(parse_xml(data), rim.RimKind.DRIVER, nvidia.DeviceKind.GPU, signers, "")
    except rim._UnexpectedContentError as error:
        raise VerificationFailed("rim", str(error)) from None


def _ear(data: bytes) -> None:
    ear.read(data.decode("latin-1"), [_public_key()], AT)


def _ear_claims(data: bytes) -> None:
    """What is read behind a good signature: whoever signs may be mistaken, too."""
    ear.require_current(canonical.parse_object(data), AT, None)


def _bundle(data: bytes) -> None:
    bundle.contents(json.dumps({"payload": base64.b64encode(data).decode()}).encode())


def _dsse(data: bytes) -> None:
    dsse.verify(data, [CREDULOUS]).statement()


def _vtpm_messages() -> Sequence[bytes]:
    """Without a processor's report, and with one of either kind."""
    return [fake_vtpm.GOOD.encoded, fake_machine.snp().message(), fake_machine.tdx().message()]


def _google(data: bytes) -> None:
    google.inspect(f"snp-{fake_google.MEASUREMENT.hex()}", data, fake_google.trust())


def _jwk(data: bytes) -> None:
    key = canonical.parse_object(data)
    jwk.to_public_key(key)


def _cwt_claims(data: bytes) -> None:
    """The claims of a CWT, as behind a good signature."""
    protected = cbor.encode({cose.ALGORITHM: ES384.cose})
    ear_cwt.read(cbor.encode([protected, {}, data, bytes(2 * ES384.scalar_bytes)]), [CREDULOUS], AT)


def _cwt_examples() -> list[bytes]:
    return [cbor.encode({265: ear.PROFILE, 6: 1, 4: 1 << 40, 266: {"cpu": {1000: 2, 1001: {0: 2}}}})]


TARGETS = {
    target.name: target
    for target in (
        Target("snp-report", snp.parse, _files("snp/*/report.bin")),
        Target("snp-certificate-table", certificate_table.parse, _tables, words=PEM_WORDS),
        Target("amd-certificate", _amd_leaf, _files("snp/*/v[cl]ek*.der", most=6), words=DER_WORDS),
        Target("crl", RevocationList.parse, _files("tdx/collateral/*/*crl*.der", most=4), words=DER_WORDS),
        Target("tdx-quote", tdx.parse, _quotes),
        Target(
            "pck-certificate", lambda data: read_platform(Certificate.parse(data)), _pck_certificates, words=DER_WORDS
        ),
        Target("pck-extension", _pck_extension, _pck_extensions, words=DER_WORDS),
        Target("tcb-info", documents.read_tcb_info, _files("tdx/collateral/*/tcb_info.json", most=2), words=JSON_WORDS),
        Target(
            "qe-identity",
            documents.read_qe_identity,
            _files("tdx/collateral/*/qe_identity.json", most=2),
            words=JSON_WORDS,
        ),
        Target("ccel", _ccel, _files("tdx/event-logs/*/ccel_data.bin", most=3)),
        Target("tpm-event-log", _tpm_log, _files("tpm/event-logs/*.bin", most=3)),
        Target("tpm-quote", tpm.parse, lambda: [Tpm().quote(), *_files("tpm/*.msg", "tpm/*/*.msg")()]),
        Target("tpm-signature", tpm.parse_signature, lambda: [Tpm().signature()]),
        Target("hcl-report", azure.parse, _files("azure/*/hcl_report.bin", most=4), words=JSON_WORDS),
        Target("gpu-report", nvidia.parse, _files("gpu/devices/*/report.bin", most=4)),
        Target("gpu-evidence", parse_evidence_list, _evidence_lists, words=JSON_WORDS),
        Target(
            "device-certificate",
            lambda data: read_firmware_identity(Certificate.parse(data)),
            _device_certificates,
            words=DER_WORDS,
        ),
        Target("ocsp-response", OcspResponse.parse, _responses, words=DER_WORDS),
        Target("rim", lambda data: signed_document(data, "rim"), _rims, words=XML_WORDS),
        Target("rim-content", _rim_content, _rim_contents, words=XML_WORDS),
        Target("ear", _ear, _tokens, words=(b".", b"==")),
        Target("ear-claims", _ear_claims, _claims, (VerifierError, canonical.JsonError), words=JSON_WORDS),
        Target("dsse", _dsse, _envelopes, (VerifierError, dsse.DsseError), words=JSON_WORDS),
        Target("collateral-bundle", _bundle, _bundles, words=JSON_WORDS),
        Target(
            "token",
            tokens.parse,
            lambda: [fake_issuer.good(fake_issuer.AZURE), fake_issuer.GENUINE_BUNDLE],
            words=JSON_WORDS,
        ),
        Target("token-keys", tokens.KeySet.parse, lambda: [fake_issuer.jwks(fake_issuer.AZURE)], words=JSON_WORDS),
        Target("ear-cwt", _cwt_claims, _cwt_examples),
        Target("google-endorsement", _google, lambda: [fake_google.endorsement()]),
        Target("google-vtpm", vtpm.parse, _vtpm_messages),
        Target("cbor", cbor.decode, _payloads, words=CBOR_WORDS),
        Target("cose-sign1", cose.parse_sign1, _documents, words=CBOR_WORDS),
        Target("nitro-document", nitro.parse, _documents, words=CBOR_WORDS),
        Target("nitro-payload", _nitro_payload, _payloads, words=CBOR_WORDS),
        Target("pem", pem_values, _chains, words=PEM_WORDS),
        Target(
            "collateral-pem",
            lambda data: pem.split(data, *[pem.CERTIFICATE] * data.count(b"-BEGIN ")),
            _chains,
            words=PEM_WORDS,
        ),
        Target("json", canonical.parse, _claims, (canonical.JsonError,), words=JSON_WORDS),
        Target(
            "jwk",
            _jwk,
            lambda: [json.dumps(jwk.from_public_key(_public_key())).encode()],
            (canonical.JsonError, jwk.JwkError),
            words=JSON_WORDS,
        ),
        Target(
            "evidence",
            library.parse,
            lambda: [*_quotes()[:1], *_files("snp/*/report.bin", most=1)(), *_evidence_lists()],
        ),
    )
}
