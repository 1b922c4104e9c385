"""Azure Resource Manager: ids, how types are identified, and the rules that hold for every type."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.clouds.resource import Account, Check, CloudError, Request, View
from sandbox.values import UNKNOWN, Value

RESOURCE_GROUP = "Microsoft.Resources/resourceGroups"
EMULATED_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"

MAX_TAGS = 50
MAX_TAG_NAME = 512
MAX_TAG_VALUE = 256
_TAG_RESERVED = frozenset("<>%&\\?/")
_GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")

Identify = Callable[[Account, View], tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class AzureAccount(Account):
    """A subscription, its directory, and the application behind the provider's credentials."""

    tenant_id: str
    client_id: str
    object_id: str


@dataclass(frozen=True, slots=True)
class ArmId:
    """A fully qualified resource id, taken apart. `kind` is '' for a subscription."""

    subscription: str
    resource_group: str
    kind: str
    name: str


def account_of(request: Request) -> AzureAccount:
    """Whose request it is; `AzureCloud` makes no other accounts."""
    account = request.session.account
    assert isinstance(account, AzureAccount)
    return account


def parse(value: str) -> ArmId | None:
    """`/subscriptions/…/providers/Microsoft.Network/virtualNetworks/a/subnets/b`; None when it is no such id.

    An extension resource (a role assignment on a vault) has the kind of its last `providers` segment.
    """
    parts = value.split("/")
    if len(parts) < 3 or parts[0] or not all(parts[1:]):
        return None
    before, marker, after = value.rpartition("/providers/")
    scope = (before if marker else value).split("/")
    subscription = scope[2] if scope[1:2] == ["subscriptions"] and len(scope) > 2 else ""
    group = scope[4] if len(scope) > 4 and scope[3].lower() == "resourcegroups" else ""
    if not marker:
        if parts[1] != "subscriptions" or len(parts) not in (3, 5):
            return None
        return ArmId(subscription, group, RESOURCE_GROUP if group else "", parts[-1])
    segments = after.split("/")
    if len(segments) < 3 or len(segments) % 2 == 0:
        return None
    kind = "/".join([segments[0], *segments[1::2]])
    return ArmId(subscription, group, kind, segments[-1])


def in_group(kind: str, *names: str) -> Identify:
    """Identity of a resource of a resource group: one input names each segment of the type.

    A name that starts with `=` is a literal (`=default`).
    """
    namespace, *segments = kind.split("/")

    def identify(account: Account, inputs: View) -> tuple[str, str]:
        parent = f"/subscriptions/{account.id}/resourceGroups/{inputs.text('resourceGroupName')}"
        current = f"{parent}/providers/{namespace}"
        for index, (segment, name) in enumerate(zip(segments, names, strict=True)):
            if index:
                parent = current
            current = f"{current}/{segment}/{name[1:] if name.startswith('=') else inputs.text(name)}"
        return current, parent

    return identify


def on_scope(kind: str, scope: str, name: str) -> Identify:
    """Identity of an extension resource: it lies on the resource that the input `scope` names."""

    def identify(_account: Account, inputs: View) -> tuple[str, str]:
        parent = inputs.text(scope).rstrip("/")
        if not parent.startswith("/"):
            parent = f"/{parent}"
        return f"{parent}/providers/{kind}/{inputs.text(name)}", parent

    return identify


def group_identity(account: Account, inputs: View) -> tuple[str, str]:
    """Identity of a resource group."""
    subscription = f"/subscriptions/{account.id}"
    return f"{subscription}/resourceGroups/{inputs.text('resourceGroupName')}", subscription


def require_parent(request: Request) -> None:
    """The enclosing object exists: the resource group, then the parent resource."""
    parent = parse(request.parent)
    if parent is None or (not parent.kind and parent.subscription == request.session.account.id):
        return
    if parent.subscription != request.session.account.id:
        raise CloudError("SubscriptionNotFound", f"The subscription '{parent.subscription}' could not be found.")
    if request.session.lookup(request.parent, preview=request.preview) is not None or request.preview:
        return
    group = f"/subscriptions/{parent.subscription}/resourceGroups/{parent.resource_group}"
    if request.session.lookup(group, preview=False) is None:
        raise CloudError("ResourceGroupNotFound", f"Resource group '{parent.resource_group}' could not be found.")
    if request.type.identify is not None and "/providers/" in request.parent.lower():
        name = "/".join([parent.kind, parent.name])
        raise CloudError(
            "ParentResourceNotFound",
            f"Failed to perform '{request.type.kind}/write' on resource '{request.name}': parent resource '{name}'"
            f" was not found in resource group '{parent.resource_group}'.",
        )


def require_tags(request: Request) -> None:
    """At most 50 tags, names up to 512 characters without `<>%&\\?/`, values up to 256."""
    tags = request.inputs["tags"] or {}
    if not isinstance(tags, Mapping):
        return
    if len(tags) > MAX_TAGS:
        raise CloudError(
            "InvalidTagsCount", f"The resource '{request.name}' has {len(tags)} tags; the limit is {MAX_TAGS}."
        )
    for name, value in tags.items():
        if len(name) > MAX_TAG_NAME or not name:
            raise CloudError("InvalidTagName", f"The tag name '{name[:40]}' must have 1 to {MAX_TAG_NAME} characters.")
        if reserved := sorted(_TAG_RESERVED & set(name)):
            raise CloudError(
                "InvalidTagNameCharacters",
                f"The tag names '{name}' have reserved characters '{','.join(reserved)}' or control characters.",
            )
        if value is not UNKNOWN and len(str(value)) > MAX_TAG_VALUE:
            raise CloudError("InvalidTagValue", f"The value of tag '{name}' is longer than {MAX_TAG_VALUE} characters.")


def name_matches(pattern: str, code: str, message: str) -> Check:
    """The name fits `pattern`; `message` may use `{name}`."""
    compiled = re.compile(pattern)

    def judge(request: Request) -> None:
        if not compiled.fullmatch(request.name):
            raise CloudError(code, message.format(name=request.name))

    return judge


def unique(space: str, code: str, message: str) -> Check:
    """The name is free in the whole cloud (a DNS label): `message` may use `{name}`."""

    def judge(request: Request) -> None:
        if request.claims.take(space, request.name, request.id) is not None:
            raise CloudError(code, message.format(name=request.name))

    return judge


def require_guid(path: str) -> Check:
    """The input at `path` is a GUID."""

    def judge(request: Request) -> None:
        value = request.inputs[path]
        if isinstance(value, str) and not is_guid(value):
            raise CloudError("InvalidParameter", f"The value '{value}' of parameter '{path}' is not a valid GUID.")

    return judge


def is_guid(value: str) -> bool:
    return _GUID.fullmatch(value) is not None


def normal_location(value: Value) -> str:
    """`Germany West Central` → `germanywestcentral`."""
    return str(value).replace(" ", "").lower()
