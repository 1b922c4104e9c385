"""What every component does the same way: it shows its Args, and takes over what exists already."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from catalog import nearest
from components.arguments import properties
from components.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentArgs:
    """Inputs that every component has."""

    import_ids: Mapping[str, str] | None = None
    """What exists already and is taken over in place of being created: the cloud's id by the child's name without the
    component's (`vault` for `keys-vault` of `keys`). An adopted child is protected from deletion."""


class Component(pulumi.ComponentResource):
    """A component whose Args are its properties, for policies and state to see, and whose children can be adopted.

    A child's name is the component's, '-', and a suffix that never changes: by it `import_ids` finds the child, at any
    depth. A suffix that no child has is refused (`InputError`) when the component is complete, in the preview.
    """

    def __init__(self, type_: str, name: str, args: ComponentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        self._adoption = _Adoption(type_, f"{name}-", args.import_ids or {})
        adopting = pulumi.ResourceOptions(transformations=[self._adoption]) if args.import_ids else None
        super().__init__(type_, name, properties(args), pulumi.ResourceOptions.merge(opts, adopting))

    def register_outputs(self, outputs: pulumi.Inputs) -> None:
        """Say what the component gives, and that it is complete; raises `InputError` for an id of no child."""
        self._adoption.check()
        super().register_outputs(outputs)


def import_ids(operator: pulumi.Config) -> Mapping[str, str] | None:
    """What the operator's configuration has a region take over, under its key `importIds`.

    Raises `InputError` for what is not a mapping of names to ids.
    """
    key = "importIds"
    try:
        found = operator.get_object(key)
    except pulumi.ConfigTypeError:
        found = ""
    if found is None or (
        isinstance(found, dict) and all(isinstance(part, str) and part for pair in found.items() for part in pair)
    ):
        return found
    raise InputError("stack", f"{operator.name}:{key}", "is not a mapping of children to ids", "{<child>: <its id>}")


class _Adoption:
    """A transformation (it runs in the SDK, so that any engine will do) that has children imported."""

    def __init__(self, component: str, prefix: str, ids: Mapping[str, str]) -> None:
        self._component = component
        self._prefix = prefix
        self._ids = ids
        self._children: set[str] = set()

    def __call__(self, child: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not isinstance(child.resource, pulumi.CustomResource) or not child.name.startswith(self._prefix):
            return None
        suffix = child.name.removeprefix(self._prefix)
        self._children.add(suffix)
        if suffix not in self._ids:
            return None
        adopted = pulumi.ResourceOptions(import_=self._ids[suffix], protect=True)
        return pulumi.ResourceTransformationResult(child.props, pulumi.ResourceOptions.merge(child.opts, adopted))

    def check(self) -> None:
        """Raise `InputError` for the first suffix that no child of the component has."""
        for suffix in self._ids:
            if suffix not in self._children:
                raise InputError(
                    self._component,
                    "import_ids",
                    f"{suffix!r} is no child of {self._prefix.removesuffix('-')}",
                    nearest(suffix, self._children) or ", ".join(sorted(self._children)),
                )
