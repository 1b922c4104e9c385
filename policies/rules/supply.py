"""SUP: what runs was built and signed by whom it should be."""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from pulumi_policy import Severity

from policies import examples, vocabulary
from policies.conditions import Matching
from policies.context import Declared
from policies.examples import but, kubernetes
from policies.rule import Example, ExampleResource, Rule
from policies.subject import Property, Resource, Stack
from policies.terms import ModelSource, ProvenanceDemand, Setting
from policies.verdict import Finding, NotApplicable, require, unknown

_SHA256 = Matching(r"sha256:[0-9a-f]{64}", "a digest (sha256:…)")


def _signed_models(resource: Resource, _: Declared) -> Iterator[Finding]:
    sources = [*vocabulary.model_sources_of(resource), *_behind_gateway(resource)]
    if not sources:
        raise NotApplicable("takes no model that its own program could change")
    for source in sources:
        yield from require(source.digest)
        if not source.signature.stated:
            yield Finding(
                source.signature.path, "is not stated, so that nobody checks the model's signature", "a check"
            )


def _behind_gateway(resource: Resource) -> Iterator[ModelSource]:
    if vocabulary.is_gateway(resource):
        for model in resource.props.at("models").items():
            weights = model.at("weights")
            yield ModelSource(Setting(weights.at("digest"), _SHA256), weights.at("signer"))


_CONFIG = kubernetes.CONFIG
_MODEL_PODS = but(
    kubernetes.PODS,
    {
        "spec.template.metadata": {"labels": {"validation.ml.sigstore.dev/ml": "llm"}},
        "spec.template.spec.volumes": [
            {"name": "model", "image": {"reference": f"registry.example.org/models/llm@sha256:{'0b6d' * 16}"}}
        ],
    },
)
_VOLUME = "spec.template.spec.volumes.0.image.reference"
_GATEWAY = but(examples.GATEWAY, {}, type="bailiwick:index:KubernetesModelGateway")

SUP_01 = Rule(
    id="SUP-01",
    title="Models are pinned by digest, and their signature is checked before they are served",
    why="Whoever exchanges the weights decides what the model answers, and no attestation of the machine shows it.",
    severity=Severity.HIGH,
    remediation="name the model by digest, and label the pods with the ModelValidation that checks its signature",
    confirm="that the ModelValidation names the identity that signs your models, and that its operator runs.",
    home="kubernetes",
    check=_signed_models,
    passing=Example("A model by digest, checked before the containers start.", (_MODEL_PODS, _GATEWAY), _CONFIG),
    failing=(
        Example(
            "A model by its tag.",
            (but(_MODEL_PODS, {_VOLUME: "registry.example.org/models/llm:latest"}),),
            _CONFIG,
        ),
        Example(
            "A model whose signature nobody checks.", (but(_MODEL_PODS, {"spec.template.metadata": None}),), _CONFIG
        ),
        Example(
            "KServe, and whatever a hub has today.",
            (
                ExampleResource(
                    "kubernetes:serving.kserve.io/v1beta1:InferenceService",
                    "llm",
                    {"spec": {"predictor": {"model": {"storageUri": "hf://example/llm"}}}},
                ),
            ),
            _CONFIG,
        ),
        Example(
            "A model behind the gateway that nobody has signed.",
            (but(_GATEWAY, {"models.0.weights.signer": None}),),
            _CONFIG,
        ),
    ),
)


def _built_where_it_should_be(stack: Stack, declared: Declared) -> Iterator[Finding]:
    images = [(one, image) for one in stack.resources for image in vocabulary.container_images_of(one)]
    if not images or declared.cloud.provider != "kubernetes":
        raise NotApplicable("the stack starts no containers in a cluster")
    demands = [(one, demand) for one in stack.resources for demand in vocabulary.provenance_demands_of(one)]
    if declared.emulated and not demands:
        raise NotApplicable("an emulated cluster starts nothing that somebody built")
    shortcomings = [(demand, list(_shortcomings(one, demand))) for one, demand in demands]
    for _, findings in shortcomings:
        yield from findings
    patterns = [pattern for demand, findings in shortcomings if not findings for pattern in demand.images]
    for resource, image in images:
        if image.unknown:
            yield unknown(image.path, on=resource)
        elif not any(_matches(pattern, image.text or "") for pattern in patterns):
            yield from (unknown(pattern.path, on=resource) for pattern in patterns if pattern.unknown)
            found = "is an image whose provenance nothing in this stack asks for"
            yield Finding(image.path, found, "a policy of the cluster that demands SLSA provenance", resource)


def _shortcomings(resource: Resource, demand: ProvenanceDemand) -> Iterator[Finding]:
    for setting in demand.settings:
        yield from require(setting, resource)


def _matches(pattern: Property, image: str) -> bool:
    return not pattern.unknown and fnmatchcase(image, (pattern.text or "").replace("**", "*"))


_POLICY = ExampleResource(
    "kubernetes:policy.sigstore.dev/v1beta1:ClusterImagePolicy",
    "provenance",
    {
        "metadata": {"name": "provenance"},
        "spec": {
            "mode": "enforce",
            "images": [{"glob": "registry.example.org/**"}],
            "authorities": [
                {
                    "keyless": {
                        "identities": [
                            {
                                "issuer": "https://ci.example.org",
                                "subject": "https://git.example.org/team/inference/.ci/build.yaml@refs/heads/main",
                            }
                        ]
                    },
                    "attestations": [{"name": "slsa", "predicateType": "https://slsa.dev/provenance/v1"}],
                }
            ],
        },
    },
)
_AUTHORITY = "spec.authorities.0"

SUP_02 = Rule(
    id="SUP-02",
    title="Containers start only with SLSA provenance from a builder that is named",
    why="A digest says that it is the same image; provenance says which source it was built from, and by whom.",
    severity=Severity.HIGH,
    remediation="add a policy of the cluster that demands, and enforces, SLSA provenance of your builder",
    confirm="that the controller that enforces the policy runs, and that nobody may switch it off.",
    home="kubernetes",
    check_stack=_built_where_it_should_be,
    passing=Example("Pods, and a policy that asks for the build of their images.", (kubernetes.PODS, _POLICY), _CONFIG),
    failing=(
        Example(
            "Pods of which nobody asks who built them.",
            (kubernetes.PODS,),
            {**_CONFIG, "emulated": "false", "cluster": "production"},
        ),
        Example("A policy that warns.", (kubernetes.PODS, but(_POLICY, {"spec.mode": "warn"})), _CONFIG),
        Example(
            "A signature, and not provenance.",
            (
                kubernetes.PODS,
                but(_POLICY, {f"{_AUTHORITY}.attestations.0.predicateType": "https://spdx.dev/Document"}),
            ),
            _CONFIG,
        ),
        Example(
            "Any builder.",
            (
                kubernetes.PODS,
                but(
                    _POLICY,
                    {f"{_AUTHORITY}.keyless.identities": [{"issuer": "https://ci.example.org", "subjectRegExp": ".*"}]},
                ),
            ),
            _CONFIG,
        ),
        Example(
            "A policy for other images.",
            (kubernetes.PODS, but(_POLICY, {"spec.images.0.glob": "registry.example.com/**"})),
            _CONFIG,
        ),
    ),
)

RULES = (SUP_01, SUP_02)
