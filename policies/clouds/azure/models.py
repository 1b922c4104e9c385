"""Azure's managed models: what they run on, who may call them, and what is written down of a call."""

from collections.abc import Iterator

from policies.conditions import Exactly, Matching, OneOf
from policies.subject import Property, Resource
from policies.terms import Setting, Unwanted

_ACCOUNT = "azure-native:cognitiveservices:Account"
_DEPLOYMENT = "azure-native:cognitiveservices:Deployment"
_ML_ENDPOINTS = frozenset(
    f"azure-native:machinelearningservices:{kind}" for kind in ("OnlineEndpoint", "ServerlessEndpoint", "BatchEndpoint")
)
_SEARCH = "azure-native:search:Service"
_APIM_POLICY = "azure-native:apimanagement:ApiPolicy"
_APIM_LOGS = frozenset({"azure-native:apimanagement:Diagnostic", "azure-native:apimanagement:ApiDiagnostic"})
_CHECKS_TOKEN = Matching(
    r"(?s).*<validate-(?:jwt|azure-ad-token)\b.*",
    "a policy that checks a token: validate-azure-ad-token or validate-jwt",
)
_NO_BODY = Exactly(0, "bytes of a body")
_HARDWARE = "a model on machines of the cloud, which prove nothing to the stack's verifier"


def managed_models(resource: Resource) -> Iterator[Unwanted]:
    """Models that Azure runs on machines of its own."""
    if resource.type == _DEPLOYMENT or resource.type in _ML_ENDPOINTS:
        yield Unwanted(Property("type", resource.type), _HARDWARE)


def callers(resource: Resource) -> Iterator[Setting | Unwanted]:
    """That callers of a model prove who they are to Microsoft Entra ID, and that no key will do instead."""
    if resource.type == _ACCOUNT:
        yield Setting(resource.props.at("properties", "disableLocalAuth"), OneOf((True,)))
    elif resource.type == _SEARCH:
        yield Setting(resource.props.at("disableLocalAuth"), OneOf((True,)))
    elif resource.type in _ML_ENDPOINTS:
        yield Setting(resource.props.at("properties", "authMode"), OneOf(("AADToken",)), ("Key", "AMLToken"))
    elif resource.type == _APIM_POLICY:
        yield Setting(resource.props.at("value"), _CHECKS_TOKEN)


def content_logs(resource: Resource) -> Iterator[Setting]:
    """What API Management writes down of requests and answers; for an API, nothing stated is what the service says."""
    if resource.type not in _APIM_LOGS:
        return
    for side in ("frontend", "backend"):
        for message in ("request", "response"):
            body = resource.props.at(side, message, "body", "bytes")
            yield Setting(body, _NO_BODY, unless_stated=True)
