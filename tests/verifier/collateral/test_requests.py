"""What each service is asked for, and what of its answers becomes an object: a stand-in for the client answers."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import quote

import pytest
from cryptography.x509 import ocsp

from tests.verifier.fake_amd import CHIP, TCB, TURIN_TCB, milan
from tests.verifier.nvidia.fake_nvidia import device_certificates
from tests.verifier.tdx.fake_intel import world
from verifier.collateral import needs, pem
from verifier.collateral.fetch.http import Answer, Client, NotFoundError
from verifier.collateral.fetch.origins import Origins, Service, Vendor
from verifier.collateral.fetch.requests import fetch
from verifier.collateral.needs import Need
from verifier.collateral.record import CollateralError, Kind
from verifier.pki import Certificate
from verifier.snp import Product, SigningKey

MILAN, INTEL = milan(), world()
LEAF, ASK, ARK = (it.encode() for it in (MILAN.leaf, MILAN.intermediate, MILAN.ark))
ORIGINS = Origins({vendor: f"https://{vendor}.test" for vendor in Vendor})
ISSUERS = quote(pem.certificates(INTEL.signer.encode(), INTEL.root.encode()))
CRL = INTEL.pck_crl.encode()


class Services:
    """Answers by the end of the path; anything else is not there. asked: URLs, in order."""

    def __init__(self, answers: Mapping[str, bytes], **headers: str) -> None:
        self.asked: list[str] = []
        self.posted = b""
        self._answers = answers
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def get(self, url: str, *, seconds_apart: float = 0.0) -> Answer:
        self.asked.append(url)
        assert seconds_apart == 0
        for ending, content in self._answers.items():
            if url.endswith(ending):
                return Answer(url, content, self._headers)
        raise NotFoundError(f"{url}: not there (404)")

    def post(self, url: str, content: bytes, media_type: str) -> Answer:
        assert media_type == "application/ocsp-request"
        self.posted = content
        return self.get(url)

    def fetch(self, need: Need, origins: Origins = ORIGINS) -> tuple[bytes, str]:
        return fetch(need, origins, cast("Client", self))

    def refusal(self, need: Need) -> str:
        with pytest.raises(CollateralError) as failure:
            self.fetch(need)
        assert "\n" not in str(failure.value)
        return str(failure.value)


class TestVcek:
    """AMD's service knows a chip under the name of its product line."""

    NEED = Need(Kind.VCEK, f"{CHIP.hex()}-{TCB.hex()}", (Product.MILAN, Product.GENOA))

    def test_a_report_that_does_not_say_its_product_is_tried_as_each(self) -> None:
        query = "?blSPL=4&teeSPL=0&snpSPL=24&ucodeSPL=219"
        services = Services({f"/Genoa/{CHIP.hex()}{query}": LEAF, "chain": pem.certificates(ASK, ARK)})
        content, source = services.fetch(self.NEED)
        assert pem.only(content, *[pem.CERTIFICATE] * 3) == [LEAF, ASK, ARK]
        assert source == f"https://amd.test/vcek/v1/Genoa/{CHIP.hex()}{query}"
        assert [url.split("/")[5] for url in services.asked] == ["Milan", "Genoa", "Genoa"]

    def test_a_chip_that_amd_does_not_know(self) -> None:
        assert f"Genoa/{CHIP.hex()}" in Services({}).refusal(self.NEED)
        of_no_product = Need(Kind.VCEK, self.NEED.subject)
        assert "does not say of which product its chip is" in Services({}).refusal(of_no_product)

    def test_turin_has_one_part_more(self) -> None:
        services = Services({})
        services.refusal(Need(Kind.VCEK, f"{CHIP[:8].hex()}-{TURIN_TCB.hex()}", (Product.TURIN,)))
        assert f"/Turin/{CHIP[:8].hex()}?fmcSPL={TURIN_TCB[0]}&blSPL={TURIN_TCB[1]}&" in services.asked[0]

    def test_what_is_no_certificate(self) -> None:
        services = Services({"cert_chain": pem.certificates(ASK, ARK), "": b"0123"})
        assert "amd-vcek/" in services.refusal(self.NEED)
        assert "the answer is malformed" in services.refusal(self.NEED)

    @pytest.mark.parametrize("number", [0, 1, 3])
    def test_a_chain_of_another_length(self, number: int) -> None:
        services = Services({"cert_chain": pem.certificates(*[ASK] * number), "": LEAF})
        assert f"{number} certificates, the ASK or ASVK and the ARK expected" in services.refusal(self.NEED)


def test_a_vlek_cannot_be_asked_for() -> None:
    services = Services({})
    assert "put vlek.der beside the evidence" in services.refusal(Need(Kind.VLEK, f"{TCB.hex()}-{'0' * 16}"))
    assert services.asked == []


def test_the_chain_of_vleks_is_another() -> None:
    services = Services({"/vlek/v1/Milan/cert_chain": pem.certificates(ASK, ARK)})
    assert services.fetch(needs.amd_chain(Product.MILAN, SigningKey.VLEK))[0] == pem.certificates(ASK, ARK)


@pytest.mark.parametrize(
    "write", [bytes, bytes.hex, lambda der: pem.armour(pem.CRL, der), lambda der: der.hex() + "\n"]
)
def test_a_list_comes_in_der_pem_or_hex(write: Callable[[bytes], bytes | str]) -> None:
    answer = write(CRL)
    services = Services({"/vcek/v1/Milan/crl": answer if isinstance(answer, bytes) else answer.encode()})
    assert services.fetch(needs.amd_crl(Product.MILAN))[0] == CRL


@pytest.mark.parametrize("number", [0, 2])
def test_a_list_in_several_blocks_is_none(number: int) -> None:
    content = pem.armour(pem.CRL, CRL) * number or b"-----BEGIN X509 CRL-----"
    assert f"{number} PEM blocks, one expected" in Services({"crl": content}).refusal(needs.amd_crl(Product.MILAN))


class TestIntel:
    """Documents come with their issuers in a header, whose name differs."""

    @pytest.mark.parametrize(
        ("subject", "query"),
        [
            ("00906ed50000", "tcb?fmspc=00906ED50000&update=standard"),
            ("00906ed50000-early", "tcb?fmspc=00906ED50000&update=early"),
            ("00906ed50000-17", "tcb?fmspc=00906ED50000&tcbEvaluationDataNumber=17"),
        ],
    )
    def test_tcb_info(self, subject: str, query: str) -> None:
        services = Services({query: b"{}"}, tcb_info_issuer_chain=ISSUERS)
        content, source = services.fetch(Need(Kind.TCB_INFO, subject))
        assert pem.split(content, *[pem.CERTIFICATE] * 2)[1] == b"{}"
        assert source == f"https://intel.test/tdx/certification/v4/{query}"

    @pytest.mark.parametrize(
        ("need", "header"),
        [
            (Need(Kind.TCB_INFO, "00906ed50000"), "tcb-info-issuer-chain"),
            (Need(Kind.QE_IDENTITY, "td"), "sgx-enclave-identity-issuer-chain"),
            (Need(Kind.PCK_CRL, "platform"), "sgx-pck-crl-issuer-chain"),
        ],
    )
    @pytest.mark.parametrize("number", [0, 1, 3])
    def test_another_number_of_issuers(self, need: Need, header: str, number: int) -> None:
        issuers = quote(pem.certificates(*[INTEL.root.encode()] * number))
        services = Services({"": CRL}, **{header.replace("-", "_"): issuers})
        assert f"{number} certificates in the header {header}" in services.refusal(need)

    def test_the_root_s_list_is_where_intel_or_a_pccs_has_it(self) -> None:
        services = Services({"/IntelSGXRootCA.der": CRL, "/sgx/certification/v4/rootcacrl": CRL.hex().encode()})
        need = Need(Kind.ROOT_CRL, "root")
        assert services.fetch(need)[1] == "https://intel-root.test/IntelSGXRootCA.der"
        pccs = ORIGINS.overridden(Vendor.INTEL, "https://pccs.test/")
        assert services.fetch(need, pccs) == (CRL, "https://pccs.test/sgx/certification/v4/rootcacrl")
        own = pccs.overridden(Vendor.INTEL_ROOT, "https://root.test")
        assert services.fetch(need, own)[1] == "https://root.test/IntelSGXRootCA.der"


@pytest.mark.parametrize(
    "answer", [b"{}", b"[]", b'{"rim": 3}', b'{"rim": "%"}', b'{"rim": "YQ"}', b"\xff", b"[" * 100_000]
)
def test_an_answer_without_a_rim(answer: bytes) -> None:
    assert "no JSON object with the member rim in base64" in Services({"": answer}).refusal(needs.rim("NV_GPU"))


def test_a_rim_is_decoded() -> None:
    services = Services({"/v1/rim/NV_GPU": json.dumps({"rim": base64.b64encode(b"<rim/>").decode()}).encode()})
    assert services.fetch(needs.rim("NV_GPU")) == (b"<rim/>", "https://nvidia-rim.test/v1/rim/NV_GPU")


class TestOcsp:
    """A responder that echoes nonces must echo ours."""

    CHAIN = tuple(it.encode() for it in device_certificates())
    NONCE_OID = bytes.fromhex("2b0601050507300102")

    def need(self, number: int = 1) -> Need:
        member, issuer = (Certificate.parse(it) for it in self.CHAIN[number : number + 2])
        return Need(Kind.OCSP, needs.ocsp_subject(member, issuer), chain=pem.certificates(*self.CHAIN))

    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_it_is_asked_about_the_certificate_that_is_named(self, number: int) -> None:
        services = Services({"": b"response"})
        content, _ = services.fetch(self.need(number))
        assert pem.only(content, *[pem.CERTIFICATE] * 5, pem.OCSP_RESPONSE)[-1] == b"response"
        request = ocsp.load_der_ocsp_request(services.posted)
        assert request.serial_number == Certificate.parse(self.CHAIN[number]).serial_number

    def test_an_answer_with_another_nonce_is_to_another_request(self) -> None:
        services = Services({"": b"\x06\x09" + self.NONCE_OID + b"another"})
        assert "is to another request" in services.refusal(self.need())

    def test_an_answer_with_our_nonce_is_ours(self) -> None:
        class Echo(Services):
            def post(self, url: str, content: bytes, media_type: str) -> Answer:
                return Answer(url, content, {})

        assert Echo({}).fetch(self.need())[1] == "https://nvidia-ocsp.test/"


@pytest.mark.parametrize(("tee", "folder"), [("snp", "sevsnp"), ("tdx", "tdx")])
def test_google_s_endorsements_lie_in_a_folder_for_each_tee(tee: Any, folder: str) -> None:
    path = f"/gce_tcb_integrity/ovmf_x64_csm/{folder}/{'0a' * 48}.binarypb"
    assert Services({path: b"x"}).fetch(needs.launch_endorsement(tee, b"\x0a" * 48))[1] == f"https://google.test{path}"


class TestOrigins:
    """Who is asked."""

    @pytest.mark.parametrize(
        "url", ["ftp://m.test", "https://", "https://m.test?a", "https://m.test#a", "https://u@m.test"]
    )
    def test_what_is_no_url_of_a_mirror(self, url: str) -> None:
        with pytest.raises(CollateralError, match="a URL like https"):
            Origins.mirror(url, {})
        with pytest.raises(CollateralError, match="a URL like https"):
            Origins().overridden(Vendor.AMD, url)

    def test_a_mirror_answers_under_the_vendors_hosts(self) -> None:
        origins = Origins.mirror("http://m.test/a/", {Vendor.AMD: Service("kds.test", 10.0)})
        assert (origins.url(Vendor.AMD), origins.seconds_apart) == ("http://m.test/a/kds.test", {})

    def test_one_vendor_s_mirror_leaves_the_others_as_they_are(self) -> None:
        origins = Origins.vendors({Vendor.AMD: Service("a.test", 1.0), Vendor.INTEL_ROOT: Service("r.test", 2.0)})
        changed = origins.overridden(Vendor.AMD, "https://m.test/")
        assert (changed.url(Vendor.AMD), changed.url(Vendor.INTEL_ROOT)) == ("https://m.test", "https://r.test")
        assert changed.seconds_apart == {Vendor.INTEL_ROOT: 2.0}
