"""Whether the cloud has the machines that a stack file asks for: size, TEE, GPU, zone, purchase, image."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from catalog import Catalog, MachineType, Region, Tee, Tenancy, UnknownFact, nearest
from components.spec.hosts import Entry, KeyPath, host_problems
from components.spec.parts import PARTS, Parts
from components.spec.problems import Problem, key_path

_TEE_NAMES: Mapping[Tee, str] = {"snp": "AMD SEV-SNP", "tdx": "Intel TDX"}
_ANCHORS: Mapping[str, str] = {"snp": "amd", "tdx": "intel", "h100": "nvidia"}
"""Whose root signs the evidence of a TEE or a GPU."""
_HOSTS: Mapping[Tenancy, str] = {"shared": "shared hosts", "dedicated-host": "dedicated hosts"}
_HARDWARE: Mapping[Tee, tuple[str, int]] = {"snp": ("a CHIP_ID", 128), "tdx": ("a PPID", 32)}
"""How a processor of a TEE is listed: its name, and hexadecimal digits."""
_UNSIGNED = "0" * 96
_RESERVED_NAMES = {"verifier"}
_SANDBOX = "sandbox"
_RELEASE = "a release of amazon-eks-ami, such as 1.35.7-20260903"
_KEYS_AND_LOG = "none of verifier, machines and clusters: a region of keys and log"


def machine_problems(
    mapping: Mapping[str, Any], facts: Catalog, region: Region | None, reference_values: Path
) -> Iterator[Problem]:
    """What is wrong with the verifier's machines, those of the workloads, and the nodes of the clusters."""
    verifiers: list[Entry] = [(("verifier",), entry)] if (entry := as_mapping(mapping.get("verifier"))) else []
    machines = list(_entries(mapping, "machines"))
    clusters = list(_entries(mapping, "clusters"))
    yield from _together(mapping)
    yield from _names([*machines, *clusters])
    if region is not None:
        parts = PARTS[facts.cloud(region.cloud).provider]
        if not parts.keys_and_log and not mapping.get("verifier") and not mapping.get("machines"):
            yield Problem(key_path("machines"), f"is missing, and {region.cloud} has no region of keys and log alone")
        nodes = [(path, _on_its_size_s_tee(cluster, facts, region)) for path, cluster in clusters]
        asked = [*verifiers, *machines, *nodes]
        if asked and not any_confidential(facts, region.cloud, region.id):
            where = key_path(str(asked[-1][0][0]))
            yield Problem(where, f"the catalogue knows no confidential machine in {region.id}", _KEYS_AND_LOG)
            return
        if not parts.processors_named and as_mapping(mapping.get("verifier")).get("hardware"):
            why = f"evidence on {region.cloud} does not name its processor, so that no machine gets its key"
            yield Problem(key_path("verifier", "hardware"), f"{why}: leave the key out")
        if parts.tpm_root and verifiers:
            yield from _tpm_anchor(verifiers[0][1], parts.tpm_root)
        if not parts.launches_signed:
            yield from _no_signers([*verifiers, *machines], region)
        yield from _built(machines, clusters, parts, region)
        yield from _nodes(clusters, facts, region)
        for path, machine in (*asked, *_gpu_pools(clusters)):
            yield from _machine(path, {"tee": "snp", **machine}, facts, region, parts)
        yield from host_problems(mapping, [*verifiers, *machines], region, facts.cloud(region.cloud).provider)
    yield from _anchors([*verifiers, *machines])
    yield from _hardware(as_mapping(mapping.get("verifier")), machines)
    yield from _collateral_signers(mapping)
    yield from _launch_signers([*verifiers, *machines])
    yield from _images([*verifiers, *machines], reference_values)


def any_confidential(facts: Catalog, cloud: str, location: str) -> bool:
    """Whether the catalogue knows a machine in the location with a TEE that the cloud's components build."""
    tees = PARTS[facts.cloud(cloud).provider].tees
    return any(machine.tee in tees for machine in facts.machine_types(cloud, region=location))


def as_mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def reference_values_name(image: str, tee: str) -> str:
    """Name, without `.json`, of the file with the reference values of `<name>-<version>` on one TEE.

    The same image measures differently on each TEE. SEV-SNP's has the image's own name.
    """
    return image if tee == "snp" else f"{image}.{tee}"


def _entries(mapping: Mapping[str, Any], key: str) -> Iterator[Entry]:
    """The entries of a list that are mappings, each with its path."""
    entries = mapping.get(key)
    for position, entry in enumerate(entries if isinstance(entries, list | tuple) else ()):
        if isinstance(entry, Mapping):
            yield (key, position), entry


def _together(mapping: Mapping[str, Any]) -> Iterator[Problem]:
    """A verifier and those whom it attests come together, or the region is one of keys and log."""
    guests = [key for key in ("machines", "clusters") if mapping.get(key)]
    if guests and not mapping.get("verifier"):
        yield Problem(key_path("verifier"), f"is missing, and the {guests[0]} prove themselves to it", _KEYS_AND_LOG)
    if mapping.get("verifier") and not mapping.get("machines"):
        yield Problem(key_path("machines"), "is missing, and the verifier is there to attest them", _KEYS_AND_LOG)


def _gpu_pools(clusters: list[Entry]) -> Iterator[Entry]:
    """The clusters' node pools with GPUs, on the clusters' TEEs."""
    for path, cluster in clusters:
        if pool := as_mapping(cluster.get("gpuPool")):
            yield (*path, "gpuPool"), {"gpu": "h100", **pool, "tee": cluster.get("tee", "snp")}


def _names(entries: list[Entry]) -> Iterator[Problem]:
    names = Counter(entry["name"] for _, entry in entries if isinstance(entry.get("name"), str))
    for path, entry in entries:
        name = entry.get("name")
        if isinstance(name, str) and (names[name] > 1 or name in _RESERVED_NAMES):
            why = "is reserved" if name in _RESERVED_NAMES else "is the name of another machine as well"
            yield Problem(key_path(*path, "name"), f"'{name}' {why}")


def _built(
    machines: list[Entry],
    clusters: list[Entry],
    parts: Parts,
    region: Region,
) -> Iterator[Problem]:
    for path, _ in _gpu_pools(clusters):
        if not parts.gpu_pools:
            yield Problem(key_path(*path), f"node pools with GPUs are not built on {region.cloud}: leave the key out")
    for path, cluster in clusters:
        if cluster.get("release") and not parts.releases:
            yield Problem(key_path(*path, "release"), f"is the cloud's choice on {region.cloud}: leave the key out")
        elif parts.releases and not cluster.get("release"):
            yield Problem(
                key_path(*path, "release"), "is missing: the nodes' image would be another one tomorrow", _RELEASE
            )
    if clusters and not parts.clusters:
        yield Problem(key_path("clusters"), f"clusters are not built on {region.cloud}: leave the key out")
    for path, machine in machines:
        count = machine.get("count", 1)
        if isinstance(count, int) and count > 1 and not parts.groups:
            yield Problem(key_path(*path, "count"), f"groups of machines are not built on {region.cloud}", "1")


def _on_its_size_s_tee(cluster: Mapping[str, Any], facts: Catalog, region: Region) -> Mapping[str, Any]:
    """`cluster` with its size's TEE where its own is refused (`_nodes`): one hint about the TEE is enough."""
    for feature in facts.cluster_features(region.cloud).values():
        refused = feature.kind == "confidential-nodes" and feature.supported is not False
        if refused and cluster.get("tee", "snp") in set(_TEE_NAMES) - set(feature.tees):
            known = _known(facts, region, str(cluster.get("size")))
            return {**cluster, "tee": known.tee if known and known.tee else feature.tees[0]}
    return cluster


def _nodes(clusters: list[Entry], facts: Catalog, region: Region) -> Iterator[Problem]:
    """TEEs that machines of the cloud have, and nodes of its Kubernetes service have not."""
    for feature in facts.cluster_features(region.cloud).values():
        if feature.kind == "confidential-nodes" and feature.supported is not False:
            for path, cluster in clusters:
                tee = next((tee for tee in _TEE_NAMES if tee == cluster.get("tee", "snp")), None)
                if tee is not None and tee not in feature.tees:
                    what = f"{feature.service.upper()} has no nodes with {_TEE_NAMES[tee]}"
                    yield Problem(key_path(*path, "tee"), what, feature.tees[0])


def _machine(
    path: KeyPath, machine: Mapping[str, Any], facts: Catalog, region: Region, parts: Parts
) -> Iterator[Problem]:
    size, wanted, gpu = machine.get("size"), machine["tee"], machine.get("gpu", "none")
    tee = next((tee for tee in _TEE_NAMES if tee == wanted), None)
    if tee is not None and tee not in parts.tees:
        yield Problem(key_path(*path, "tee"), f"'{tee}' is not built on {region.cloud}", parts.tees[0])
        return
    if gpu not in parts.gpus and gpu in _ANCHORS:
        yield Problem(key_path(*path, "gpu"), f"'{gpu}' is not built on {region.cloud}", parts.gpus[0])
        return
    found = None
    if isinstance(size, str) and tee is not None:
        found = _known(facts, region, size)
        yield from _size(path, size, found, tee, facts, region)
    yield from _zone(path, machine.get("zone"), found, region)
    if found is not None and tee is not None and found.tee == tee and region.id in found.regions:
        yield from _gpu(path, gpu, found, facts, region)
        yield from _purchase(path, machine.get("purchase", "on-demand"), found)
        yield from _tenancy(path, machine.get("tenancy", "shared"), found, tee, region)


def _known(facts: Catalog, region: Region, size: str) -> MachineType | None:
    try:
        return facts.machine_type(region.cloud, size)
    except UnknownFact:
        return None


def _size(
    path: KeyPath, size: str, known: MachineType | None, tee: Tee, facts: Catalog, region: Region
) -> Iterator[Problem]:
    where = key_path(*path, "size")
    if known is None:
        offered = [machine.size for machine in facts.machine_types(region.cloud, region=region.id, tee=tee)]
        yield Problem(where, f"'{size}' is not a machine size of the catalogue", nearest(size, offered))
    elif known.tee != tee or region.id not in known.regions:
        what = f"has no {_TEE_NAMES[tee]}" if known.tee != tee else f"is not offered in {region.id}"
        best = facts.nearest_machine_type(known, region=region.id, tee=tee)
        nowhere = "" if best else f", and {region.id} offers no size with {_TEE_NAMES[tee]}"
        yield Problem(where, f"'{size}' {what}{nowhere}", best.size if best else None)


def _zone(path: KeyPath, zone: object, machine: MachineType | None, region: Region) -> Iterator[Problem]:
    if not isinstance(zone, str):
        return
    where = key_path(*path, "zone")
    if region.zone_names is not None and zone not in region.zone_names:
        zones = f"has the zones {', '.join(region.zone_names)}" if region.zone_names else "has no zones"
        yield Problem(where, f"'{zone}' is not a zone: {region.id} {zones}")
    elif machine is not None and region.id in machine.regions and machine.in_zone(region.id, zone) is False:
        having = machine.zones[region.id]
        yield Problem(where, f"'{machine.size}' is offered with its TEE in {', '.join(having)} only", having[0])


def _gpu(path: KeyPath, wanted: object, machine: MachineType, facts: Catalog, region: Region) -> Iterator[Problem]:
    has = machine.gpu.name if machine.gpu else "none"
    where = key_path(*path, "gpu")
    if wanted == has:
        if machine.gpu and not machine.gpu.cc:
            yield Problem(where, f"'{has}' has no confidential-computing mode in '{machine.size}'")
    elif wanted in ("none", "h100"):
        offered = [
            one.size
            for one in facts.machine_types(region.cloud, region=region.id, tee=machine.tee)
            if wanted == (one.gpu.name if one.gpu else "none")
        ]
        hint = nearest(machine.size, offered) or min(offered, default=None)
        with_it = f"size {hint}" if wanted == "h100" and hint else has
        yield Problem(where, f"'{machine.size}' has the GPU {has}, not {wanted}", with_it)


def _purchase(path: KeyPath, wanted: object, machine: MachineType) -> Iterator[Problem]:
    if wanted in ("on-demand", "spot", "flex-start") and wanted not in machine.purchase:
        offered = " or ".join(machine.purchase)
        yield Problem(
            key_path(*path, "purchase"),
            f"'{machine.size}' with its TEE is sold as {offered} only, not {wanted}",
            machine.purchase[-1],
        )


def _tenancy(path: KeyPath, wanted: object, machine: MachineType, tee: Tee, region: Region) -> Iterator[Problem]:
    offered = machine.tenancy(region.id)
    if wanted in get_args(Tenancy) and wanted not in offered:
        # A cluster's nodes have no tenancy to choose: the size is what must change.
        key = "size" if path[0] == "clusters" else "tenancy"
        on = " and ".join(_HOSTS[tenancy] for tenancy in offered)
        what = f"'{machine.size}' has {_TEE_NAMES[tee]} on {on} only in {region.id}"
        yield Problem(key_path(*path, key), what, None if key == "size" else offered[0])


def _anchors(machines: list[Entry]) -> Iterator[Problem]:
    """A verifier that lacks a vendor's root refuses every guest of that vendor's hardware."""
    named = next((entry.get("trustAnchors", ("amd",)) for (key, *_), entry in machines if key == "verifier"), None)
    if not isinstance(named, list | tuple) or not named or _SANDBOX in named:
        return
    for _, machine in machines:
        for part in (machine.get("tee", "snp"), machine.get("gpu", "none")):
            anchor = _ANCHORS.get(part) if isinstance(part, str) else None
            if anchor is not None and anchor not in named:
                yield Problem(key_path("verifier", "trustAnchors"), f"lacks '{anchor}', whose root signs for {part}")


def _tpm_anchor(verifier: Mapping[str, Any], root: str) -> Iterator[Problem]:
    """A verifier that lacks the root of the cloud's TPM knows of no guest what booted, and refuses every one."""
    named = verifier.get("trustAnchors", ("amd",))
    if isinstance(named, list | tuple) and named and not {root, _SANDBOX} & set(map(str, named)):
        yield Problem(key_path("verifier", "trustAnchors"), f"lacks '{root}', whose root signs for the guests' TPMs")


def _hardware(verifier: Mapping[str, Any], machines: list[Entry]) -> Iterator[Problem]:
    """A list without a processor of a TEE leaves the machines with it without their keys."""
    listed = verifier.get("hardware")
    if not isinstance(listed, list | tuple) or not listed:
        return
    used = [machine.get("tee", "snp") for _, machine in machines]
    for tee, (name, digits) in _HARDWARE.items():
        if tee in used and not any(isinstance(one, str) and len(one) == digits for one in listed):
            what = f"names no processor of {_TEE_NAMES[tee]}, so that no machine with it gets its key"
            yield Problem(key_path("verifier", "hardware"), what, f"{name} in {digits} hexadecimal digits")


def _collateral_signers(mapping: Mapping[str, Any]) -> Iterator[Problem]:
    if as_mapping(mapping.get("verifier")).get("collateralSigners") and mapping.get("collateralCache") is False:
        what = "names who may fill the collateral cache, and the region has none: leave the key out"
        yield Problem(key_path("verifier", "collateralSigners"), what)


def _signers(machine: Mapping[str, Any]) -> Any:
    return as_mapping(machine.get("image")).get("launchSigners", ())


def _no_signers(machines: list[Entry], region: Region) -> Iterator[Problem]:
    for path, machine in machines:
        if _signers(machine):
            why = f"nobody signs a launch on {region.cloud}, so that no such machine gets a key"
            yield Problem(key_path(*path, "image", "launchSigners"), f"{why}: leave the key out")


def _launch_signers(machines: list[Entry]) -> Iterator[Problem]:
    """A key asks everybody for the same signers: that of a model, and that of the disks of an image on one TEE."""
    first: dict[object, tuple[str, Any]] = {}
    for path, machine in machines:
        where, tee, signers = key_path(*path, "image", "launchSigners"), machine.get("tee", "snp"), _signers(machine)
        if not isinstance(signers, list | tuple):
            continue
        if signers and tee == "tdx":
            yield Problem(where, "no TD has a signer of its launch, so that no such machine gets a key: leave it out")
            continue
        if _UNSIGNED in signers:
            yield Problem(where, "zeros are the digest of a launch that nobody signed, and no key's")
        image = as_mapping(machine.get("image"))
        keys = [("model", machine.get("model")), (image.get("name"), image.get("version"), tee)]
        others = [first.setdefault(key, (where, signers)) for key in keys if None not in key]
        if other := next((place for place, listed in others if list(listed) != list(signers)), None):
            yield Problem(where, f"is not what {other} is, and one key is for both", "the same list")


def _images(machines: list[Entry], reference_values: Path) -> Iterator[Problem]:
    built = {path.stem for path in reference_values.glob("*.json")}
    for path, machine in machines:
        image = as_mapping(machine.get("image"))
        name, version, tee = image.get("name"), image.get("version"), machine.get("tee", "snp")
        if not (isinstance(name, str) and isinstance(version, str)) or tee not in _TEE_NAMES:
            continue
        file = reference_values_name(f"{name}-{version}", tee)
        if file not in built:
            on = "" if tee == "snp" else f" on {_TEE_NAMES['tdx']}"
            yield Problem(
                key_path(*path, "image"),
                f"'{name}-{version}' has no signed reference values{on} in stacks/{reference_values.name}",
                nearest(file, built),
            )
