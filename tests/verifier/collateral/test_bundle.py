"""Across an air gap and into the region's cache: a bundle says who carried it, and each object is genuine besides."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Semaphore
from time import sleep

import httpx
import pytest

from tests.verifier.collateral.emulated_vendors import REPORT_DATA
from verifier import canonical, dsse, verify
from verifier.appraisal import AppraisalPolicy
from verifier.collateral import bundle
from verifier.collateral.cached import RETRY, Cache
from verifier.collateral.live import DeviceCollateral, QuoteCollateral, RevocationLists, is_at_hand
from verifier.collateral.record import CollateralError, Kind
from verifier.collateral.source import Stored
from verifier.collateral.store import Store
from verifier.errors import VerificationFailed
from verifier.library import parse
from verifier.signer import SoftwareSigner

SIGNER = SoftwareSigner.generate()
URL = "https://cache.region.test/collateral"


@pytest.fixture
def packed(fetching):
    """A bundle with what a report, a quote and a GPU need."""
    for evidence in (fetching.hardware.report(), fetching.hardware.quote(), fetching.hardware.devices()):
        fetching.fetch(evidence)
    return bundle.export(fetching.store, SIGNER, fetching.now)


def read(content, fetching, keys=(SIGNER.public_key,)):
    return bundle.read(content, keys, fetching.hardware.trust)


def resigned(content, change):
    """The bundle with a changed payload, signed anew."""
    payload = json.loads(base64.b64decode(json.loads(content)["payload"]))
    change(payload)
    return json.dumps(dsse.sign(bundle.MEDIA_TYPE, canonical.encode(payload), SIGNER)).encode()


class TestAirGap:
    def test_what_was_exported_is_imported_and_verifies_there(self, fetching, packed, tmp_path):
        store = Store(tmp_path / "other")
        stored = bundle.store_all(store, read(packed, fetching))
        assert [it.name for it in store.records()] == [it.name for it in fetching.store.records()]
        assert len(stored) == len(list(store.records()))
        policy = AppraisalPolicy.model_validate({"reference_values": "if-given"})
        source = Stored(store, fetching.now)
        found = verify(
            fetching.hardware.quote(), policy, source, fetching.now, nonce=REPORT_DATA, trust=fetching.hardware.trust
        )
        assert found.acceptable

    def test_nothing_older_than_what_is_there_is_stored(self, fetching, packed, tmp_path):
        fetching.pass_time(days=1)
        fetching.fetch(fetching.hardware.quote(), again=True)
        before = list(fetching.store.records())
        newer = bundle.export(fetching.store, SIGNER, fetching.now)
        assert bundle.store_all(fetching.store, read(packed, fetching)) == []
        assert list(fetching.store.records()) == before
        older = Store(tmp_path / "older")
        bundle.store_all(older, read(packed, fetching))
        kinds = {record.kind for record in bundle.store_all(older, read(newer, fetching))}
        assert kinds >= {Kind.TCB_INFO, Kind.QE_IDENTITY}

    def test_another_key_is_refused(self, fetching, packed):
        with pytest.raises(CollateralError, match="none of its 1 signature"):
            read(packed, fetching, keys=[SoftwareSigner.generate().public_key])

    def test_a_changed_payload_is_refused(self, fetching, packed):
        envelope = json.loads(packed)
        envelope["payload"] = base64.b64encode(base64.b64decode(envelope["payload"]) + b" ").decode()
        with pytest.raises(CollateralError, match="none of its 1 signature"):
            read(json.dumps(envelope).encode(), fetching)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda it: it["objects"][0].update(content="YWJj"), "another hash"),
            (lambda it: it["objects"][0].update(content="%"), "content in base64"),
            (lambda it: it["objects"][0]["record"].update(sha256="00"), "sha256: String should match"),
            (lambda it: it["objects"][0]["record"].update(next_update="2099-01-01T00:00:00Z"), "another validity"),
            (lambda it: it["objects"][0]["record"].update(subject="genoa"), "subject: "),
            (lambda it: it["objects"].append(3), "a record and its content"),
            (lambda it: it.update(version=2), "version 1 with a list"),
            (lambda it: it.update(objects={}), "version 1 with a list"),
            (lambda it: it["objects"][0]["record"].update(size=1), "another hash"),
            (lambda it: it["objects"][0]["record"].update(sha256="00" * 32), "another hash"),
        ],
    )
    def test_a_signed_bundle_of_something_else_is_refused(self, fetching, packed, change, reason):
        with pytest.raises(CollateralError, match=reason) as caught:
            read(resigned(packed, change), fetching)
        assert "\n" not in str(caught.value)

    def test_a_signed_document_of_another_type_is_refused(self, fetching):
        envelope = json.dumps(dsse.sign(dsse.IN_TOTO, b"{}", SIGNER)).encode()
        with pytest.raises(CollateralError, match="in-toto"):
            read(envelope, fetching)

    def test_a_signed_text_that_is_no_json_is_refused(self, fetching):
        envelope = json.dumps(dsse.sign(bundle.MEDIA_TYPE, b"{", SIGNER)).encode()
        with pytest.raises(CollateralError, match="bundle: not JSON"):
            read(envelope, fetching)

    def test_without_the_roots_nothing_in_it_is_genuine(self, packed):
        from verifier.trust import TrustStore

        with pytest.raises(CollateralError, match="amd-vcek"):
            bundle.read(packed, [SIGNER.public_key], TrustStore.production())

    def test_an_empty_store_is_not_exported(self, tmp_path, fetching):
        with pytest.raises(CollateralError, match="empty; fetch something first"):
            bundle.export(Store(tmp_path / "empty"), SIGNER, fetching.now)


class Region:
    """An object storage with one bundle, and a clock."""

    def __init__(self, content, now):
        self.content, self.now, self.asked, self.status = content, now, 0, 200

    def __call__(self, request):
        self.asked += 1
        assert str(request.url) == f"{URL}/collateral.bundle"
        if request.headers.get("if-none-match") == '"1"':
            return httpx.Response(304)
        return httpx.Response(self.status, content=self.content, headers={"etag": '"1"'})


class TestCache:
    @pytest.fixture
    def region(self, fetching, packed):
        return Region(packed, fetching.now)

    @pytest.fixture
    def cache(self, region):
        with httpx.Client(transport=httpx.MockTransport(region)) as http:
            yield Cache(URL, http, lambda: region.now)

    def test_the_broker_gets_all_three_vendors_collateral_from_it(self, fetching, cache):
        now = fetching.now
        assert len(list(RevocationLists(cache))) == len(RevocationLists(cache)) == 1
        assert RevocationLists(cache)[0] == next(iter(RevocationLists(cache)))
        quote = parse(fetching.hardware.quote())
        assert QuoteCollateral(cache, lambda: now).find(quote).root_crl
        assert len(DeviceCollateral(cache)().rims) == 2

    def test_it_is_read_once_until_its_time_and_then_only_if_it_changed(self, cache, region):
        for _ in range(3):
            assert cache.find(Kind.AMD_CRL, "milan")
        assert region.asked == 1
        region.now += timedelta(minutes=11)
        assert cache.find(Kind.AMD_CRL, "milan")
        assert region.asked == 2
        region.now += RETRY
        assert cache.find(Kind.AMD_CRL, "milan")
        assert region.asked == 2, "that nothing changed is an answer"

    def test_an_object_that_was_exchanged_between_two_reads_is_missing(self, cache):
        snapshot, known = cache.snapshot(), cache.find(Kind.AMD_CRL, "milan")
        assert snapshot.content(known)
        for other in (known.model_copy(update={"sha256": "0" * 64}), known.model_copy(update={"subject": "genoa"})):
            with pytest.raises(VerificationFailed, match="was exchanged meanwhile"):
                snapshot.content(other)

    def test_a_cache_that_cannot_be_reached_is_named(self, region):
        for words, said in (("", "ConnectError"), ("refused", "refused")):

            def unreachable(request, words=words):
                raise httpx.ConnectError(words)

            with httpx.Client(transport=httpx.MockTransport(unreachable)) as http:
                cache = Cache(URL, http, lambda: region.now)
                with pytest.raises(VerificationFailed, match=rf"collateral\.bundle: {said}$"):
                    cache.snapshot()

    def test_it_says_whether_it_will_ask(self, fetching, cache, region):
        assert not is_at_hand(cache)
        cache.snapshot()
        assert is_at_hand(cache)
        region.now += timedelta(minutes=10) - timedelta(seconds=1)
        assert not is_at_hand(cache)
        assert not is_at_hand(fetching.store), "files are read"

    @pytest.mark.parametrize(("status", "content"), [(404, b""), (200, b"{}"), (200, b"not JSON")])
    def test_a_cache_that_holds_no_bundle_fails_and_is_asked_again(self, fetching, region, cache, status, content):
        right, region.status, region.content = region.content, status, content
        quotes = QuoteCollateral(cache, lambda: region.now)
        with pytest.raises(VerificationFailed) as caught:
            quotes.find(parse(fetching.hardware.quote()))
        assert caught.value.check == "collateral.cache"
        assert URL in caught.value.reason
        assert ("HTTP 404" in caught.value.reason) is (status == 404)
        region.status, region.content = 200, right
        region.now += RETRY
        assert quotes.find(parse(fetching.hardware.quote()))

    def test_a_bundle_that_does_not_end_is_not_read_to_the_end(self, region, packed, monkeypatch):
        monkeypatch.setattr(bundle, "MAX_BUNDLE_BYTES", len(packed))
        sent = []

        def endless():
            while True:
                sent.append(packed)
                yield packed

        with (
            httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=endless()))) as http,
            pytest.raises(VerificationFailed, match=rf"larger than {len(packed)} bytes"),
        ):
            Cache(URL, http, lambda: region.now).snapshot()
        assert len(sent) < 4
        with httpx.Client(transport=httpx.MockTransport(region)) as http:
            assert Cache(URL, http, lambda: region.now).find(Kind.AMD_CRL, "milan")

    def test_what_was_read_counts_while_the_cache_is_away_until_it_ends(self, fetching, region, cache):
        assert cache.find(Kind.TCB_INFO, "425700000001")
        region.status = 503
        region.content = b""
        region.now += timedelta(days=1)
        quote = parse(fetching.hardware.quote())
        assert QuoteCollateral(cache, lambda: region.now).find(quote)
        region.now += timedelta(days=40)
        with pytest.raises(VerificationFailed) as caught:
            QuoteCollateral(cache, lambda: region.now).find(quote)
        assert caught.value.check == "collateral.expired"

    def test_a_bundle_that_the_named_signer_did_not_sign_is_none(self, region):
        with httpx.Client(transport=httpx.MockTransport(region)) as http:
            theirs = Cache(URL, http, lambda: region.now, signers=[SIGNER.public_key])
            assert theirs.find(Kind.AMD_CRL, "milan")
            other = Cache(URL, http, lambda: region.now, signers=[SoftwareSigner.generate().public_key])
            with pytest.raises(VerificationFailed, match="none of its 1 signature") as caught:
                other.find(Kind.AMD_CRL, "milan")
        assert caught.value.check == "collateral.cache"

    def test_those_who_come_while_it_is_asked_share_the_next_request(self, region):
        readers, come = 8, Semaphore(0)

        def slow(request):
            if region.asked == 0:
                for _ in range(readers):
                    come.acquire()
                sleep(0.1)
            return region(request)

        def find(_):
            come.release()
            return cache.find(Kind.AMD_CRL, "milan")

        with httpx.Client(transport=httpx.MockTransport(slow)) as http, ThreadPoolExecutor(readers) as threads:
            cache = Cache(URL, http, lambda: region.now, refresh=timedelta())
            assert all(threads.map(find, range(readers)))
        assert region.asked < readers

    def test_a_damaged_store_is_a_failure_that_names_the_file(self, fetching, packed):
        for path in (fetching.store.directory / "objects").iterdir():
            path.write_bytes(b"other")
        with pytest.raises(VerificationFailed) as caught:
            len(RevocationLists(fetching.store))
        assert caught.value.check == "collateral.store"
        assert str(fetching.store.directory) in caught.value.reason
