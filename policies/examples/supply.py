"""Examples of where images, models, records and keys are, for AWS and Kubernetes."""

from collections.abc import Mapping
from typing import Any, Final

from policies.examples import aws, kubernetes
from policies.examples.common import but, registries
from policies.examples.components import workload_told
from policies.rule import Covered, Example, ExampleResource

_SPEC: Final = "spec.template.spec"
_REGION: Final = "eu-west-1"


def _aws(says: str, *resources: ExampleResource, **others: str) -> Example:
    return Example(says, resources, {**aws.CONFIG, **others})


def _kubernetes(says: str, *resources: ExampleResource, **others: str) -> Example:
    return Example(says, resources, {**kubernetes.CONFIG, **others})


_CACHE = ExampleResource(
    "aws:ecr/pullThroughCacheRule:PullThroughCacheRule",
    "hub",
    {"region": _REGION, "ecrRepositoryPrefix": "hub", "upstreamRegistryUrl": "registry-1.docker.io"},
)
_COPY = ExampleResource(
    "aws:ec2/amiCopy:AmiCopy",
    "guest",
    {"region": _REGION, "sourceAmiId": "ami-0123456789abcdef0", "sourceAmiRegion": _REGION},
)
_SUBSCRIPTION = ExampleResource(
    "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter",
    "to-collector",
    {"region": _REGION, "destinationArn": f"arn:aws:logs:{_REGION}:000000000000:destination:collector"},
)
_ENDPOINT = ExampleResource(
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
    "chat",
    {"region": _REGION, "dataCaptureConfig": {"enableCapture": False}},
)
_MODELS = ExampleResource("aws:s3/bucket:Bucket", "models", {"region": _REGION, "bucket": "models"})
_TOLD = but(aws.VM, {"userData": workload_told("models")})
_OWN_KEY = but(aws.KEY, {"customKeyStoreId": "cks-0123456789abcdef0", "multiRegion": False})
_ENCRYPTED_VM = but(aws.VM, {"rootBlockDevice": {"kmsKeyId": f"arn:aws:kms:{_REGION}:000000000000:key/1"}})

AWS: Final[Mapping[str, Covered]] = {
    "RES-08": Covered(
        _aws(
            "An image that was copied within the region, and a model of the stack's own bucket.", _COPY, _TOLD, _MODELS
        ),
        (
            _aws("An image from Virginia.", but(_COPY, {"sourceAmiRegion": "us-east-1"})),
            _aws("A cache of a registry elsewhere.", _CACHE),
            _aws(
                "A task with a container of a public registry.",
                ExampleResource(
                    "aws:ecs/taskDefinition:TaskDefinition",
                    "front",
                    {"containerDefinitions": '[{"name": "front", "image": "nginx:1.29"}]'},
                ),
            ),
            _aws("A model of somebody else's bucket.", _TOLD),
        ),
    ),
    "RES-09": Covered(
        _aws(
            "Records go to a bucket of the stack, and to a collector in the region.",
            aws.BUCKET,
            aws.TRAIL,
            _SUBSCRIPTION,
        ),
        (
            _aws(
                "A collector in Virginia.",
                but(_SUBSCRIPTION, {"destinationArn": "arn:aws:logs:us-east-1:000000000000:destination:collector"}),
            ),
            _aws("A bucket of another stack.", but(aws.TRAIL, {}, uses={})),
            _aws(
                "A copy at another service.",
                ExampleResource(
                    "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
                    "out",
                    {"region": _REGION, "httpEndpointConfiguration": {"url": "https://intake.example.com"}},
                ),
            ),
        ),
    ),
    "KEY-02": Covered(
        _aws(
            "Confidential data under keys of a key store of one's own, and of a key manager outside AWS.",
            _OWN_KEY,
            but(_OWN_KEY, {"customKeyStoreId": None, "xksKeyId": "disks"}, name="outside"),
            _ENCRYPTED_VM,
        ),
        (
            _aws("A disk under AWS's key.", aws.VM),
            _aws(
                "Disks under AWS's key, of machines of a template.",
                but(aws.TEMPLATE, {"blockDeviceMappings": [{"ebs": {"encrypted": "true"}}]}),
            ),
            _aws(
                "A queue under AWS's key.",
                ExampleResource("aws:sqs/queue:Queue", "calls", {"region": aws.LOCATION}),
            ),
            _aws("Confidential data under a key of AWS KMS's shared HSMs.", aws.KEY),
        ),
    ),
    "KEY-09": Covered(
        _aws("A key and a machine in Ireland.", but(aws.KEY, {"multiRegion": False}), aws.VM),
        (
            _aws("A key of several regions.", but(aws.KEY, {"multiRegion": True}), aws.VM),
            _aws(
                "Keys in Germany for machines in Ireland.",
                but(aws.KEY, {"region": "eu-central-1"}),
                aws.VM,
            ),
            _aws(
                "A copy of a key.",
                ExampleResource("aws:kms/replicaKey:ReplicaKey", "copy", {"region": "eu-central-1"}),
                aws.VM,
            ),
        ),
    ),
    "LOG-02": Covered(
        _aws("An endpoint that captures nothing.", _ENDPOINT),
        (
            _aws("An endpoint that captures what is said.", but(_ENDPOINT, {"dataCaptureConfig.enableCapture": True})),
            _aws(
                "Prompts and answers in a log.",
                ExampleResource(
                    "aws:bedrockmodel/invocationLoggingConfiguration:InvocationLoggingConfiguration",
                    "log",
                    {"region": _REGION, "loggingConfig": {"textDataDeliveryEnabled": True}},
                ),
            ),
        ),
    ),
}

_REGISTRIES: Final = {"registries": registries()}


def _telling(name: str, value: str) -> ExampleResource:
    """Pods whose container has one environment variable."""
    variables: list[dict[str, Any]] = [{"name": name, "value": value}]
    return but(kubernetes.PODS, {f"{_SPEC}.containers.0.env": variables})


_EXPORTER: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_CAPTURE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

KUBERNETES: Final[Mapping[str, Covered]] = {
    "RES-08": Covered(
        _kubernetes("An image of a registry that is in the jurisdiction.", kubernetes.PODS, **_REGISTRIES),
        (
            _kubernetes("A registry that nobody has placed.", kubernetes.PODS),
            _kubernetes(
                "An image of a public registry.",
                but(kubernetes.PODS, {f"{_SPEC}.containers.0.image": f"python@sha256:{'5f8c' * 16}"}),
                **_REGISTRIES,
            ),
        ),
    ),
    "RES-09": Covered(
        _kubernetes(
            "Traces go to a collector of the cluster.", _telling(_EXPORTER, "http://collector.traces.svc:4317")
        ),
        (
            _kubernetes("Traces go to a service elsewhere.", _telling(_EXPORTER, "https://otlp.example.com")),
            _kubernetes("Traces go to a public address.", _telling(_EXPORTER, "http://203.0.113.7:4317")),
        ),
    ),
    "LOG-02": Covered(
        _kubernetes("A server that traces calls and no content.", _telling(_CAPTURE, "false")),
        (
            _kubernetes("A server that traces what is said.", _telling(_CAPTURE, "true")),
            _kubernetes(
                "A key in the environment.",
                but(
                    kubernetes.PODS,
                    {
                        f"{_SPEC}.containers.0.env": [
                            {"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "llm", "key": "key"}}}
                        ]
                    },
                ),
            ),
            _kubernetes(
                "A server that logs requests.",
                but(kubernetes.PODS, {f"{_SPEC}.containers.0.args": ["--enable-log-requests"]}),
            ),
        ),
    ),
}
