"""What reports of AMD's processors need, and which of what is at hand they get, without a service or a disk."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.verifier.fake_amd import AT, CHIP, TCB, World, milan, turin, vlek
from tests.verifier.fake_x509 import FakeCertificate
from verifier import snp
from verifier.collateral import needs, pem
from verifier.collateral.cached import Snapshot
from verifier.collateral.gathering import needs_of
from verifier.collateral.record import Kind, Record
from verifier.collateral.source import Folder, Stored
from verifier.collateral.store import Store
from verifier.errors import VerificationFailed
from verifier.snp import Product

MILAN, VLEK = milan(), vlek()
TRUST = MILAN.trust()
ROOT = TRUST.anchors[0].certificate.encoded


def report(world: World) -> snp.SnpReport:
    return snp.parse(world.report())


def record(kind: Kind, subject: str, content: bytes) -> tuple[Record, bytes]:
    """An entry that ends a day later."""
    made = Record(
        kind=kind,
        subject=subject,
        sha256="0" * 64,
        size=len(content),
        source="a test",
        fetched_at=AT,
        not_before=AT,
        next_update=AT + timedelta(days=1),
    )
    return made, content


def stored(*objects: tuple[Record, bytes], days: int = 0) -> Stored:
    """A source of these objects, so many days later."""
    return Stored(Snapshot({(it.kind, it.subject): (it, content) for it, content in objects}), AT + timedelta(days))


def packed(leaf: FakeCertificate, world: World) -> bytes:
    return pem.certificates(leaf.encode(), world.intermediate.encode(), ROOT)


def products(world: World) -> Sequence[Product]:
    return needs.products_of(report(world))


class TestProduct:
    """Which product line a processor is of."""

    def test_a_report_of_version_3_says_it(self) -> None:
        assert products(MILAN) == (Product.MILAN,)
        assert products(MILAN.with_fields(cpuid=bytes([0x19, 0x11, 0x01]))) == (Product.GENOA,)
        assert products(turin()) == (Product.TURIN,)

    def test_before_that_the_length_of_the_chip_s_id_tells_turin_apart(self) -> None:
        assert products(MILAN.with_fields(version=2, cpuid=bytes(3))) == (Product.MILAN, Product.GENOA)
        assert products(turin().with_fields(version=2, cpuid=bytes(3))) == (Product.TURIN,)

    def test_a_processor_that_nobody_knows(self) -> None:
        with pytest.raises(VerificationFailed, match="product: CPUID family 0x1b model 0x1 is not known"):
            products(MILAN.with_fields(cpuid=bytes([0x1B, 0x01, 0x01])))

    def test_a_masked_chip_names_no_vcek(self) -> None:
        with pytest.raises(VerificationFailed, match="chip-id: CHIP_ID is masked"):
            needs.vcek(report(MILAN.with_fields(chip_id=bytes(64))))

    def test_a_vcek_is_called_by_chip_and_tcb(self) -> None:
        assert needs.vcek(report(MILAN)).name == f"amd-vcek/{CHIP.hex()}-{TCB.hex()}"
        assert needs.vcek(report(turin())).subject.startswith(f"{CHIP[:8].hex()}-")


class TestGathering:
    """What a report needs, as far as can be told before anything is fetched."""

    @staticmethod
    def wanted(world: World, store: Store, *, google: bool = False) -> list[str]:
        return [need.name for need in needs_of(report(world), store, TRUST, google=google)]

    def test_a_vcek_comes_first_and_then_the_list_of_its_root(self, tmp_path: Path) -> None:
        store, world = Store(tmp_path), MILAN
        vcek = needs.vcek(report(world))
        assert self.wanted(world, store) == [vcek.name]
        store.put(*self.entry(vcek, packed(world.leaf, world)))
        assert self.wanted(world, store) == [vcek.name, "amd-crl/milan"]
        assert (
            self.wanted(world, store, google=True)[-1]
            == f"google-launch-endorsement/snp-{bytes(range(100, 148)).hex()}"
        )

    @staticmethod
    def entry(need: needs.Need, content: bytes) -> tuple[Record, bytes]:
        made, _ = record(need.kind, need.subject, content)
        return made.model_copy(update={"sha256": hashlib.sha256(content).hexdigest()}), content

    def test_for_a_vlek_nothing_but_lists_can_be_asked_for(self, tmp_path: Path) -> None:
        store = Store(tmp_path)
        assert self.wanted(VLEK, store) == ["amd-crl/milan"]
        unknown = VLEK.with_fields(version=2, cpuid=bytes(3))
        assert self.wanted(unknown, store) == ["amd-crl/milan", "amd-crl/genoa", "amd-crl/turin"]

    def test_a_report_that_nobody_signed(self, tmp_path: Path) -> None:
        with pytest.raises(VerificationFailed, match="signing-key: neither a VCEK nor a VLEK signed the report"):
            self.wanted(MILAN.with_fields(key_info=7 << 2), Store(tmp_path))


class TestStored:
    """What a store gives for a report."""

    def test_the_vlek_that_signed_is_found_among_those_of_the_tcb(self) -> None:
        other = replace(VLEK.leaf, key=ec.generate_private_key(ec.SECP384R1()).public_key())
        vleks = [record(Kind.VLEK, f"{TCB.hex()}-{n}", packed(leaf, VLEK)) for n, leaf in enumerate((other, VLEK.leaf))]
        crls = [record(Kind.AMD_CRL, name, b"a list") for name in ("milan", "genoa")]
        found = stored(*vleks, *crls).snp(report(VLEK))
        assert [it.name for it, _ in found.used or ()] == [f"amd-vlek/{TCB.hex()}-1", "amd-crl/milan"]
        elsewhere = record(Kind.VLEK, f"{'0' * 16}-0", packed(VLEK.leaf, VLEK))
        with pytest.raises(VerificationFailed, match=r"collateral\.missing: none of the 1 VLEKs at hand for TCB 04"):
            stored(vleks[0], elsewhere, *crls).snp(report(VLEK))

    def test_without_a_product_every_list_at_hand_counts(self) -> None:
        vleks = record(Kind.VLEK, f"{TCB.hex()}-0", packed(VLEK.leaf, VLEK))
        crls = [record(Kind.AMD_CRL, name, b"a list") for name in ("genoa", "turin")]
        found = stored(vleks, *crls).snp(report(VLEK.with_fields(version=2, cpuid=bytes(3))))
        assert len(found.crls) == 2
        vcek = MILAN.with_fields(version=2, cpuid=bytes(3))
        leaf = record(Kind.VCEK, needs.vcek_subject(report(vcek)), packed(vcek.leaf, vcek))
        assert len(stored(leaf, *crls).snp(report(vcek)).crls) == 1, "a Milan or a Genoa, by its chip's id"

    def test_google_s_endorsement_is_used_where_there_is_one(self) -> None:
        world = MILAN
        vcek = record(Kind.VCEK, needs.vcek_subject(report(world)), packed(world.leaf, world))
        assert stored(vcek).snp(report(world)).firmware is None
        subject = needs.launch_endorsement("snp", report(world).measurement).subject
        found = stored(vcek, record(Kind.LAUNCH_ENDORSEMENT, subject, b"endorsement")).snp(report(world))
        assert found.firmware == b"endorsement"
        assert len(found.used or ()) == 2

    def test_what_ended_is_not_used(self) -> None:
        world = MILAN
        vcek = record(Kind.VCEK, needs.vcek_subject(report(world)), packed(world.leaf, world))
        assert stored(vcek, days=1).snp(report(world))
        with pytest.raises(VerificationFailed, match=r"collateral\.expired: amd-vcek/.* was valid until"):
            stored(vcek, days=2).snp(report(world))

    @pytest.mark.parametrize("source", [stored(), Folder(Path())])
    def test_a_report_that_nobody_signed(self, source: Stored | Folder) -> None:
        with pytest.raises(VerificationFailed, match="signing-key: neither a VCEK nor a VLEK signed the report"):
            source.snp(report(MILAN.with_fields(key_info=7 << 2)))
