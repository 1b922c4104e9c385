"""Guests, policies and what a policy means of a guest, straight from its fields: what compiled policies are held to."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from components.release import Authority, MinimumTcb, ReleasePolicy, SnpProduct, Tee

DIGESTS = tuple(character * 96 for character in "abcd")
CHIPS = tuple(character * 128 for character in "abc")
IMAGES = tuple("sha256:" + character * 64 for character in "abc")
SIGNERS = tuple("ECDSA_P256_SHA256:" + character * 64 for character in "abc")
PARTS = tuple(MinimumTcb.model_fields)
SVN = st.integers(0, 3)


@dataclass(frozen=True)
class Guest:
    """One guest with its hardware, and the attestation result about it."""

    issuer: str
    tee: Tee = Tee.SNP
    product: SnpProduct = SnpProduct.MILAN
    measurement: str = DIGESTS[0]
    id_key: str = DIGESTS[0]
    image: str = IMAGES[0]
    image_signer: str = SIGNERS[0]
    tcb: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PARTS, 3))
    tcb_status: str = "UpToDate"
    vmpl: int = 0
    debug: bool = False
    migration: bool = False
    gpu: str = "on"
    paravisor: bool = False
    chip: str = CHIPS[0]
    token_seconds: int = 60


CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "tee": st.sampled_from(Tee),
    "product": st.sampled_from(SnpProduct),
    "measurement": st.sampled_from(DIGESTS),
    "id_key": st.sampled_from(DIGESTS),
    "image": st.sampled_from(IMAGES),
    "image_signer": st.sampled_from(SIGNERS),
    "tcb": st.fixed_dictionaries(dict.fromkeys(PARTS, SVN)),
    "tcb_status": st.sampled_from(["UpToDate", "OutOfDate"]),
    "vmpl": st.integers(0, 3),
    "debug": st.booleans(),
    "migration": st.booleans(),
    "gpu": st.sampled_from(["on", "off", "devtools", "none"]),
    "paravisor": st.booleans(),
    "chip": st.sampled_from(CHIPS),
    "token_seconds": st.integers(1, 4000),
}


def means(policy: ReleasePolicy, guest: Guest, *, but: Iterable[str] = ()) -> bool:
    """Whether `guest` may have the key, by every field of the policy but those named."""
    floor = policy.minimum_tcb_by_product.get(guest.product) or policy.minimum_tcb
    snp = guest.tee is Tee.SNP
    answers = {
        "authorities": guest.issuer in {authority.uri for authority in policy.authorities},
        "tees": guest.tee in policy.tees,
        "launch_measurements": _among(guest.measurement, policy.launch_measurements),
        "launch_signers": _among(guest.id_key if snp else None, policy.launch_signers),
        "image_digests": _among(guest.image, policy.image_digests),
        "image_signers": _among(guest.image_signer, policy.image_signers),
        "minimum_tcb": _new_enough(guest, floor) if snp else guest.tcb_status == "UpToDate",
        "vmpl": guest.vmpl in policy.vmpl or not snp,
        "allow_debug": policy.allow_debug or not guest.debug,
        "allow_migration": policy.allow_migration or not guest.migration,
        "confidential_gpu": guest.gpu == "on" or not policy.confidential_gpu,
        "vtpm": guest.paravisor or not policy.vtpm,
        "hardware": _among(guest.chip if snp else None, policy.hardware),
        "max_token_seconds": guest.token_seconds <= policy.max_token_seconds,
    }
    return all(answer for name, answer in answers.items() if name not in set(but))


def _among(value: str | None, accepted: tuple[str, ...]) -> bool:
    return not accepted or value in accepted


def _new_enough(guest: Guest, floor: MinimumTcb | None) -> bool:
    return floor is not None and all(guest.tcb[part] >= least for part, least in floor.model_dump().items())


def _some(values: tuple[str, ...], *, least: int) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values[:2]), min_size=least, max_size=2, unique=True).map(tuple)


FLOORS = st.builds(MinimumTcb, **dict.fromkeys(PARTS, SVN))


@st.composite
def policies(draw: st.DrawFn, base: ReleasePolicy) -> ReleasePolicy:
    """Random policies of the TEEs, authorities and jurisdiction of `base`; what `base` leaves empty may be stated."""
    fields = {
        "tees": tuple(draw(st.lists(st.sampled_from(base.tees), min_size=1, unique=True))),
        "launch_measurements": draw(_some(DIGESTS, least=1)),
        "launch_signers": draw(_some(DIGESTS, least=0)),
        "image_digests": draw(_some(IMAGES, least=len(base.image_digests[:1]))),
        "image_signers": draw(_some(SIGNERS, least=0)),
        "minimum_tcb": draw(FLOORS),
        "minimum_tcb_by_product": draw(st.dictionaries(st.sampled_from(SnpProduct), FLOORS, max_size=2)),
        "vmpl": tuple(draw(st.lists(st.integers(0, 3), min_size=1, max_size=2, unique=True))),
        "allow_debug": draw(st.booleans()),
        "allow_migration": draw(st.booleans()),
        "confidential_gpu": draw(st.booleans()),
        "vtpm": draw(st.booleans()),
        "hardware": draw(_some(CHIPS, least=0)),
        "max_token_seconds": draw(st.sampled_from([60, 300, 3600])),
    }
    return base.model_copy(update=fields)


@st.composite
def cases(draw: st.DrawFn, base: ReleasePolicy) -> tuple[ReleasePolicy, Guest]:
    """A policy, and a guest that would get the key but for at most two things."""
    policy = draw(policies(base))
    guest = Guest(
        issuer=draw(st.sampled_from(policy.authorities)).uri,
        tee=policy.tees[-1],
        measurement=policy.launch_measurements[-1],
        id_key=(policy.launch_signers or DIGESTS)[-1],
        image=(policy.image_digests or IMAGES)[-1],
        image_signer=(policy.image_signers or SIGNERS)[-1],
        vmpl=policy.vmpl[-1],
        paravisor=policy.vtpm,
        chip=(policy.hardware or CHIPS)[-1],
    )
    changed = draw(st.lists(st.sampled_from(["issuer", *CHANGES]), max_size=2, unique=True))
    issuers = st.sampled_from([*(authority.uri for authority in policy.authorities), "https://elsewhere.example"])
    return policy, replace(guest, **{name: draw(CHANGES.get(name, issuers)) for name in changed})


def authority(uri: str, jurisdiction: str = "DE") -> Authority:
    """A verifier in Germany."""
    return Authority(uri=uri, jurisdiction=jurisdiction)
