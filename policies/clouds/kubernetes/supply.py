"""What a cluster asks of images and models before it starts them.

Sigstore's policy controller (ClusterImagePolicy, policy.sigstore.dev) and Kyverno (ClusterPolicy, kyverno.io) check
provenance; Sigstore's model validation operator (ModelValidation, ml.sigstore.dev) checks models.
"""

from collections.abc import Iterator

from policies.clouds.kubernetes.pods import INFERENCE, pods_of
from policies.conditions import Matching, OneOf
from policies.subject import Property, Resource
from policies.terms import ModelSource, ProvenanceDemand, Setting

_IMAGE_POLICY = "kubernetes:policy.sigstore.dev:ClusterImagePolicy"
_KYVERNO = "kubernetes:kyverno.io:ClusterPolicy"
_MODEL_CHECK = "validation.ml.sigstore.dev/ml"
"""Label that names the ModelValidation by which a pod's model is checked before its containers start."""
_DIGEST = Matching(r"[^@\s]+@sha256:[0-9a-f]{64}", "a model by digest (…@sha256:…)")
_PROVENANCE = OneOf(("slsaprovenance", "slsaprovenance02", "slsaprovenance1", "https://slsa.dev/provenance/v1"))
_SOMEBODY = Matching(r"(?!\.?\*$|\.\+$)\S+", "the build's own identity, not a pattern that anybody matches")


def model_sources(resource: Resource) -> Iterator[ModelSource]:
    """The models that pods mount as images, and those that KServe fetches for them."""
    if resource.type == INFERENCE:
        model = resource.props.at("spec", "predictor", "model", "storageUri")
        yield ModelSource(Setting(model, _DIGEST), resource.props.at("metadata", "labels", _MODEL_CHECK))
        return
    for volume in (one for pod in pods_of(resource) for one in pod.at("volumes").items()):
        if volume.at("image").stated:
            label = _labels(resource).at(_MODEL_CHECK)
            yield ModelSource(Setting(volume.at("image", "reference"), _DIGEST), label)


def _labels(resource: Resource) -> Property:
    template = resource.props.at("spec", "template", "metadata")
    return (template if template.stated else resource.props.at("metadata")).at("labels")


def provenance_demands(resource: Resource) -> Iterator[ProvenanceDemand]:
    """What has to be proved of an image's build before the cluster starts it."""
    if resource.type == _IMAGE_POLICY:
        spec = resource.props.at("spec")
        enforced = Setting(spec.at("mode"), OneOf(("enforce",)), ("warn",), unless_stated=True)
        for authority in spec.at("authorities").items():
            images = tuple(one.at("glob") for one in spec.at("images").items())
            for attestation in authority.at("attestations").items():
                kind = Setting(attestation.at("predicateType"), _PROVENANCE)
                identities = authority.at("keyless", "identities").items()
                yield ProvenanceDemand((enforced, kind, *_sigstore(authority, identities)), images)
    elif resource.type == _KYVERNO:
        for rule in resource.props.at("spec", "rules").items():
            for check in rule.at("verifyImages").items():
                yield from _kyverno(resource.props.at("spec"), check)


def _sigstore(authority: Property, identities: tuple[Property, ...]) -> Iterator[Setting]:
    """A key of one's own, or identities whose issuer and subject are both stated."""
    if authority.at("key").stated:
        return
    for identity in identities or (authority.at("keyless", "identities"),):
        for plain, pattern in (("issuer", "issuerRegExp"), ("subject", "subjectRegExp")):
            stated = identity.at(pattern) if identity.stated and identity.at(pattern).stated else identity.at(plain)
            yield Setting(stated, _SOMEBODY)


def _kyverno(spec: Property, check: Property) -> Iterator[ProvenanceDemand]:
    action = check.at("failureAction")
    enforced = Setting(action if action.stated else spec.at("validationFailureAction"), OneOf(("Enforce",)), ("Audit",))
    for attestation in check.at("attestations").items():
        kind = Setting(attestation.at("type"), _PROVENANCE)
        entries = [
            entry for attestor in attestation.at("attestors").items() for entry in attestor.at("entries").items()
        ]
        signers = [
            Setting(entry.at("keyless", key), _SOMEBODY)
            for entry in entries
            if not entry.at("keys").stated
            for key in ("issuer", "subject")
        ]
        nobody = () if entries else (Setting(attestation.at("attestors"), _SOMEBODY),)
        images = check.at("imageReferences").items()
        yield ProvenanceDemand((enforced, kind, *signers, *nobody), images)
