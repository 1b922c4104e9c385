"""REL, continued: release policies in the languages of AWS, Google Cloud and the Key Broker Service.

`policies.release` reads each language into ways and flaws; a rule chooses the flaws that it refuses.
"""

import json
from collections.abc import Iterator
from typing import Any

from pulumi_policy import Severity

from components.release import Authority, MinimumTcb, ReleasePolicy, Tee, kbs
from policies import examples, examples_aws, examples_gcp, examples_kubernetes, vocabulary
from policies.context import Declared
from policies.release import aws
from policies.release.model import Flaw, MalformedDocument, Reading
from policies.rule import Example, ExampleResource, Rule
from policies.subject import MalformedProperty, Property, Resource, Stack
from policies.terms import ReleaseDocument
from policies.verdict import Finding, NotApplicable, unknown

DOCUMENTS = "releaseDocuments"
"""What a component with keys says of their policies, where a part of them is known only after deployment."""
_SOME_ROLE = "arn:aws:iam::000000000000:role/known-after-deployment"


def _found(path: str, reading: Reading, *flaws: Flaw, on: Resource | None = None) -> Iterator[Finding]:
    for weakness in reading.of(*flaws):
        yield Finding(path, f"at {weakness.path} {weakness.found}", weakness.allowed, on)


def _unreadable(path: str, error: MalformedDocument, on: Resource | None = None) -> Finding:
    return Finding(path, f"cannot be judged: {error}", "a policy that can be read with one meaning", on)


_REFUSED_BY_AWS = (
    Flaw.BROAD_PRINCIPAL,
    Flaw.PERSON,
    Flaw.UNCONDITIONED,
    Flaw.UNCONDITIONED_GRANT,
    Flaw.DEBUGGABLE,
    Flaw.NO_WORKLOAD,
)


def _attested_recipients(resource: Resource, _: Declared) -> Iterator[Finding]:
    documents = vocabulary.release_documents_of(resource) if resource.package == "aws" else ()
    if not documents:
        raise NotApplicable("says nothing of who may decrypt")
    for document in documents:
        path = document.property.path
        if document.property.unknown:
            raise NotApplicable("is complete only when it is made; until then the rule for the stack judges it")
        if not document.property.stated:
            yield Finding(path, "is not stated, and AWS's own lets the account's roles decrypt", "a policy of the key")
            return
        try:
            yield from _found(path, document.read(), *_REFUSED_BY_AWS)
        except MalformedDocument as error:
            yield _unreadable(path, error)


def _known_in_part(stack: Stack, _: Declared) -> Iterator[Finding]:
    keys = [
        (one, document)
        for one in stack.resources
        if one.package == "aws"
        for document in vocabulary.release_documents_of(one)
    ]
    if not keys:
        raise NotApplicable("the stack has no key of AWS")
    verified = any(vocabulary.is_verifier(one) for one in stack.resources)
    stated = {key for one in stack.resources if one.props.at(DOCUMENTS).stated for key in stack.inside(one)}
    for component in stack.resources:
        for name in component.props.at(DOCUMENTS).names() if component.is_component else ():
            yield from _document(component, component.props.at(DOCUMENTS, name), verified)
    for key, document in keys:
        if document.property.unknown and key not in stated:
            yield unknown(document.property.path, on=key)
        elif not document.property.unknown and not verified:
            yield from _unattested(key, document)


def _document(component: Resource, document: Property, verified: bool) -> Iterator[Finding]:
    flaws = _REFUSED_BY_AWS if verified else (*_REFUSED_BY_AWS, Flaw.UNATTESTED)
    try:
        yield from _found(document.path, aws.analyse(json.dumps(_complete(document))), *flaws, on=component)
    except MalformedDocument as error:
        yield _unreadable(document.path, error, component)


def _complete(part: Property) -> Any:
    """`part` with a role in place of what is not known: the key's own policy is judged again when it is made."""
    if part.unknown:
        return _SOME_ROLE
    if isinstance(part.value, str | bool | int | float) or part.value is None:
        return part.value
    try:
        return {name: _complete(part.at(name)) for name in part.names()}
    except MalformedProperty:
        return [_complete(item) for item in part.items()]


def _unattested(key: Resource, document: ReleaseDocument) -> Iterator[Finding]:
    """Where nothing of the stack attests guests, a named caller in a named network is not enough."""
    try:
        yield from _found(document.property.path, document.read(), Flaw.UNATTESTED, on=key)
    except MalformedDocument:
        return  # the rule for the resource refuses it


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


_ROLE = "arn:aws:iam::000000000000:role/verifier"
_MEASURED = {
    "Effect": "Allow",
    "Principal": {"AWS": _ROLE},
    "Action": "kms:Decrypt",
    "Resource": "*",
    "Condition": {"StringEqualsIgnoreCase": {"kms:RecipientAttestation:ImageSha384": "5c2f" * 24}},
}
_BY_NETWORK = {**_MEASURED, "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-0123456789abcdef0"}}}


def _key(*statements: dict[str, Any]) -> ExampleResource:
    return examples.but(examples_aws.KEY, {"policy": _policy(*statements)})


def _aws(says: str, *resources: ExampleResource) -> Example:
    return Example(says, resources, examples_aws.CONFIG)


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
    passing=_aws(
        "A key for an enclave's image, and one for the verifier of the stack in its network.",
        _key(_MEASURED),
        examples.but(_key(_BY_NETWORK), {}, name="broker-key"),
        examples_aws.VERIFIER,
    ),
    failing=(
        _aws("A key whose policy is AWS's own.", examples_aws.KEY),
        _aws("A role, wherever it is used.", _key({**_MEASURED, "Condition": {}}), examples_aws.VERIFIER),
        _aws("The verifier's network, in a stack without a verifier.", _key(_BY_NETWORK)),
        _aws(
            "Every role of the account.",
            _key({**_BY_NETWORK, "Principal": {"AWS": "arn:aws:iam::000000000000:root"}}),
            examples_aws.VERIFIER,
        ),
        _aws(
            "Everything that begins like decrypting.",
            _key({**_MEASURED, "Action": "kms:De*", "Condition": {}}),
            examples_aws.VERIFIER,
        ),
        _aws(
            "A condition that is satisfied by a request without an attestation.",
            _key(
                {
                    **_MEASURED,
                    "Condition": {"StringEqualsIfExists": {"kms:RecipientAttestation:ImageSha384": "5c2f" * 24}},
                }
            ),
            examples_aws.VERIFIER,
        ),
        _aws(
            "A grant, which asks for nothing.",
            _key(_MEASURED),
            ExampleResource(
                "aws:kms/grant:Grant", "hand-over", {"region": examples_aws.LOCATION, "operations": ["Decrypt"]}
            ),
        ),
        _aws("A policy that cannot be read.", examples.but(examples_aws.KEY, {"policy": "allow"})),
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


def _strict_condition(resource: Resource, _: Declared) -> Iterator[Finding]:
    documents = vocabulary.release_documents_of(resource) if resource.package == "gcp" else ()
    if not documents:
        raise NotApplicable("lets nobody into a workload identity pool")
    for document in documents:
        path = document.property.path
        if not document.property.stated:
            yield Finding(path, "is not stated, so that every token of the issuer is believed", "a condition")
            return
        try:
            yield from _found(path, document.read(), *_REFUSED_BY_GOOGLE)
        except MalformedDocument as error:
            yield _unreadable(path, error)


_CONDITIONS = (
    'assertion.swname == "CONFIDENTIAL_SPACE"',
    'assertion.hwmodel in ["GCP_INTEL_TDX"]',
    '"STABLE" in assertion.submods.confidential_space.support_attributes',
    'assertion.dbgstat == "disabled-since-boot"',
    '"inference@bailiwick-emulated.iam.gserviceaccount.com" in assertion.google_service_accounts',
    'assertion.submods.gce.zone == "europe-west3-a"',
)


def _provider(*conditions: str) -> ExampleResource:
    return ExampleResource(
        "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
        "attested",
        {
            "workloadIdentityPoolId": "guests",
            "workloadIdentityPoolProviderId": "verifier",
            "attributeCondition": " && ".join(conditions),
            "attributeMapping": {
                "google.subject": "assertion.sub",
                "attribute.image_digest": "assertion.submods.container.image_digest",
            },
            "oidc": {"issuerUri": "https://confidentialcomputing.googleapis.com"},
        },
    )


def _google(says: str, resource: ExampleResource) -> Example:
    return Example(says, (resource,), examples_gcp.CONFIG)


REL_05 = Rule(
    id="REL-05",
    title="A workload identity pool believes production guests on confidential hardware only",
    why="A pool without a condition gives Google's permissions to every token of the issuer, debug images included.",
    severity=Severity.CRITICAL,
    remediation="compile the condition with components.release: software, hardware, support, debug status",
    confirm="that the exchange of tokens, a worldwide service of Google's, may see who asks for a key.",
    home="gcp",
    check=_strict_condition,
    passing=_google("Production guests of Confidential Space on TDX.", _provider(*_CONDITIONS)),
    failing=(
        _google("Every token of the issuer.", examples.but(_provider(*_CONDITIONS), {"attributeCondition": None})),
        _google("Debug images too.", _provider(*_CONDITIONS[:3], *_CONDITIONS[4:])),
        _google("Any hardware.", _provider(_CONDITIONS[0], *_CONDITIONS[2:])),
        _google("Any software.", _provider(*_CONDITIONS[1:])),
        _google(
            "An alternative that asks for less.",
            _provider(*_CONDITIONS[:3], "true || " + _CONDITIONS[3], *_CONDITIONS[4:]),
        ),
        _google("Anywhere in the world.", _provider(*_CONDITIONS[:5])),
        _google("A condition that cannot be read.", _provider("assertion.swname ==")),
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
        try:
            yield from _found(document.property.path, document.read(), *_REFUSED_BY_BROKER)
        except MalformedDocument as error:
            yield _unreadable(document.property.path, error)


_COMPILED = kbs.compile_policies(
    {
        "default/model-key/llm": ReleasePolicy(
            jurisdiction="DE",
            data_class="confidential",
            tees=(Tee.SNP,),
            launch_measurements=("5c2f" * 24,),
            minimum_tcb=MinimumTcb(bootloader=4, tee=0, snp=22, microcode=213),
            authorities=(Authority(uri="https://verifier.example.internal", jurisdiction="DE"),),
        )
    }
).document["policy"]


def _broker(says: str, rego: str) -> Example:
    policy = ExampleResource(
        "kubernetes:core/v1:ConfigMap",
        "resource-policy",
        {"metadata": {"namespace": "verifier", "name": "resource-policy"}, "data": {"policy.rego": rego}},
    )
    return Example(says, (policy,), examples_kubernetes.CONFIG)


REL_06 = Rule(
    id="REL-06",
    title="The Key Broker Service has a policy of its own for each key, and neither its built-in one nor none",
    why="The built-in policy lets every affirmed guest have every key; the sample lets everybody.",
    severity=Severity.CRITICAL,
    remediation="compile the resource policy with components.release.kbs",
    confirm="that the broker reads this ConfigMap, and that its administrators may not replace the policy at run time.",
    home="kubernetes",
    check=_own_policy,
    passing=_broker("A rule for one key, as components.release compiles it.", _COMPILED),
    failing=(
        _broker("Everybody.", "package policy\n\ndefault allow = true\n"),
        _broker(
            "What the broker comes with: whoever is not contraindicated.",
            "package policy\n\nimport rego.v1\n\ndefault allow = false\n\nallow if {\n"
            '  input["submods"]["cpu0"]["ear.status"] == "affirming"\n}\n',
        ),
        _broker("Debugging is not refused.", _COMPILED.replace("policy.debug_allowed == false", "vmpl == 0")),
        _broker("A policy that cannot be read.", "package policy\n\nallow if {"),
    ),
)

RULES = (REL_04, REL_05, REL_06)
