"""Reads resource policies of the Key Broker Service of Confidential Containers, in Rego.

Trustee asks `data.policy.allow`. Newer releases put the claims below `input.trust_context.attestation_summary`
(`kbs/sample_policies/default.rego`), older ones hand over the token's claims as `input`; the fields of SEV-SNP evidence
are below `snp.evidence` or flat below `snp` (`attestation-service/docs/tcb_claims.md`). Both are read, and of Azure's
vTPMs what `az-snp-vtpm` and `az-tdx-vtpm` hold: the former's claims are texts, its measurement in base64.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator

from policies.release import rego, results
from policies.release.asks import Conjunction, asked, floors
from policies.release.expressions import Value
from policies.release.model import Flaw, MalformedDocument, Reading, Way, Weakness

PACKAGE = "policy"
_SUMMARY = ("input", "trust_context", "attestation_summary")
_CLAIMS = ((*_SUMMARY, "claims"), ("input",))
_CPU = ("submods", "cpu0")
_EVIDENCE = (*_CPU, "ear.veraison.annotated-evidence")
_AZURE_SNP = "az-snp-vtpm"
_SHA384, _SHA256 = re.compile(r"[0-9a-f]{96}"), re.compile(r"[0-9a-f]{64}")
# Field of the evidence: TEE, kind of pin, and its form.
_PINS: dict[tuple[str, ...], tuple[str, str, re.Pattern[str]]] = {
    ("snp", "evidence", "measurement"): ("snp", "launch measurement", _SHA384),
    ("snp", "measurement"): ("snp", "launch measurement", _SHA384),
    ("snp", "evidence", "id_key_digest"): ("snp", "signer", _SHA384),
    ("snp", "evidence", "host_data"): ("snp", "host data", _SHA256),
    ("snp", "init_data"): ("snp", "host data", _SHA256),
    **{(it, "quote", "body", "mr_td"): ("tdx", "launch measurement", _SHA384) for it in ("tdx", "az-tdx-vtpm")},
}
_AZURE_MEASUREMENT = (_AZURE_SNP, "measurement")
_NO_DEBUG = (
    ("snp", "evidence", "policy", "debug_allowed"),
    ("snp", "policy_debug_allowed"),
    ("tdx", "td_attributes", "debug"),
    ("az-tdx-vtpm", "td_attributes", "debug"),
)
_NO_MIGRATION = (("snp", "evidence", "policy", "migrate_ma_allowed"), ("snp", "policy_migrate_ma"))
_TCB = {("snp", "evidence", "reported_tcb", part): part for part in ("bootloader", "tee", "snp", "microcode")}
_FLAT_TCB = {(it, f"reported_tcb_{part}"): part for it in ("snp", _AZURE_SNP) for part in _TCB.values()}


def analyse(text: str) -> Reading:
    """The module `text`; raises `MalformedDocument`."""
    module = rego.read(text)
    if module.package != PACKAGE:
        raise MalformedDocument("package", f"is not {PACKAGE}, which the broker asks")
    ways: list[Way] = []
    weaknesses: list[Weakness] = []
    for number, conjunction in enumerate(module.alternatives("allow")):
        path = f"allow[{number}]"
        found = list(_ways(path, conjunction))
        ways += found
        weaknesses += _weaknesses(path, conjunction, found[0])
    return Reading(tuple(ways), tuple(dict.fromkeys(weaknesses)))


def _ways(path: str, conjunction: Conjunction) -> Iterator[Way]:
    paths = asked(conjunction, "data", "resource-path") or (None,)
    pins = {
        (tee, kind, value)
        for field, (tee, kind, form) in _PINS.items()
        for value in results.digests(_evidence(conjunction, *field), form)
    }
    behind_paravisor = _evidence(conjunction, *_AZURE_MEASUREMENT)
    measured = results.digests(map(_from_base64, behind_paravisor), _SHA384)
    pins |= {("snp", "launch measurement", value) for value in measured}
    # Azure's paravisor asks for every report, at VMPL 0.
    levels = _evidence(conjunction, "snp", "evidence", "vmpl") or ((0,) if behind_paravisor else (None,))
    for issuer in asked(conjunction, *_SUMMARY, "issuer") or asked(conjunction, "input", "iss") or ("",):
        for resource in paths:
            for level in levels:
                yield Way(
                    path=path,
                    authority=str(issuer),
                    tees=frozenset(tee for tee, _, _ in pins),
                    pins=frozenset((kind, value) for _, kind, value in pins),
                    refuses_debug=_refuses(conjunction, _NO_DEBUG, "policy_debug_allowed"),
                    refuses_migration=_refuses(conjunction, _NO_MIGRATION, "policy_migrate_ma"),
                    vmpl=level if isinstance(level, int) else None,
                    floors=_floors(conjunction),
                    resource="/".join(map(str, resource)) if isinstance(resource, tuple) else "",
                )


def _refuses(conjunction: Conjunction, flags: Iterable[tuple[str, ...]], azure: str) -> bool:
    """Whether one of `flags` must be false, or Azure's the text for it."""
    return _evidence(conjunction, _AZURE_SNP, azure) == ("false",) or any(
        _evidence(conjunction, *field) == (False,) for field in flags
    )


def _from_base64(value: Value) -> Value:
    """The bytes in hexadecimal; None for what is no base64."""
    try:
        return base64.b64decode(value, validate=True).hex() if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None


def _evidence(conjunction: Conjunction, *field: str) -> tuple[Value, ...]:
    """The values of which a field of the evidence must have one."""
    for claims in _CLAIMS:
        if values := asked(conjunction, *claims, *_EVIDENCE, *field):
            return values
    return ()


def _floors(conjunction: Conjunction) -> dict[str, int]:
    names = {(*claims, *_EVIDENCE, *field): part for claims in _CLAIMS for field, part in (_TCB | _FLAT_TCB).items()}
    return {names[path]: least for path, least in floors(conjunction).items() if path in names}


def _weaknesses(path: str, conjunction: Conjunction, way: Way) -> Iterator[Weakness]:
    of_the_guest = [ask for ask in conjunction if ask.path[0] == "input"]
    affirmed = asked(conjunction, *_SUMMARY, "verification_result") == (True,) or any(
        asked(conjunction, *claims, *_CPU, "ear.status") == ("affirming",) for claims in _CLAIMS
    )
    if not of_the_guest:
        found = "asks nothing of the guest that can be understood"
        yield Weakness(Flaw.ALLOWS_ALL, path, found, "conditions on the attestation result")
        return
    if not way.pins and not way.resource:
        found = "gives every key to whatever the verifier affirms, as the policy that the broker comes with"
        yield Weakness(Flaw.VENDOR_DEFAULT, path, found, "a rule for each key")
    if not affirmed:
        yield Weakness(Flaw.MISSING_CLAIM, path, "does not ask for the verifier's word", "verification_result == true")
    if not way.authority:
        yield Weakness(Flaw.MISSING_CLAIM, path, "does not ask who verified", "a condition on the issuer")
    yield from results.weaknesses_of(way)
