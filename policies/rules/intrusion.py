"""CVM, continued: the right machine, the right image, and no way in beside the measured boot."""

from collections.abc import Iterator

from pulumi_policy import Severity

from policies import examples, vocabulary
from policies.context import Declared
from policies.rule import Example, ExampleResource, Rule
from policies.rules.machines import templates_of
from policies.sizes import machine_type
from policies.subject import Property, Resource, Stack
from policies.terms import Machine
from policies.verdict import Finding, NotApplicable, meet, require


def _machine(resource: Resource) -> Machine:
    machine = vocabulary.machine_of(resource)
    if machine is None:
        raise NotApplicable("is not a machine")
    return machine


def _has_tee(resource: Resource, declared: Declared) -> Iterator[Finding]:
    machine = _machine(resource)
    size = machine.size
    if size is None:
        raise NotApplicable("has no size that a program would choose")
    if machine.template is not None and not size.stated:
        raise NotApplicable("has the size that its template says")
    found = machine_type(declared.cloud.id, size)
    allowed = f"a machine type of {declared.cloud.id} with a TEE that a verifier can check"
    if not size.stated:
        yield Finding(size.path, "is not stated", allowed)
    elif found is None:
        yield Finding(size.path, "is not a machine type that the catalogue knows", allowed)
    elif not found.attested:
        yield Finding(size.path, f"is '{found.size}', which has no TEE that a verifier can check", allowed)
    elif machine.confidential is not None and machine.tees:
        asked = machine.tees.get((machine.confidential.property.text or "").upper())
        if asked not in (found.tee, *found.other_tees):
            yield Finding(size.path, f"is '{found.size}', which has another TEE than the machine asks for", allowed)


CVM_02 = Rule(
    id="CVM-02",
    title="The machine type has the TEE",
    why="A size without a TEE refuses the setting at best; at worst it runs, and is confidential in name only.",
    severity=Severity.HIGH,
    remediation="choose a confidential size of the catalogue (`bailiwick catalog machines`)",
    check=_has_tee,
    passing=Example("A size with SEV-SNP.", (examples.VM,)),
    failing=(
        Example(
            "A size without a TEE that the catalogue knows.",
            (examples.but(examples.VM, {"hardwareProfile.vmSize": "Standard_D4s_v5"}),),
        ),
        Example("No size at all.", (examples.but(examples.VM, {"hardwareProfile": None}),)),
    ),
)


def _no_side_door(resource: Resource, _: Declared) -> Iterator[Finding]:
    doors = vocabulary.side_doors_of(resource)
    if not doors:
        raise NotApplicable("is not a machine, and opens none")
    for door in doors:
        yield from meet(door)


CVM_06 = Rule(
    id="CVM-06",
    title="Nobody can enter a machine beside its measured boot",
    why="What attestation proved at boot is over as soon as an operator can run a command inside.",
    severity=Severity.HIGH,
    remediation="remove extensions, run commands, logins and boot diagnostics; put what is needed into the image",
    check=_no_side_door,
    remedy=vocabulary.side_doors_of,
    passing=Example(
        "A machine without logins, extensions or console, and a cluster with neither accounts nor commands.",
        (
            examples.but(examples.VM, {"diagnosticsProfile": {"bootDiagnostics": {"enabled": False}}}),
            examples.CLUSTER,
        ),
    ),
    failing=(
        Example(
            "An extension runs what its publisher sends.",
            (ExampleResource("azure-native:compute:VirtualMachineExtension", "agent", {"publisher": "example"}),),
        ),
        Example(
            "An application that Azure installs.",
            (
                examples.but(
                    examples.VM, {"applicationProfile": {"galleryApplications": [{"packageReferenceId": "a"}]}}
                ),
            ),
        ),
        Example(
            "A command from outside.",
            (
                ExampleResource(
                    "azure-native:compute:VirtualMachineRunCommandByVirtualMachine", "fix", {"vmName": "inference"}
                ),
            ),
        ),
        Example(
            "An SSH key.",
            (
                examples.but(
                    examples.VM,
                    {
                        "osProfile": {
                            "linuxConfiguration": {"ssh": {"publicKeys": [{"path": "/root/.ssh/authorized_keys"}]}}
                        }
                    },
                ),
            ),
        ),
        Example(
            "A cluster with accounts that no directory knows.",
            (examples.but(examples.CLUSTER, {"disableLocalAccounts": None}),),
        ),
        Example(
            "A cluster in which the operator runs commands.",
            (examples.but(examples.CLUSTER, {"apiServerAccessProfile.disableRunCommand": False}),),
        ),
        Example(
            "Boot diagnostics, and with them the serial console.",
            (examples.but(examples.VM, {"diagnosticsProfile": {"bootDiagnostics": {"enabled": True}}}),),
        ),
    ),
)


def _same_image_for_ever(resource: Resource, _: Declared) -> Iterator[Finding]:
    machine = _machine(resource)
    if machine.image is None:
        raise NotApplicable("is a node whose image the cloud chooses and keeps up to date")
    if machine.template is not None and not machine.image.property.stated:
        raise NotApplicable("boots what its template says; the rule for the stack judges whether it says so")
    yield from require(machine.image)


def _image_of_templates(stack: Stack, _: Declared) -> Iterator[Finding]:
    machines = [(one, machine) for one in stack.resources if (machine := vocabulary.machine_of(one))]
    if not machines:
        raise NotApplicable("the stack has no machine")
    for resource, machine in machines:
        if machine.template is None or machine.image is None or _is_chosen(machine.image.property):
            continue
        if not any(one.image for one in templates_of(stack, resource, machine.template)):
            path = machine.image.property.path
            allowed = f"{machine.image.condition.allowed}, here or in the template"
            yield Finding(path, "is not stated, and the template names no image", allowed, resource)


def _is_chosen(image: Property) -> bool:
    """Whether the program says it: what only the cloud fills in is not known before the deployment."""
    return image.stated and not image.unknown


_IMAGE = "storageProfile.imageReference"

CVM_08 = Rule(
    id="CVM-08",
    title="Machines boot an image that cannot change under its name",
    why="`latest` is another image tomorrow, with another measurement, from whoever can publish it.",
    severity=Severity.HIGH,
    remediation="name the image with its version",
    check=_same_image_for_ever,
    check_stack=_image_of_templates,
    passing=Example("Version 1.0.0 of an image of one's own gallery.", (examples.VM,)),
    failing=(
        Example(
            "The latest version of a gallery's image.",
            (
                examples.but(
                    examples.VM, {f"{_IMAGE}.id": examples.IMAGE.replace("/versions/1.0.0", "/versions/latest")}
                ),
            ),
        ),
        Example(
            "An image without a version.",
            (examples.but(examples.VM, {f"{_IMAGE}.id": examples.IMAGE.replace("/versions/1.0.0", "")}),),
        ),
        Example(
            "The latest image of a publisher.",
            (
                examples.but(
                    examples.VM,
                    {_IMAGE: {"publisher": "example", "offer": "linux", "sku": "cvm", "version": "latest"}},
                ),
            ),
        ),
    ),
)

RULES = (CVM_02, CVM_06, CVM_08)
