"""Where a cluster is, labels, and records."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from policies.clouds.kubernetes.pods import containers_of
from policies.conditions import Matching, OneOf, is_private
from policies.context import Declared
from policies.subject import Property, Resource
from policies.terms import AuditStream, LogSink, RecordStore, Reference, Setting, Unwanted

_CLAIM = "kubernetes:core:PersistentVolumeClaim"
_WRITERS = frozenset({"kubernetes:apps:Deployment", "kubernetes:apps:StatefulSet"})
_EXPORTERS = frozenset(
    f"OTEL_EXPORTER_OTLP_{signal}ENDPOINT" for signal in ("", "TRACES_", "METRICS_", "LOGS_", "PROFILES_")
)
_SERVICE_NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+(\.svc(\.cluster\.local)?)?)?")
_RETENTION = "bailiwick.dev/retention-days"
_HALF_A_YEAR = Matching(r"18[3-9]|19\d|[2-9]\d\d|\d{4,5}", "at least 183 days")


def locations(_: Resource) -> tuple[Property, ...]:
    """A cluster is in one place, which its provider leads to: RES-03 judges that."""
    return ()


def provider_settings(props: Property, declared: Declared) -> Iterator[Setting | Unwanted]:
    """What a provider must say to lead to the declared cluster, and not to whichever one is current."""
    yield Unwanted(props.at("cluster"), "a way to another cluster than the context's")
    if declared.account is not None:
        yield Setting(props.at("context"), OneOf((declared.account,)))


def tags(resource: Resource) -> Property | None:
    """The labels of `resource`."""
    metadata = resource.props.at("metadata")
    return metadata.at("labels") if metadata.stated else None


def record_store(resource: Resource) -> RecordStore | None:
    """`resource` as a volume of records: how long it keeps them is what its annotation promises."""
    if resource.type != _CLAIM:
        return None
    kept = resource.props.at("metadata", "annotations", _RETENTION)
    return RecordStore((Setting(kept, _HALF_A_YEAR),)) if kept.stated else None


def audit_stream(resource: Resource) -> AuditStream | None:
    """`resource` as a writer of records: the verifier's log goes to a volume, each entry chained to those before it."""
    if resource.type not in _WRITERS:
        return None
    volumes = resource.props.at("spec", "template", "spec", "volumes")
    writes = any(one.at("persistentVolumeClaim").stated for one in volumes.items())
    if not writes:
        return None
    spec = resource.props.at("spec")
    running = Setting(spec.at("paused"), OneOf((False,)), unless_stated=True)
    return AuditStream(observed=Reference(spec, "spec"), store=Reference(spec, "spec"), enabled=(running,))


def log_sinks(resource: Resource) -> Iterator[LogSink]:
    """Where containers send records, metrics and traces, by OpenTelemetry's environment variables."""
    for container in containers_of(resource):
        for variable in container.at("env").items():
            if (variable.at("name").text or "") in _EXPORTERS:
                value = variable.at("value")
                yield LogSink(value, "spec", inside=not value.unknown and in_cluster(value.text or ""))


@dataclass(frozen=True, slots=True)
class InCluster:
    """An address that leads no further than the cluster and its private network."""

    allowed: str = "a service of the cluster, or a private address"

    def holds(self, value: object) -> bool:
        return isinstance(value, str) and in_cluster(value)


def in_cluster(url: str) -> bool:
    """Whether `url` names a service of the cluster, or a private address."""
    try:
        host = urlsplit(url if "://" in url else f"//{url}").hostname or ""
        private = is_private(host)
    except ValueError:
        return False
    return private or host == "localhost" or bool(_SERVICE_NAME.fullmatch(host))
