"""ValidatingAdmissionPolicy: the policies of the cluster itself, evaluated with Google's CEL implementation.

A policy binds through ValidatingAdmissionPolicyBinding; what matches both must satisfy every validation (Kubernetes,
"Validating Admission Policy"). `failurePolicy: Fail`, the default, denies where an expression cannot be evaluated.
Parameters (`paramKind`), match conditions by authorizer and audit annotations are not emulated; a policy that uses
`paramKind` is refused, so that none is believed to hold that does not.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from cel_expr_python import cel  # type: ignore[import-untyped]
from cel_expr_python.ext import ext_optional, ext_strings  # type: ignore[import-untyped]

from sandbox.clouds.kubernetes import api
from sandbox.clouds.kubernetes.selectors import selects
from sandbox.clouds.resource import CloudError, Request, Undetermined
from sandbox.clouds.store import Object
from sandbox.values import Value, contains_unknown

POLICIES: Final = "validatingadmissionpolicies.admissionregistration.k8s.io"
BINDINGS: Final = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
_VARIABLES: Final = ("object", "oldObject", "request", "namespaceObject", "variables")


def admit(request: Request) -> None:
    """Evaluate every policy that is bound and matches; raises `CloudError` for the first denial."""
    if request.type.kind in (POLICIES, BINDINGS):
        return
    for binding in request.session.siblings("", BINDINGS, preview=request.preview):
        spec = binding.inputs.get("spec") or {}
        policy = request.session.lookup(f"{POLICIES}/{spec.get('policyName')}", preview=request.preview)
        if policy is None or "Deny" not in (spec.get("validationActions") or ()):
            continue
        constraints = policy.inputs["spec"].get("matchConstraints") or {}
        if _matches(request, constraints) and _matches(request, spec.get("matchResources") or {}):
            _evaluate(request, policy, binding)


def require_sound(request: Request) -> None:
    """The expressions of a policy compile."""
    spec = request.inputs["spec"]
    if spec.get("paramKind"):
        raise CloudError("NotEmulated", f"paramKind of ValidatingAdmissionPolicy '{request.name}' is not emulated")
    for path, expression in _expressions(spec):
        try:
            _compile(expression)
        except RuntimeError as error:
            raise api.invalid_value(request, path, expression, f"compilation failed: {_line(error)}") from None


def _expressions(spec: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    for field in ("matchConditions", "variables", "validations"):
        for index, item in enumerate(spec.get(field) or ()):
            yield f"spec.{field}[{index}].expression", item["expression"]
            if item.get("messageExpression"):
                yield f"spec.{field}[{index}].messageExpression", item["messageExpression"]


def _matches(request: Request, constraints: Mapping[str, Value]) -> bool:
    """Whether a request is among what `matchConstraints` or `matchResources` name."""
    rules = constraints.get("resourceRules")
    if rules is not None and not any(_rule_matches(request, rule) for rule in rules):
        return False
    if any(_rule_matches(request, rule) for rule in constraints.get("excludeResourceRules") or ()):
        return False
    if not selects(constraints.get("objectSelector") or {}, api.labels_of(request.inputs.properties)):
        return False
    selector = constraints.get("namespaceSelector")
    return not selector or not request.parent or selects(selector, _namespace_labels(request))


def _rule_matches(request: Request, rule: Mapping[str, Value]) -> bool:
    group, _, version = api.api_version_of(request.type).rpartition("/")
    operation = "UPDATE" if request.before is not None else "CREATE"
    plural = request.type.kind.split(".")[0]
    names = rule.get("resourceNames")
    return (
        bool({group, "*"} & set(rule.get("apiGroups") or ()))
        and bool({version, "*"} & set(rule.get("apiVersions") or ()))
        and bool({plural, "*", "*/*"} & set(rule.get("resources") or ()))
        and bool({operation, "*"} & set(rule.get("operations") or ()))
        and (not names or request.name in names)
    )


def _namespace_labels(request: Request) -> dict[str, str]:
    found = request.session.lookup(request.parent, preview=request.preview)
    return api.namespace_labels(request.parent.rsplit("/", 1)[-1], found)


def _evaluate(request: Request, policy: Object, binding: Object) -> None:
    spec = policy.inputs["spec"]
    manifest = dict(request.inputs.properties)
    if contains_unknown(manifest):
        raise Undetermined(request.id)
    facts: dict[str, Any] = {
        "object": manifest,
        "oldObject": request.before.inputs if request.before else None,
        "request": {
            "operation": "UPDATE" if request.before else "CREATE",
            "namespace": request.parent.rsplit("/", 1)[-1],
            "name": request.name,
        },
        "namespaceObject": {
            "metadata": {"name": request.parent.rsplit("/", 1)[-1], "labels": _namespace_labels(request)}
        },
        "variables": {},
    }
    fails_closed = spec.get("failurePolicy", "Fail") == "Fail"
    try:
        if not all(_result(item["expression"], facts) is True for item in spec.get("matchConditions") or ()):
            return
        for variable in spec.get("variables") or ():
            facts["variables"][variable["name"]] = _result(variable["expression"], facts)
        for validation in spec.get("validations") or ():
            if _result(validation["expression"], facts) is not True:
                raise _denial(request, policy, binding, _message(validation, facts))
    except _EvaluationError as error:
        if fails_closed:
            raise _denial(request, policy, binding, str(error)) from None


def _denial(request: Request, policy: Object, binding: Object, why: str) -> CloudError:
    return api.forbidden(
        request, f"ValidatingAdmissionPolicy '{policy.name}' with binding '{binding.name}' denied request: {why}"
    )


def _message(validation: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    if validation.get("messageExpression"):
        return str(_result(validation["messageExpression"], facts))
    return str(validation.get("message") or f"failed expression: {validation['expression']}")


class _EvaluationError(Exception):
    """An expression that cannot be evaluated on this object."""


def _result(expression: str, facts: Mapping[str, Any]) -> Any:
    value = _compile(expression).eval(data=facts)
    if value.type() == cel.Type.ERROR:
        raise _EvaluationError(f"expression '{expression}' resulted in error: {value.value()}")
    return value.plain_value()


@cache
def _compile(expression: str) -> Any:
    return _environment().compile(expression)


@cache
def _environment() -> Any:
    return cel.NewEnv(
        variables=dict.fromkeys(_VARIABLES, cel.Type.DYN),
        extensions=[ext_strings.ExtStrings(), ext_optional.ExtOptional()],
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
