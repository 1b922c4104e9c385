"""Writes docs/release.md: what each target of a release policy checks, and what it cannot, by compiling one.

python docs/release.py
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "release.md"

sys.path.insert(0, str(ROOT))
from components.release import (  # noqa: E402 - found once the root is on the path
    Authority,
    Compiled,
    MinimumTcb,
    ReleasePolicy,
    ReleasePolicyError,
    SnpProduct,
    Tee,
    aws,
    azure,
    dsm,
    gcp,
    kbs,
    trustee,
)

FLOOR = MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213)
OWN = Authority(uri="https://verifier.example", jurisdiction="DE")
GOOGLE = Authority(uri="https://confidentialcomputing.googleapis.com", jurisdiction="DE")
STRICT = ReleasePolicy(
    jurisdiction="DE",
    data_class="secret",
    tees=(Tee.SNP,),
    launch_measurements=("aa" * 48,),
    launch_signers=("bb" * 48,),
    image_digests=("sha256:" + "cc" * 32,),
    image_signers=("ECDSA_P256_SHA256:" + "dd" * 32,),
    minimum_tcb=FLOOR,
    minimum_tcb_by_product={SnpProduct.TURIN: FLOOR},
    authorities=(OWN,),
    confidential_gpu=True,
    hardware=("ee" * 64,),
)
"""A policy that states every field."""
PLACEMENT = dsm.Placement("model", "group", {"kid": "key"}, dsm.Quorum(("first", "second"), 2))


@dataclass(frozen=True)
class Target:
    """One target: what a policy becomes, who judges whom by it, and the compiler."""

    document: str
    judge: str
    compile: Callable[[ReleasePolicy], Compiled]


TARGETS: Mapping[str, Target] = {
    "Azure": Target(
        "secure key release policy, grammar 1.0.0, for Managed HSM and Premium vaults",
        "the vault, on a token of Azure Attestation",
        azure.compile_policy,
    ),
    "Confidential Space": Target(
        "condition and attribute mapping of a workload identity pool, and an attribute-scoped binding on the key",
        "Google's IAM, on a token of Google Cloud Attestation",
        lambda policy: gcp.compile_policy(
            policy.model_copy(update={"authorities": (GOOGLE,)}), service_accounts=("workload@example.org",)
        ),
    ),
    "Google, own verifier": Target(
        "the same", "Google's IAM, on an attestation result of a verifier of one's own", gcp.compile_policy
    ),
    "AWS": Target(
        "statements of a KMS key policy: one caller, with `kms:RecipientAttestation:…` where that one runs on Nitro",
        "KMS, on the caller",
        lambda policy: aws.compile_policy(policy, aws.Caller("arn:aws:iam::1:role/verifier", "vpc-1")),
    ),
    "KBS": Target(
        "resource policy in Rego",
        "Trustee's broker, on a token of its attestation service",
        lambda policy: kbs.compile_policies({"default/model-key/llm": policy}),
    ),
    "KBS up to v0.21": Target(
        "the same, for releases that hand over the token's claims alone",
        "the same",
        lambda policy: kbs.compile_policies({"default/model-key/llm": policy}, shape=trustee.TOKEN),
    ),
    "Fortanix DSM": Target(
        "an app with a policy on its token's claims, its permissions in one group, and the group's quorum",
        "DSM, on an attestation result of a verifier of one's own",
        lambda policy: dsm.compile_policy(policy, PLACEMENT),
    ),
}
HEAD = """# Release policies

One `ReleasePolicy` says who may have a key; `components.release` compiles it to the language of each key service, and
`policies.release` reads the same five languages back, so that hand-written policies are judged by the same rules.
Generated from the compilers by `python docs/release.py`.

"""
CHECKS = """
## What each target checks

**✓** it checks the field; **part** it does on one TEE, or more narrowly than the policy; **–** it does not. Nothing is
dropped silently: what is not checked is in `cannot_express` of the compiled policy, with the reason below.
"""
LIMITS = """
## What is read back

`policies.release.languages.analyse(language, text)` answers with every way to the key, and with what is wrong with
each. What a reader does not understand asks for nothing, so that a policy is never taken for stricter than it is; what
cannot be read with one meaning is refused. CEL and Rego are read by a parser of their own, because the policy pack runs
under the real engine with few dependencies; tests hold it to Google's CEL and to a Rego engine.
"""


def page() -> str:
    """The whole page."""
    kinds = [f"| {name} | {target.document} | {target.judge} |" for name, target in TARGETS.items()]
    rows = [f"| field | {' | '.join(TARGETS)} |", f"|---|{'---|' * len(TARGETS)}"]
    lost = {name: _lost(target.compile) for name, target in TARGETS.items()}
    for field in ReleasePolicy.model_fields:
        marks = [_mark({tee: reasons.get(field) for tee, reasons in lost[name].items()}) for name in TARGETS]
        rows.append(f"| `{field}` | {' | '.join(marks)} |")
    table = ["| target | what is compiled | who evaluates it |", "|---|---|---|", *kinds]
    parts = [HEAD + "\n".join([*table, CHECKS, *rows]), "", "## What each target cannot express", ""]
    for name, by_tee in lost.items():
        parts += [f"**{name}**", "", *_reasons(by_tee), ""]
    return "\n".join(parts).rstrip() + "\n" + LIMITS


def _lost(compile_policy: Callable[[ReleasePolicy], Compiled]) -> dict[Tee, dict[str, str]]:
    """Fields that are not checked, with the reason, for each TEE that the target knows."""
    found = {}
    for tee in Tee:
        policies = [STRICT.model_copy(update={"tees": (tee,), "vtpm": vtpm}) for vtpm in (True, False)]
        try:
            compiled = [compile_policy(policy) for policy in policies]
            found[tee] = {one.condition: one.reason for each in compiled for one in each.cannot_express}
        except ReleasePolicyError:
            continue
    return found


def _mark(reasons: Mapping[Tee, str | None]) -> str:
    if not any(reasons.values()):
        return "✓"
    narrower = any(reason and ("holds for all" in reason or reason.startswith("on az-")) for reason in reasons.values())
    return "–" if all(reasons.values()) and not narrower else "part"


def _reasons(by_tee: Mapping[Tee, Mapping[str, str]]) -> list[str]:
    """One line for each reason, with its fields and, where it is of one TEE only, that."""
    fields: dict[tuple[str, str], list[str]] = {}
    for field in ReleasePolicy.model_fields:
        stated = {tee: reasons[field] for tee, reasons in by_tee.items() if field in reasons}
        for reason in dict.fromkeys(stated.values()):
            tees = [tee.value for tee, one in stated.items() if one == reason]
            only = f"on {tees[0]}: " if len(tees) < len(by_tee) else ""
            fields.setdefault((only, reason.removeprefix(only)), []).append(f"`{field}`")
    lines = [f"- {', '.join(names)}: {only}{reason}" for (only, reason), names in fields.items()]
    missing = [tee.value for tee in Tee if tee not in by_tee]
    return [*lines, *(f"- a policy for {tee} alone is refused" for tee in missing)]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
