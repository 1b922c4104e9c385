"""What a sovereign stack can and cannot have in a region, and why: one finding for each thing that it needs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from catalog.facts import Fact, Region
from catalog.index import Catalog
from catalog.machines import ATTESTED_TEES, MachineFamily, Tee
from catalog.services import Service

Verdict = Literal["can", "limited", "cannot", "unknown"]
Reason = Literal[
    "outside-jurisdiction",
    "announced-only",
    "restricted-access",
    "foreign-legal-reach",
    "legal-reach-unknown",
    "sovereign-operator-no-tee",
    "no-zones",
    "pair-abroad",
    "not-offered",
    "offer-unknown",
    "dedicated-host-only",
    "spot-or-flex-start-only",
    "some-zones-only",
    "price-list-only",
    "sources-disagree",
    "not-generally-available",
    "no-key-release",
    "operator-attested-only",
    "no-named-place",
    "not-in-provider-sdk",
    "low-confidence",
]

_TEE_NAMES: Final[dict[Tee, str]] = {"snp": "AMD SEV-SNP", "tdx": "Intel TDX"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a sovereign stack wants, whether the region has it, and why not wholly."""

    subject: str
    verdict: Verdict
    says: str
    reasons: tuple[Reason, ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything that is known of `region` for a stack that must stay in `jurisdiction`."""

    region: Region
    jurisdiction: str
    findings: tuple[Finding, ...]

    @property
    def reasons(self) -> frozenset[Reason]:
        """Every limitation found."""
        return frozenset(reason for finding in self.findings for reason in finding.reasons)


def machines_with(facts: Catalog, region: Region, *, tee: Tee | None = None, gpu: str | None = None) -> Finding:
    """Whether machines with `tee` and no GPU, or with confidential computing on the GPU `gpu`, are in `region`.

    With both, machines that have both; with neither, any GPU in that mode beside a TEE that a verifier can check.
    """
    families = [
        family
        for family in facts.machine_families(region.cloud).values()
        if (family.tee == tee if tee else family.attested)
        and (_has_gpu(family, gpu) if gpu or not tee else family.gpu is None)
    ]
    subject = f"machines with {_TEE_NAMES.get(tee, tee)}" if tee else "GPU confidential computing"
    return _weighed(_machines(facts, region, subject, families))


def _has_gpu(family: MachineFamily, name: str | None) -> bool:
    return family.gpu is not None and family.gpu.cc and name in (None, family.gpu.name)


def _weighed(finding: Finding) -> Finding:
    """Unknown is not a pass: what rests on nothing but facts to be checked before use is not said to be there."""
    if finding.verdict == "can" and all(fact.confidence == "low" for fact in finding.facts):
        return replace(finding, verdict="unknown", reasons=(*finding.reasons, "low-confidence"))
    return finding


def assess(facts: Catalog, cloud: str, region: str, *, jurisdiction: str | None = None) -> Assessment:
    """What a stack that must stay in `jurisdiction` (the region's own if None) can have in `region` of `cloud`.

    Raises:
        UnknownFact: the catalogue has no such cloud, region or jurisdiction.
    """
    place = facts.region(cloud, region)
    area = facts.jurisdictions[jurisdiction or place.jurisdiction].id
    machines = [machines_with(facts, place, tee=tee) for tee in _TEE_NAMES]
    findings = [
        _place(facts, place, area),
        _operator(facts, place, area),
        *_boundaries(facts, place),
        _zones(place),
        *_pair(facts, place, area),
        *machines,
        machines_with(facts, place),
        *_sovereign_without_tee(facts, place, machines),
        *(_service(facts, place, area, service) for service in _judged(facts, place)),
        *_cluster(facts, place),
    ]
    return Assessment(place, area, tuple(_weighed(finding) for finding in findings))


def _place(facts: Catalog, region: Region, area: str) -> Finding:
    if not facts.within(region.jurisdiction, area):
        says = f"{region.name} is in {region.jurisdiction}, which is not inside {area}"
        return Finding("location", "cannot", says, ("outside-jurisdiction",), (region,))
    where = f"{region.name} is in {' < '.join(region.jurisdictions)}"
    if region.announced_only:
        return Finding("location", "unknown", f"{where}; announced only", ("announced-only",), (region,))
    if region.restricted_access:
        says = f"{where}; open only to customers who ask for it"
        return Finding("location", "limited", says, ("restricted-access",), (region,))
    return Finding("location", "can", where, (), (region,))


def _operator(facts: Catalog, region: Region, area: str) -> Finding:
    cloud = facts.cloud(region.cloud)
    operator = facts.operators[region.operator_id or cloud.operator_id]
    abroad = facts.reached_from_abroad(region.legal_reach, area)
    if abroad is None:
        says = f"{operator.name}: the sources do not say which law reaches it"
        return Finding("operator", "unknown", says, ("legal-reach-unknown",), (operator, cloud))
    reach = region.legal_reach or ()
    if not abroad:
        return Finding("operator", "can", f"{operator.name}, reached by the law of {', '.join(reach)}", (), (operator,))
    foreign = [place for place in reach if not facts.within(place, area)]
    laws = tuple(law for place in foreign for law in facts.laws_of(place))
    by = f" ({'; '.join(law.name for law in laws)})" if laws else ""
    says = f"{operator.name} is reached by the law of {', '.join(foreign)}{by}"
    return Finding("operator", "limited", says, ("foreign-legal-reach",), (operator, *laws))


def _boundaries(facts: Catalog, region: Region) -> Iterator[Finding]:
    for boundary in facts.boundaries(region.cloud, region=region.id):
        partner = facts.operators[boundary.operator_id]
        says = f"{boundary.name}, under {partner.name}: {boundary.controls}"
        yield Finding("partner boundary", "limited", says, ("foreign-legal-reach",), (boundary, partner))


def _zones(region: Region) -> Finding:
    if region.zones is None:
        return Finding("zones", "unknown", "the sources do not say", ("offer-unknown",), (region,))
    if not region.zones:
        return Finding("zones", "cannot", "the region has no availability zones", ("no-zones",), (region,))
    named = ", ".join(region.zone_names) if region.zone_names else f"{region.zone_count}, not named"
    return Finding("zones", "can", named, (), (region,))


def _pair(facts: Catalog, region: Region, area: str) -> Iterator[Finding]:
    """Where services fail over to, and where geo-redundant storage copies to."""
    pair = facts.pair(region)
    if pair is None:
        return
    copying = [service for service in facts.services(region.cloud).values() if service.geo_redundant_skus]
    moving = [service for service in facts.services(region.cloud).values() if facts.failover(service, region)]
    what = [service.name for service in moving]
    what += [f"{service.name} with {', '.join(service.geo_redundant_skus)}" for service in copying]
    says = f"{'; '.join(what)}: to {pair.id} in {pair.jurisdiction}"
    abroad = not facts.within(pair.jurisdiction, area)
    yield Finding(
        "failover",
        "limited" if abroad else "can",
        f"{says}, which is outside {area}" if abroad else says,
        ("pair-abroad",) if abroad else (),
        (region, pair, *moving, *copying),
    )


def _machines(facts: Catalog, region: Region, subject: str, families: list[MachineFamily]) -> Finding:
    here = [family for family in families if region.id in family.regions]
    if here:
        return _offered(region, subject, here)
    if region.confidential_vm is False:
        return Finding(subject, "cannot", "the cloud has no confidential machines there", ("not-offered",), (region,))
    unread = [family for family in families if family.offered == "unknown"]
    elsewhere = facts.machine_families(region.cloud)
    if unread or not elsewhere:
        says = f"the regions of {', '.join(f.family for f in unread)} were not read" if unread else "no list was read"
        return Finding(subject, "unknown", says, ("offer-unknown",), (region, *unread))
    says = "no machine type is offered here" if families else "no machine type of the cloud has it"
    return Finding(subject, "cannot", says, ("not-offered",), tuple(families) or (region,))


def _offered(region: Region, subject: str, here: list[MachineFamily]) -> Finding:
    reasons: list[Reason] = []
    notes: list[str] = []

    def limit(reason: Reason, note: str, *, holds: bool) -> None:
        if holds:
            reasons.append(reason)
            notes.append(note)

    zones = {zone for family in here for zone in family.zones.get(region.id, region.zone_names or ())}
    missing = sorted(set(region.zone_names or ()) - zones)
    shared = any("shared" in family.tenancy(region.id) for family in here)
    limit("dedicated-host-only", "on a Dedicated Host only", holds=not shared)
    on_demand = any("on-demand" in family.purchase for family in here)
    limit("spot-or-flex-start-only", "spot or flex-start only", holds=not on_demand)
    limit("some-zones-only", f"not in {', '.join(missing)}", holds=bool(missing) and bool(zones))
    disputed = all(region.id in family.disputed for family in here)
    limit("sources-disagree", "the sources disagree on this region", holds=disputed)
    limit("not-generally-available", "preview", holds=all(family.status == "preview" for family in here))
    blocking = bool(reasons)
    priced = all(family.offered == "priced" for family in here)
    limit("price-list-only", "known from the price list: confirm for the subscription", holds=priced)
    says = "; ".join([", ".join(family.family for family in here), *notes])
    return Finding(subject, "limited" if blocking else "can", says, tuple(reasons), tuple(here))


def _sovereign_without_tee(facts: Catalog, region: Region, machines: Iterable[Finding]) -> Iterator[Finding]:
    cloud = facts.cloud(region.cloud)
    if cloud.offer == "sovereign" and all(finding.verdict == "cannot" for finding in machines):
        says = "sold as sovereign, but without a TEE: the operator can read what runs there"
        yield Finding("sovereignty", "limited", says, ("sovereign-operator-no-tee",), (cloud, region))


def _judged(facts: Catalog, region: Region) -> Iterator[Service]:
    kinds = ("key", "attestation", "identity", "control-plane")
    return (service for service in facts.services(region.cloud).values() if service.kind in kinds)


def _service(facts: Catalog, region: Region, area: str, service: Service) -> Finding:
    offered = service.offered_in(region.id)
    subject = {"key": "keys", "identity": "identity"}.get(service.kind, service.kind)
    if offered is False:
        return Finding(subject, "cannot", f"{service.name}: not in this region", ("not-offered",), (service,))
    if offered is None:
        says = f"{service.name}: the sources do not say for this region"
        return Finding(subject, "unknown", says, ("offer-unknown",), (service,))
    reasons: list[Reason] = []
    pair = facts.failover(service, region)
    if pair is not None and not facts.within(pair.jurisdiction, area):
        reasons.append("pair-abroad")
    if service.location == "global":
        reasons.append("no-named-place")
    if service.status != "ga":
        reasons.append("not-generally-available")
    if service.kind == "key" and not service.key_release:
        reasons.append("no-key-release")
    if service.releases_to and not ATTESTED_TEES.intersection(service.releases_to):
        reasons.append("operator-attested-only")
    if not service.in_provider_sdk:
        reasons.append("not-in-provider-sdk")
    says = f"{service.name}: {service.reason}"
    if service.key_release:
        says += f"; releases to {', '.join(service.releases_to) or 'guests'} by {service.release_by}"
    return Finding(subject, "limited" if reasons else "can", says, tuple(reasons), (service,))


def _cluster(facts: Catalog, region: Region) -> Iterator[Finding]:
    families = facts.machine_families(region.cloud)
    for feature in facts.cluster_features(region.cloud).values():
        subject = f"{feature.service} {feature.kind}"
        here = [name for name in feature.families if region.id in families[name].regions]
        if region.confidential_nodes is False or feature.supported is False:
            yield Finding(subject, "cannot", feature.note or "not supported", ("not-offered",), (feature,))
        elif feature.supported is None:
            says = feature.note or "no page says so"
            yield Finding(subject, "unknown", says, ("offer-unknown",), (feature,))
        elif feature.families and not here:
            says = f"none of {', '.join(feature.families)} is offered here"
            yield Finding(subject, "cannot", says, ("not-offered",), (feature,))
        else:
            reasons: list[Reason] = [] if feature.status == "ga" else ["not-generally-available"]
            reasons += [] if feature.in_provider_sdk else ["not-in-provider-sdk"]
            says = f"{', '.join(feature.tees)} on {', '.join(here) or 'nodes with the TEE'}"
            yield Finding(subject, "limited" if reasons else "can", says, tuple(reasons), (feature,))
