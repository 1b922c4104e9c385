"""Fetching from the vendors' services: what evidence needs comes in, genuine and current, and nothing else does."""

import email.utils
from datetime import UTC, datetime, timedelta

import pytest
from starlette.responses import RedirectResponse, Response

from sandbox.hardware import Chip
from tests.verifier.collateral.emulated_vendors import HOSTS, NONCE, REPORT_DATA
from tests.verifier.genuine import CASES, SNP, time_of
from verifier import library
from verifier.appraisal import AppraisalPolicy
from verifier.collateral import needs
from verifier.collateral.fetch.origins import Origins, Service, Vendor
from verifier.collateral.gathering import needs_of
from verifier.collateral.record import CollateralError, Kind
from verifier.collateral.source import Stored
from verifier.snp import Product, SigningKey

AT_OF_VLEK = next(time_of(case) for case in CASES if case["id"] == "decdab94")
POLICY = AppraisalPolicy.model_validate({"reference_values": "if-given", "nvidia": {"stated_mode": "if-given"}})


def verdict(fetching, evidence, nonce=REPORT_DATA):
    source = Stored(fetching.store, fetching.now)
    return library.verify(evidence, POLICY, source, fetching.now, nonce=nonce, trust=fetching.hardware.trust)


def kinds(states):
    return [name.partition("/")[0] for name in states]


def test_a_report_gets_its_vcek_and_the_crl_of_its_root(fetching):
    evidence = fetching.hardware.report()
    assert verdict(fetching, evidence).failure.check == "collateral.missing"
    states = fetching.states(evidence)
    assert kinds(states) == ["amd-vcek", "amd-crl"]
    assert set(states.values()) == {"fetched"}
    assert any("?blSPL=4&teeSPL=0&snpSPL=24&ucodeSPL=219" in path for path in fetching.vendors.asked)
    found = verdict(fetching, evidence)
    assert found.acceptable, found.summary
    assert found.verified.revocation.value == "checked"


def test_a_quote_gets_intels_documents_and_both_crls(fetching):
    evidence = fetching.hardware.quote()
    states = fetching.states(evidence)
    assert kinds(states) == ["intel-tcb-info", "intel-qe-identity", "intel-root-crl", "intel-pck-crl"]
    assert set(states.values()) == {"fetched"}
    assert verdict(fetching, evidence).acceptable


def test_a_gpu_gets_its_rims_and_what_the_responder_says_of_it_and_of_their_signers(fetching):
    evidence = fetching.hardware.devices()
    states = fetching.states(evidence)
    assert sorted(kinds(states)) == ["nvidia-ocsp"] * 6 + ["nvidia-rim"] * 2
    assert set(states.values()) == {"fetched"}
    found = verdict(fetching, evidence, NONCE)
    assert found.acceptable, found.summary


@pytest.mark.parametrize(("update", "query"), [("early", "update=early"), ("20", "tcbEvaluationDataNumber=20")])
def test_an_issue_of_the_documents_can_be_asked_for(fetching, update, query):
    evidence = fetching.hardware.quote()
    fetching.states(evidence, update=update)
    assert {name.subject for name in fetching.store.records(Kind.QE_IDENTITY)} == {f"td-{update}"}
    assert sum(query in path for path in fetching.vendors.asked) == 2
    assert verdict(fetching, evidence).acceptable


def test_a_tcb_recovery_of_another_number_is_refused(fetching):
    reason = fetching.failure(fetching.hardware.quote(), update="21")
    assert "tcbEvaluationDataNumber 20" in reason


def test_a_pccs_serves_the_root_crl_in_hex(fetching):
    origins = Origins().overridden(Vendor.INTEL, f"{fetching.vendors.url}/pccs")
    fetcher = fetching.fetcher(origins)
    (outcome,) = fetcher.fetch([needs.Need(Kind.ROOT_CRL, needs.ROOT)])
    assert (outcome.state, fetching.vendors.asked) == ("fetched", ["/pccs/sgx/certification/v4/rootcacrl"])


def test_chains_and_crl_of_a_product_without_evidence(fetching):
    chain, crl = needs.amd_chain(Product.MILAN, SigningKey.VCEK), needs.amd_crl(Product.MILAN)
    assert [it.state for it in fetching.fetcher().fetch([chain, crl])] == ["fetched", "fetched"]
    (other,) = fetching.fetcher().fetch([needs.amd_chain(Product.TURIN, SigningKey.VCEK)])
    assert "not there (404)" in other.reason


def test_a_vlek_that_lies_beside_its_report_is_stored(fetching):
    """Genuine evidence: AMD gives a VLEK to its cloud alone, and the cloud to its guests."""
    folder = SNP / "decdab94"
    evidence = library.parse((folder / "report.bin").read_bytes())
    fetching.now = AT_OF_VLEK
    record = fetching.fetcher().add_given(evidence, folder)
    assert (record.kind, record.source) == (Kind.VLEK, "vlek.der")
    assert fetching.fetcher().add_given(library.parse(fetching.hardware.report()), folder) is None
    needed = list(needs_of(evidence, fetching.store, fetching.hardware.trust))
    assert [need.kind for need in needed] == [Kind.AMD_CRL]
    found = verdict(fetching, (folder / "report.bin").read_bytes(), nonce=None)
    assert found.genuine, found.summary


class TestDue:
    def test_what_is_stored_and_not_due_is_kept_without_asking(self, fetching):
        evidence = fetching.hardware.quote()
        fetching.fetch(evidence)
        fetching.vendors.asked.clear()
        assert set(fetching.states(evidence).values()) == {"kept"}
        assert fetching.vendors.asked == []

    def test_again_fetches_what_is_not_due(self, fetching):
        evidence = fetching.hardware.quote()
        fetching.fetch(evidence)
        fetching.pass_time(days=1)
        assert set(fetching.states(evidence, again=True).values()) == {"fetched"}

    def test_a_quarter_of_its_life_before_the_end_a_document_is_fetched_again(self, fetching):
        evidence = fetching.hardware.quote()
        fetching.fetch(evidence)
        before = fetching.store.find(Kind.QE_IDENTITY, needs.QE)
        fetching.pass_time(days=20)
        assert list(fetching.fetcher().refresh()) == []
        fetching.pass_time(days=3)
        outcomes = list(fetching.fetcher().refresh())
        assert [it.need.kind for it in outcomes] == [Kind.TCB_INFO, Kind.QE_IDENTITY]
        assert {it.state for it in outcomes} == {"fetched"}
        assert fetching.store.find(Kind.QE_IDENTITY, needs.QE).next_update > before.next_update

    def test_the_responders_word_is_asked_for_again_with_the_chain_of_the_stored_one(self, fetching):
        evidence = fetching.hardware.devices()
        fetching.fetch(evidence)
        fetching.pass_time(hours=20)
        outcomes = list(fetching.fetcher().refresh())
        assert [(it.need.kind, it.state) for it in outcomes] == [(Kind.OCSP, "fetched")] * 6

    def test_a_due_object_that_cannot_be_fetched_stays(self, fetching):
        evidence = fetching.hardware.quote()
        fetching.fetch(evidence)
        fetching.pass_time(days=23)
        fetching.vendors.first += [Response("gone", 404)]
        failed = next(it for it in fetching.fetcher().refresh() if it.state == "failed")
        assert failed.record is not None
        assert verdict(fetching, evidence).acceptable


class TestBusy:
    def busy(self, **headers):
        return Response("busy", 429, headers=headers)

    def test_retry_after_in_seconds_is_waited_for(self, fetching):
        fetching.vendors.first += [self.busy(**{"retry-after": "7"}), self.busy(**{"retry-after": "9"})]
        assert set(fetching.states(fetching.hardware.report()).values()) == {"fetched"}
        assert fetching.waited == [7.0, 9.0]

    def test_retry_after_as_a_date_is_waited_for(self, fetching):
        at = datetime.now(UTC) + timedelta(seconds=30)
        fetching.vendors.first += [self.busy(**{"retry-after": email.utils.format_datetime(at, usegmt=True)})]
        fetching.fetch(fetching.hardware.report())
        assert 25 < fetching.waited[0] <= 30

    def test_without_it_the_wait_doubles_and_ends(self, fetching):
        fetching.vendors.first += [self.busy() for _ in range(3)]
        assert "HTTP 429, 3 times; fetch again later" in fetching.failure(fetching.hardware.report())
        assert fetching.waited == [1.0, 2.0]

    def test_nobody_waits_an_hour(self, fetching):
        fetching.vendors.first += [self.busy(**{"retry-after": "3600"})]
        assert "asks to wait 3600 s" in fetching.failure(fetching.hardware.report())
        assert fetching.waited == []

    def test_the_vendors_pace_is_kept(self, fetching):
        origins = Origins(
            {vendor: f"{fetching.vendors.url}/{service.host}" for vendor, service in HOSTS.items()},
            {Vendor.AMD: 10.0},
        )
        fetcher = fetching.fetcher(origins)
        list(fetcher.fetch([needs.amd_crl(Product.MILAN), needs.amd_chain(Product.MILAN, SigningKey.VCEK)]))
        assert len(fetching.waited) == 1
        assert 9 < fetching.waited[0] <= 10


class TestWrongAnswers:
    """Each wrong answer is refused for its reason, and nothing is stored."""

    def check(self, fetching, evidence, reason):
        assert reason in fetching.failure(evidence)

    def test_another_vendors_certificate(self, fetching):
        other = fetching.hardware.pki.vcek(Chip("another host")).der
        fetching.vendors.rewrite = lambda path, body: body if path.endswith(("chain", "crl")) else other
        self.check(fetching, fetching.hardware.report(), "subject: this VCEK is for chip")
        assert list(fetching.store.records(Kind.VCEK)) == []

    @pytest.mark.parametrize(
        ("part", "change", "reason"),
        [
            ("/tcb", lambda body: body.replace(b'"tcbStatus":"OutOfDate"', b'"tcbStatus":"UpToDate"'), "tcb-info.sig"),
            ("/tcb", lambda body: body[:-40], "not followed by a signature"),
            ("/tcb", lambda body: body[: len(body) // 2], "cut off"),
            ("/tcb", lambda body: b"{}", 'starts with {"tcbInfo"'),
            ("/tcb", lambda body: b"", "answers with nothing"),
            ("/tcb", lambda body: body + b" " * 3_000_000, "more than 2097152 bytes"),
            ("/identity", lambda body: body.replace(b"TD_QE", b"QE"), "qe-identity.signature"),
            ("/pckcrl", lambda body: body[:-4] + b"abcd", "crl.pck.signature"),
            ("/pckcrl", lambda body: body[:100], "malformed"),
            ("RootCA.der", lambda body: body[:-4] + b"abcd", "crl.root.signature"),
        ],
    )
    def test_a_forged_or_damaged_document(self, fetching, part, change, reason):
        fetching.vendors.rewrite = lambda path, body: change(body) if path.endswith(part) else body
        self.check(fetching, fetching.hardware.quote(), reason)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda body: body[:-4] + b"abcd", "crl.signature"),
            (lambda body: body[:50], "malformed"),
        ],
    )
    def test_a_forged_or_damaged_crl(self, fetching, change, reason):
        fetching.vendors.rewrite = lambda path, body: change(body) if path.endswith("/crl") else body
        self.check(fetching, fetching.hardware.report(), reason)

    @pytest.mark.parametrize(
        ("part", "change", "reason"),
        [
            ("/v1/rim/", lambda body: b"not JSON", "member rim in base64"),
            ("/v1/rim/", lambda body: b'{"rim": "PGEvPg=="}', "rim."),
            ("nvidia-ocsp", lambda body: body[:-4] + b"abcd", "ocsp"),
        ],
    )
    def test_a_forged_or_damaged_rim_or_response(self, fetching, part, change, reason):
        fetching.vendors.rewrite = lambda path, body: change(body) if part in path else body
        self.check(fetching, fetching.hardware.devices(), reason)

    def test_a_replayed_ocsp_response(self, fetching):
        kept: dict[str, bytes] = {}
        fetching.vendors.rewrite = lambda path, body: kept.setdefault(path, body) if "ocsp" in path else body
        self.check(fetching, fetching.hardware.devices(), "is to another request")

    def test_a_rim_of_another_version(self, fetching):
        kept: dict[str, bytes] = {}
        fetching.vendors.rewrite = lambda path, body: kept.setdefault("rim", body) if "/v1/rim/" in path else body
        self.check(fetching, fetching.hardware.devices(), "subject: this RIM is for version")

    def test_a_header_that_the_mirror_dropped(self, fetching):
        fetching.vendors.first += [Response(b'{"tcbInfo":{}}')]
        self.check(fetching, fetching.hardware.quote(), "a mirror must keep the service's headers")

    def test_a_stale_document(self, fetching):
        fetching.vendors.now -= timedelta(days=40)
        self.check(fetching, fetching.hardware.quote(), "it is stale")

    def test_a_document_of_the_future(self, fetching):
        fetching.vendors.now += timedelta(days=2)
        self.check(fetching, fetching.hardware.quote(), "gives one that is valid from")

    def test_a_document_older_than_the_stored_one(self, fetching):
        evidence = fetching.hardware.quote()
        fetching.fetch(evidence)
        fetching.vendors.now -= timedelta(days=2)
        assert "older than the stored one" in fetching.failure(evidence, again=True)

    def test_a_redirection(self, fetching):
        fetching.vendors.first += [RedirectResponse("https://elsewhere.example/")]
        self.check(fetching, fetching.hardware.report(), "redirects to 'https://elsewhere.example/'")

    def test_a_server_error(self, fetching):
        fetching.vendors.first += [Response("no", 500)]
        self.check(fetching, fetching.hardware.report(), "HTTP 500, 200 expected")

    def test_an_answer_that_breaks_off(self, fetching):
        fetching.vendors.first += [Response(b"cut", headers={"content-length": "900"}) for _ in range(3)]
        self.check(fetching, fetching.hardware.report(), "3 times; fetch again later")

    def test_nobody_there(self, fetching):
        fetching.vendors.close()
        self.check(fetching, fetching.hardware.report(), "3 times; fetch again later")


class TestOrigins:
    def test_no_mirror_is_a_failure_that_says_how_to_name_one(self, fetching):
        (outcome,) = fetching.fetcher(Origins({Vendor.INTEL: "https://pccs.example"})).fetch(
            [needs.amd_crl(Product.MILAN)]
        )
        assert "no mirror of amd is configured" in outcome.reason
        assert "--mirror amd=URL" in outcome.reason

    @pytest.mark.parametrize("url", ["", "mirror", "ftp://mirror.example", "https://", "https://m.example/?a=b"])
    def test_what_is_no_url_is_refused(self, url):
        with pytest.raises(CollateralError, match="a URL like https"):
            Origins.mirror(url, HOSTS)

    def test_the_vendors_hosts_keep_their_pace_and_a_mirror_has_its_own(self):
        origins = Origins.vendors({Vendor.AMD: Service("kds.example", 10.0)})
        assert origins.url(Vendor.AMD) == "https://kds.example"
        assert origins.seconds_apart == {Vendor.AMD: 10.0}
        assert origins.overridden(Vendor.AMD, "https://m.example/").seconds_apart == {}
