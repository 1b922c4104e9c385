"""Google Cloud's managed models: what they run on, who may call them, and what is written down of a call."""

from collections.abc import Iterator

from policies.conditions import OneOf
from policies.subject import Property, Resource
from policies.terms import Setting, Unwanted

_ENDPOINT = "gcp:vertex:AiEndpoint"
_GARDEN = "gcp:vertex:AiEndpointWithModelGardenDeployment"
_API_KEY = "gcp:projects:ApiKey"
_HARDWARE = "a model on machines of the cloud, which prove nothing to the stack's verifier"


def managed_models(resource: Resource) -> Iterator[Unwanted]:
    """Models that Vertex AI runs on machines of its own."""
    if resource.type in {_ENDPOINT, _GARDEN}:
        yield Unwanted(Property("type", resource.type), _HARDWARE)


def callers(resource: Resource) -> Iterator[Unwanted]:
    """Who holds an API key is a caller without an identity."""
    if resource.type == _API_KEY:
        yield Unwanted(Property("type", resource.type), "a key that stands for whoever holds it")


def content_logs(resource: Resource) -> Iterator[Setting]:
    """Vertex AI can write requests and answers to BigQuery."""
    if resource.type == _ENDPOINT:
        logged = resource.props.at("predictRequestResponseLoggingConfig", "enabled")
        yield Setting(logged, OneOf((False,)), unless_stated=True)
