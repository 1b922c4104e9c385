"""CVM: machines that their operator cannot look into."""

from collections.abc import Iterator

from pulumi_policy import Severity

from policies import examples, vocabulary
from policies.context import Declared
from policies.rule import Example, ExampleResource, Rule
from policies.subject import Resource, Stack
from policies.terms import Machine, Reference
from policies.verdict import Finding, NotApplicable, require


def _machine(resource: Resource) -> Machine:
    machine = vocabulary.machine_of(resource)
    if machine is None:
        raise NotApplicable("is not a machine")
    return machine


def _confidential(resource: Resource, _: Declared) -> Iterator[Finding]:
    machine = _machine(resource)
    if machine.confidential is not None:
        yield from require(machine.confidential)
    for source, what in ((machine.runtime, "runtime"), (machine.template, "template")):
        if source is not None and not source.property.stated:
            yield Finding(source.property.path, "is not stated", f"a {what} of this stack for confidential guests")


def _confidential_by_another(stack: Stack, _: Declared) -> Iterator[Finding]:
    """What a runtime or a template decides; a template is judged as the machine that it describes."""
    runtimes = {one: found for one in stack.resources if (found := vocabulary.runtime_of(one))}
    for resource in stack.resources:
        machine = vocabulary.machine_of(resource)
        if machine is None:
            continue
        template = machine.template
        if template is not None and not templates_of(stack, resource, template):
            yield Finding(
                template.property.path,
                "does not come from a template of this stack, so that it cannot be judged",
                "a template of this stack",
                resource,
            )
        if machine.runtime is None or not machine.runtime.property.stated:
            continue
        used = [runtimes[one] for one in stack.references(resource, machine.runtime.through) if one in runtimes]
        if not used:
            yield Finding(
                machine.runtime.property.path,
                "does not come from a runtime of this stack, so that it cannot be judged",
                "a runtime of this stack",
                resource,
            )
        for setting in used:
            yield from require(setting, resource)


def templates_of(stack: Stack, resource: Resource, template: Reference) -> tuple[Machine, ...]:
    """The machines that the templates of `resource` describe."""
    found = (vocabulary.machine_of(one) for one in stack.references(resource, template.through))
    return tuple(one for one in found if one is not None)


CVM_01 = Rule(
    id="CVM-01",
    title="Every machine is a confidential VM",
    why="In an ordinary machine the operator of the cloud can read models, prompts and keys in memory.",
    severity=Severity.CRITICAL,
    remediation="create it as a confidential VM (components.azure.ConfidentialVm), of a size that has a TEE",
    check=_confidential,
    check_stack=_confidential_by_another,
    passing=Example(
        "A virtual machine of security type ConfidentialVM, and a cluster of nodes with a TEE.",
        (examples.VM, examples.CLUSTER, examples.NODE_POOL),
    ),
    failing=(
        Example(
            "Trusted Launch protects the boot, not the memory.",
            (examples.but(examples.VM, {"securityProfile.securityType": "TrustedLaunch"}),),
        ),
        Example("A pool of ordinary nodes.", (examples.but(examples.NODE_POOL, {"vmSize": "Standard_D4s_v5"}),)),
        Example(
            "A cluster whose own nodes are ordinary.",
            (examples.but(examples.CLUSTER, {"agentPoolProfiles.0.vmSize": "Standard_D4s_v5"}),),
        ),
        Example(
            "A cluster to which Azure adds nodes of its own choice.",
            (examples.but(examples.CLUSTER, {"nodeProvisioningProfile": {"mode": "Auto"}}),),
        ),
        Example(
            "A cluster that starts pods outside its nodes.",
            (examples.but(examples.CLUSTER, {"addonProfiles": {"aciConnectorLinux": {"enabled": True}}}),),
        ),
        Example(
            "Containers on a machine of Azure's.",
            (ExampleResource("azure-native:containerinstance:ContainerGroup", "front", {"sku": "Standard"}),),
        ),
        Example(
            "An application on machines of Azure's.", (ExampleResource("azure-native:app:ContainerApp", "app", {}),)
        ),
        Example("A machine without a security profile.", (examples.but(examples.VM, {"securityProfile": None}),)),
        Example(
            "The same machine under an API version of its own.",
            (
                examples.but(
                    examples.VM,
                    {"securityProfile.securityType": "Standard"},
                    type="azure-native:compute/v20241101:VirtualMachine",
                ),
            ),
        ),
    ),
)


def _measured_boot(resource: Resource, _: Declared) -> Iterator[Finding]:
    machine = _machine(resource)
    stated = (machine.secure_boot, machine.virtual_tpm, machine.integrity_monitoring)
    settings = [setting for setting in stated if setting is not None]
    if not settings:
        raise NotApplicable("is in a cloud where the image decides on it, which its measurement shows")
    for setting in settings:
        yield from require(setting)


CVM_03 = Rule(
    id="CVM-03",
    title="Secure boot, vTPM and integrity monitoring are on",
    why="Without them nothing measures what the machine booted, and attestation has nothing to say about it.",
    severity=Severity.HIGH,
    remediation="switch secure boot, vTPM and, on Google Cloud, integrity monitoring on",
    confirm="that machines of Azure attest after each boot: integrity monitoring is an extension there, which CVM-06 "
    "refuses.",
    check=_measured_boot,
    passing=Example("A machine with secure boot and vTPM.", (examples.VM,)),
    failing=(
        Example(
            "Secure boot is off.",
            (examples.but(examples.VM, {"securityProfile.uefiSettings.secureBootEnabled": False}),),
        ),
        Example(
            "The vTPM is not stated.",
            (examples.but(examples.VM, {"securityProfile.uefiSettings.vTpmEnabled": None}),),
        ),
    ),
)


def _bound_disk(resource: Resource, _: Declared) -> Iterator[Finding]:
    weakness = vocabulary.weakness_of(resource, "hostReadableOsDisk")
    if weakness is not None:
        yield Finding(
            weakness.path, "leaves the OS disk to whoever has the host", "single machines, whose disk is bound"
        )
        return
    machine = _machine(resource)
    if machine.disk_binding is None or machine.disk_key is None:
        raise NotApplicable("is in a cloud that cannot bind a disk to a machine")
    yield from require(machine.disk_binding)
    key = machine.disk_key.property
    if not key.stated:
        yield Finding(key.path, "is not stated", "a disk encryption set of this stack with a customer's key")


def _bound_disk_key(stack: Stack, _: Declared) -> Iterator[Finding]:
    machines = [
        (resource, machine.disk_key)
        for resource in stack.resources
        if (machine := vocabulary.machine_of(resource)) and machine.disk_binding and machine.disk_key
    ]
    if not machines:
        raise NotApplicable("the stack has no machine whose disk can be bound to it")
    for resource, disk_key in machines:
        used = stack.references(resource, disk_key.through)
        keys = [(other, key) for other in used if (key := vocabulary.disk_key_of(other))]
        if not keys:
            yield Finding(
                disk_key.property.path,
                "does not come from a disk encryption set of this stack, so that its key cannot be judged",
                "a disk encryption set of this stack",
                resource,
            )
        elif not any(not list(require(key.for_confidential_machines)) for _, key in keys):
            for other, key in keys:
                yield from require(key.for_confidential_machines, other)


CVM_04 = Rule(
    id="CVM-04",
    title="OS disk and guest state are encrypted with the customer's key, bound to the machine",
    why="Otherwise whoever holds the storage can read the disk, or start it in a machine of their own.",
    severity=Severity.HIGH,
    remediation="encrypt the OS disk with DiskWithVMGuestState and a disk encryption set for confidential VMs",
    check=_bound_disk,
    check_stack=_bound_disk_key,
    passing=Example("A machine whose disk needs a key that only its own TEE gets.", (examples.DISK_KEY, examples.VM)),
    failing=(
        Example(
            "Only the guest state is encrypted, the disk is not.",
            (
                examples.DISK_KEY,
                examples.but(
                    examples.VM,
                    {"storageProfile.osDisk.managedDisk.securityProfile.securityEncryptionType": "VMGuestStateOnly"},
                ),
            ),
        ),
        Example(
            "The platform's key instead of the customer's.",
            (
                examples.DISK_KEY,
                examples.but(
                    examples.VM,
                    {"storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet": None},
                    uses={},
                ),
            ),
        ),
        Example(
            "A disk encryption set for ordinary disks.",
            (
                examples.but(examples.DISK_KEY, {"encryptionType": "EncryptionAtRestWithCustomerKey"}),
                examples.VM,
            ),
        ),
        Example("A disk encryption set of another stack.", (examples.but(examples.VM, {}, uses={}),)),
    ),
)

RULES = (CVM_01, CVM_03, CVM_04)
