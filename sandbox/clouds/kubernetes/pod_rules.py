"""Pod specs: what the API server's validation asks of them, alone or as a template of a workload."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sandbox.clouds.kubernetes import api, metadata
from sandbox.clouds.resource import Request
from sandbox.values import Value

_RESTART_ALWAYS: Final = frozenset({"deployments.apps", "statefulsets.apps", "daemonsets.apps", "replicasets.apps"})
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS: Final = ("exec", "grpc", "httpGet", "tcpSocket")

Spec = Mapping[str, Any]


def template_path(resource: str) -> str:
    """Where the pod spec of a kind lies; '' for a kind that makes no pods."""
    return {
        "pods": "spec",
        "cronjobs.batch": "spec.jobTemplate.spec.template.spec",
        **dict.fromkeys((*_RESTART_ALWAYS, "jobs.batch"), "spec.template.spec"),
    }.get(resource, "")


def judge(request: Request) -> None:
    """The pod spec of a pod or a workload."""
    path = template_path(request.type.kind)
    spec = request.inputs[path]
    if path != "spec":
        around = request.inputs[path.removesuffix(".spec")]
        metadata.judge_labels(request, f"{path.removesuffix('.spec')}.metadata", around.get("metadata") or {})
        _judge_restart(request, path, spec)
    containers = spec.get("containers")
    if not containers:
        raise api.invalid(request, f"{path}.containers", "Required value")
    volumes = spec.get("volumes") or ()
    _judge_names(request, f"{path}.volumes", volumes)
    names: list[Spec] = []
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field) or ()):
            _judge_container(request, f"{path}.{field}[{index}]", container, [each.get("name") for each in volumes])
            names.append(container)
    _judge_names(request, f"{path}.containers", names)
    one_of(request, f"{path}.restartPolicy", spec.get("restartPolicy"), ("Always", "Never", "OnFailure"))
    one_of(
        request,
        f"{path}.dnsPolicy",
        spec.get("dnsPolicy"),
        ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    )
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        where = f"{path}.topologySpreadConstraints[{index}]"
        one_of(
            request,
            f"{where}.whenUnsatisfiable",
            constraint.get("whenUnsatisfiable"),
            ("DoNotSchedule", "ScheduleAnyway"),
        )
        if isinstance(constraint.get("maxSkew"), int | float) and constraint["maxSkew"] < 1:
            raise api.invalid_value(request, f"{where}.maxSkew", constraint["maxSkew"], "must be greater than zero")


def _judge_restart(request: Request, path: str, spec: Spec) -> None:
    if request.type.kind in _RESTART_ALWAYS:
        one_of(request, f"{path}.restartPolicy", spec.get("restartPolicy"), ("Always",))
    elif request.type.kind == "jobs.batch" and spec.get("restartPolicy") not in ("Never", "OnFailure"):
        raise api.invalid(request, f"{path}.restartPolicy", 'Required value: valid values: "OnFailure", "Never"')


def _judge_names(request: Request, path: str, items: Iterable[Spec]) -> None:
    seen: set[str] = set()
    for index, item in enumerate(items):
        name = item["name"]
        if not api.is_dns_label(name):
            raise api.invalid_value(
                request,
                f"{path}[{index}].name",
                name,
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start"
                " and end with an alphanumeric character",
            )
        if name in seen:
            raise api.invalid(request, f"{path}[{index}].name", f'Duplicate value: "{name}"')
        seen.add(name)


def _judge_container(request: Request, path: str, container: Spec, volumes: list[Value]) -> None:
    if not container.get("image"):
        raise api.invalid(request, f"{path}.image", "Required value")
    one_of(request, f"{path}.imagePullPolicy", container.get("imagePullPolicy"), ("Always", "IfNotPresent", "Never"))
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        if mount["name"] not in volumes:
            raise api.invalid(request, f"{path}.volumeMounts[{index}].name", f'Not found: "{mount["name"]}"')
    for index, port in enumerate(container.get("ports") or ()):
        judge_port(request, f"{path}.ports[{index}].containerPort", port.get("containerPort"))
        one_of(request, f"{path}.ports[{index}].protocol", port.get("protocol"), ("SCTP", "TCP", "UDP"))
    _judge_resources(request, f"{path}.resources", container.get("resources") or {})
    for probe in _PROBES:
        handlers = [handler for handler in _HANDLERS if (container.get(probe) or {}).get(handler) is not None]
        if container.get(probe) is not None and not handlers:
            raise api.invalid(request, f"{path}.{probe}", "Required value: must specify a handler type")
        if len(handlers) > 1:
            raise api.invalid(
                request, f"{path}.{probe}.{handlers[1]}", "Forbidden: may not specify more than 1 handler type"
            )


def judge_port(request: Request, path: str, value: Value) -> None:
    """A port number."""
    if isinstance(value, int | float) and not 1 <= value <= 65_535:
        raise api.invalid_value(request, path, int(value), "must be between 1 and 65535, inclusive")


def _judge_resources(request: Request, path: str, resources: Spec) -> None:
    limits = resources.get("limits") or {}
    for field in ("limits", "requests"):
        for name, text in (resources.get(field) or {}).items():
            amount = api.quantity(text)
            if amount is None:
                raise api.bad_request(
                    request,
                    "quantities must match the regular expression"
                    f" '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$': {path}.{field}.{name} is '{text}'",
                )
            most = api.quantity(limits.get(name)) if name in limits else None
            if field == "requests" and most is not None and amount > most:
                raise api.invalid_value(
                    request, f"{path}.requests", text, f"must be less than or equal to {name} limit of {limits[name]}"
                )


def one_of(request: Request, path: str, value: Value, allowed: tuple[str, ...]) -> None:
    """A value of an enumeration, or none."""
    if value is None or value in allowed:
        return
    named = ", ".join(f'"{each}"' for each in allowed)
    raise api.invalid(request, path, f'Unsupported value: "{value}": supported values: {named}')
