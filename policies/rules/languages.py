"""REL, continued: release policies in the languages of AWS, Google Cloud and the Key Broker Service.

`policies.release` reads each language into ways and flaws; a rule chooses the flaws that it refuses.
"""

from collections.abc import Iterator

from pulumi_policy import Severity

from policies import examples, key_policies, vocabulary
from policies.context import Declared
from policies.examples import aws
from policies.examples.release import (
    BY_NETWORK,
    COMPILED,
    CONDITIONS,
    GRANT,
    MEASURED,
    aws_key,
    broker_policy,
    on_aws,
    on_google,
    on_kubernetes,
    provider,
)
from policies.release.model import Flaw, MalformedDocument
from policies.rule import Rule
from policies.subject import Resource, Stack
from policies.terms import ReleaseDocument
from policies.verdict import Finding, NotApplicable

_REFUSED_BY_AWS = (
    Flaw.BROAD_PRINCIPAL,
    Flaw.PERSON,
    Flaw.UNCONDITIONED,
    Flaw.UNCONDITIONED_GRANT,
    Flaw.DEBUGGABLE,
    Flaw.NO_WORKLOAD,
)


def _attested_recipients(resource: Resource, _: Declared) -> Iterator[Finding]:
    yield from key_policies.of_aws(resource, *_REFUSED_BY_AWS)


def _known_in_part(stack: Stack, _: Declared) -> Iterator[Finding]:
    yield from key_policies.of_aws_in_part(stack, *_REFUSED_BY_AWS)


REL_04 = Rule(
    id="REL-04",
    title="A key of AWS decrypts for attested recipients, or for the verifier alone",
    why="A key policy without a measurement decrypts for whoever can take the role.",
    severity=Severity.CRITICAL,
    remediation="ask for kms:RecipientAttestation in each statement that decrypts; where KMS reads no evidence, as of "
    "SEV-SNP, name the verifier's role and its network, and nobody else",
    confirm="that only the deployment may pass the verifier's role to a machine (`iam:PassRole`): KMS cannot tell an "
    "SEV-SNP machine that has the role from another one.",
    home="aws",
    check=_attested_recipients,
    check_stack=_known_in_part,
    passing=on_aws(
        "A key for an enclave's image, and one for the verifier of the stack in its network.",
        aws_key(MEASURED),
        examples.but(aws_key(BY_NETWORK), {}, name="broker-key"),
        aws.VERIFIER,
    ),
    failing=(
        on_aws("A key whose policy is AWS's own.", aws.KEY),
        on_aws("A role, wherever it is used.", aws_key({**MEASURED, "Condition": {}}), aws.VERIFIER),
        on_aws("The verifier's network, in a stack without a verifier.", aws_key(BY_NETWORK)),
        on_aws(
            "Every role of the account.",
            aws_key({**BY_NETWORK, "Principal": {"AWS": "arn:aws:iam::000000000000:root"}}),
            aws.VERIFIER,
        ),
        on_aws(
            "Everything that begins like decrypting.",
            aws_key({**MEASURED, "Action": "kms:De*", "Condition": {}}),
            aws.VERIFIER,
        ),
        on_aws(
            "A condition that is satisfied by a request without an attestation.",
            aws_key(
                {
                    **MEASURED,
                    "Condition": {"StringEqualsIfExists": {"kms:RecipientAttestation:ImageSha384": "5c2f" * 24}},
                }
            ),
            aws.VERIFIER,
        ),
        on_aws("A grant, which asks for nothing.", aws_key(MEASURED), GRANT),
        on_aws("A policy that cannot be read.", examples.but(aws.KEY, {"policy": "allow"})),
    ),
)

_REFUSED_BY_GOOGLE = (
    Flaw.ALLOWS_ALL,
    Flaw.NO_TEE,
    Flaw.DEBUGGABLE,
    Flaw.MISSING_CLAIM,
    Flaw.UNCONDITIONED,
    Flaw.BROAD_PRINCIPAL,
)


def _strict_condition(resource: Resource, declared: Declared) -> Iterator[Finding]:
    documents = vocabulary.release_documents_of(resource) if resource.package == "gcp" else ()
    if not documents:
        raise NotApplicable("lets nobody into a workload identity pool")
    for document in documents:
        path = document.property.path
        if not document.property.stated:
            yield Finding(path, "is not stated, so that every token of the issuer is believed", "a condition")
            return
        yield from key_policies.flawed(document, *_REFUSED_BY_GOOGLE)
        yield from _abroad(document, declared)


def _abroad(document: ReleaseDocument, declared: Declared) -> Iterator[Finding]:
    """A zone, or the beginning of zones' names, is one of the jurisdiction's regions followed by a hyphen."""
    try:
        ways = document.read().ways
    except MalformedDocument:
        return  # refused above
    inside = tuple(f"{region}-" for region in declared.regions)
    if any(not place.startswith(inside) for way in ways for place in way.places):
        allowed = f"zones of {', '.join(declared.regions)}"
        yield Finding(document.property.path, f"believes guests in zones outside {declared.area}", allowed)


REL_05 = Rule(
    id="REL-05",
    title="A workload identity pool believes production guests on confidential hardware in the jurisdiction only",
    why="A pool without a condition gives Google's permissions to every token of the issuer, debug images included.",
    severity=Severity.CRITICAL,
    remediation="compile the condition with components.release: software, hardware, support, debug status, zone",
    confirm="that the exchange of tokens, a worldwide service of Google's, may see who asks for a key.",
    home="gcp",
    check=_strict_condition,
    passing=on_google("Production guests of Confidential Space on TDX.", provider(*CONDITIONS)),
    failing=(
        on_google("Every token of the issuer.", examples.but(provider(*CONDITIONS), {"attributeCondition": None})),
        on_google("Debug images too.", provider(*CONDITIONS[:3], *CONDITIONS[4:])),
        on_google("Any hardware.", provider(CONDITIONS[0], *CONDITIONS[2:])),
        on_google("Any software.", provider(*CONDITIONS[1:])),
        on_google(
            "An alternative that asks for less.",
            provider(*CONDITIONS[:3], "true || " + CONDITIONS[3], *CONDITIONS[4:]),
        ),
        on_google("Anywhere in the world.", provider(*CONDITIONS[:5])),
        on_google(
            "In a zone of another country.",
            provider(*CONDITIONS[:5], CONDITIONS[5].replace("europe-west3-a", "us-east1-b")),
        ),
        on_google("A condition that cannot be read.", provider("assertion.swname ==")),
    ),
)

_REFUSED_BY_BROKER = (
    Flaw.ALLOWS_ALL,
    Flaw.VENDOR_DEFAULT,
    Flaw.NO_TEE,
    Flaw.NO_WORKLOAD,
    Flaw.DEBUGGABLE,
    Flaw.MISSING_CLAIM,
)


def _own_policy(resource: Resource, _: Declared) -> Iterator[Finding]:
    documents = vocabulary.release_documents_of(resource) if resource.package == "kubernetes" else ()
    if not documents:
        raise NotApplicable("tells no broker to whom it may release keys")
    for document in documents:
        yield from key_policies.flawed(document, *_REFUSED_BY_BROKER)


REL_06 = Rule(
    id="REL-06",
    title="The Key Broker Service has a policy of its own for each key, and neither its built-in one nor none",
    why="The built-in policy lets every affirmed guest have every key; the sample lets everybody.",
    severity=Severity.CRITICAL,
    remediation="compile the resource policy with components.release.kbs",
    confirm="that the broker reads this ConfigMap, and that its administrators may not replace the policy at run time.",
    home="kubernetes",
    check=_own_policy,
    passing=on_kubernetes("A rule for one key, as components.release compiles it.", broker_policy(COMPILED)),
    failing=(
        on_kubernetes("Everybody.", broker_policy("package policy\n\ndefault allow = true\n")),
        on_kubernetes(
            "What the broker comes with: whoever is not contraindicated.",
            broker_policy(
                "package policy\n\nimport rego.v1\n\ndefault allow = false\n\nallow if {\n"
                '  input["submods"]["cpu0"]["ear.status"] == "affirming"\n}\n'
            ),
        ),
        on_kubernetes(
            "Debugging is not refused.", broker_policy(COMPILED.replace("policy.debug_allowed == false", "vmpl == 0"))
        ),
        on_kubernetes("A policy that cannot be read.", broker_policy("package policy\n\nallow if {")),
    ),
)

RULES = (REL_04, REL_05, REL_06)
