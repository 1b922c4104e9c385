"""Puts right what has one right value, where a person has switched that on for a rule (`enforcementLevel: remediate`).

The SDK hands a remediation raw sentinels where a value is unknown, and secrets that it wants back as secrets
(pulumi-policy 1.21, `policy.py` and `secret.py`). Here properties are read as every rule reads them, and changed in the
form in which they travel: a value is replaced if it is known, wrong and a switch (`terms.Setting.switch`), and nothing
else is touched. What a remedy leaves wrong, `Analyze` then refuses.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from pulumi_policy import ResourceValidationArgs
from pulumi_policy.deserialize import (
    SPECIAL_SECRET_SIG,
    SPECIAL_SIG_KEY,
    deserialize_properties,
    serialize_properties,
)
from pulumi_policy.proxy import unknown_checking_proxy

from policies.conditions import OneOf
from policies.subject import MalformedProperty, Property, Resource, UnknownProperty, canonical_type
from policies.terms import Setting, Unwanted

Remedy = Callable[[Resource], Iterable[Setting | Unwanted]]
"""What a rule asks of a resource, as far as it may be put right; of its answer only switches are."""

_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def remedied(args: ResourceValidationArgs, remedy: Remedy) -> dict[str, Any] | None:
    """The properties of a resource with every wrong switch set right; None where there is none."""
    properties: Any = serialize_properties(args.props)
    switches = list(_wrong_switches(args, properties, remedy))
    if not switches:
        return None
    for switch, value in switches:
        _set(properties, switch.path, value)
    if list(_wrong_switches(args, properties, remedy)):  # a path that does not lead where it was read
        return None
    return deserialize_properties(properties, True)


def _wrong_switches(args: ResourceValidationArgs, properties: Any, remedy: Remedy) -> Iterator[tuple[Property, Any]]:
    props = Property("", unknown_checking_proxy(deserialize_properties(properties)))
    try:
        settings = list(remedy(Resource(args.urn, canonical_type(args.resource_type), args.name, props)))
    except (UnknownProperty, MalformedProperty):
        return
    for setting in settings:
        if isinstance(setting, Setting) and setting.switch and isinstance(setting.condition, OneOf):
            found = setting.property
            if not found.unknown and _is_wrong(setting):
                yield found, setting.condition.values[0]


def _is_wrong(setting: Setting) -> bool:
    """Whether a known value must be replaced; what is no single value is another mistake than a wrong switch."""
    if not setting.property.stated:
        return not setting.unless_stated
    value = setting.property.value
    return isinstance(value, str | bool) and not setting.condition.holds(value)


def _set(properties: Any, path: str, value: Any) -> None:
    """Put `value` at `path`; what is a secret, or in one, stays so. Objects on the way are made where nothing is."""
    *parents, last = [int(index) if index else key for key, index in _STEP.findall(path)]
    holder = properties
    for step in parents:
        holder, key = _kept(holder, step)
        if holder[key] is None:
            holder[key] = {}
        holder = holder[key]
    holder, key = _kept(holder, last)
    holder[key] = value


def _kept(holder: Any, key: str | int) -> tuple[Any, str | int]:
    """Where the value at `key` is: in `holder`, or in the secret that is there."""
    if isinstance(holder, dict):
        holder.setdefault(key, None)
    while isinstance(inner := holder[key], dict) and inner.get(SPECIAL_SIG_KEY) == SPECIAL_SECRET_SIG:
        holder, key = inner, "value"
    return holder, key
