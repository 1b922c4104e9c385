"""AWS's managed models: what they run on, who may call them, and what is written down of a call."""

from collections.abc import Iterator

from policies.conditions import Matching, OneOf
from policies.subject import Property, Resource
from policies.terms import Setting, Unwanted

_SAGEMAKER = "aws:sagemaker:EndpointConfiguration"
_MODELS = frozenset({_SAGEMAKER, "aws:bedrock:ProvisionedModelThroughput", "aws:bedrock:InferenceProfile"})
_BEDROCK_LOG = "aws:bedrockmodel:InvocationLoggingConfiguration"
_METHOD = "aws:apigateway:Method"
_METHOD_LOG = "aws:apigateway:MethodSettings"
_ROUTE = "aws:apigatewayv2:Route"
_FUNCTION_URL = "aws:lambda:FunctionUrl"
_DELIVERIES = ("textDataDeliveryEnabled", "imageDataDeliveryEnabled", "embeddingDataDeliveryEnabled")
_PROFILE = "aws:bedrock:InferenceProfile"
_AGENT = "aws:bedrock:AgentAgent"
_FOUNDATION = Matching(
    r"arn:[a-z-]+:bedrock:[a-z0-9-]+::foundation-model/\S+",
    "a foundation model of one region (arn:…:foundation-model/…)",
)
_ONE_REGION = Matching(
    r"(?!(global|us|us-gov|eu|apac|jp|au|ca)\.)[a-z0-9-]+\.\S+", "a model, not a profile of several regions"
)
_HARDWARE = "a model on machines of the cloud, which prove nothing to the stack's verifier"


def managed_models(resource: Resource) -> Iterator[Unwanted]:
    """Models that SageMaker and Bedrock run on machines of their own."""
    if resource.type in _MODELS:
        yield Unwanted(Property("type", resource.type), _HARDWARE)


def model_deployment(resource: Resource) -> Setting | None:
    """That a model is computed in one region: an inference profile may send each prompt to another."""
    if resource.type == _PROFILE:
        return Setting(resource.props.at("modelSource", "copyFrom"), _FOUNDATION)
    if resource.type == _AGENT:
        return Setting(resource.props.at("foundationModel"), _ONE_REGION)
    return None


def callers(resource: Resource) -> Iterator[Setting]:
    """That callers of an API prove who they are."""
    if resource.type == _METHOD:
        identities = OneOf(("AWS_IAM", "COGNITO_USER_POOLS", "CUSTOM"))
        yield Setting(resource.props.at("authorization"), identities, ("NONE",))
    elif resource.type == _ROUTE:
        yield Setting(resource.props.at("authorizationType"), OneOf(("JWT", "AWS_IAM", "CUSTOM")), ("NONE",))
    elif resource.type == _FUNCTION_URL:
        yield Setting(resource.props.at("authorizationType"), OneOf(("AWS_IAM",)), ("NONE",))


def content_logs(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What would write requests and answers down."""
    if resource.type == _BEDROCK_LOG:
        for delivery in _DELIVERIES:
            yield Setting(resource.props.at("loggingConfig", delivery), OneOf((False,)))
    elif resource.type == _SAGEMAKER:
        capture = resource.props.at("dataCaptureConfig", "enableCapture")
        yield Setting(capture, OneOf((False,)), unless_stated=True)
    elif resource.type == _METHOD_LOG:
        yield Setting(resource.props.at("settings", "dataTraceEnabled"), OneOf((False,)), unless_stated=True)
