"""CVM, continued: GPUs in confidential-computing mode, and machines that stay where they were attested."""

from collections.abc import Iterator

from pulumi_policy import Severity

from policies import examples, vocabulary
from policies.context import Declared
from policies.examples import gcp
from policies.rule import Example, Rule
from policies.sizes import machine_type
from policies.subject import Resource
from policies.verdict import Finding, NotApplicable, require


def _confidential_gpu(resource: Resource, declared: Declared) -> Iterator[Finding]:
    machine = vocabulary.machine_of(resource)
    if machine is None:
        raise NotApplicable("is not a machine")
    if machine.size is None or not machine.size.stated:
        raise NotApplicable("has no size that could bring a GPU")
    found = machine_type(declared.cloud.id, machine.size)
    attached = machine.accelerators.items() if machine.accelerators is not None else ()
    allowed = "a size whose GPU has a confidential-computing mode, beside a TEE that a verifier can check"
    if found is None:
        yield Finding(machine.size.path, "is not in the catalogue, so that nobody knows which GPU it has", allowed)
    elif found.gpu is None:
        if not attached:
            raise NotApplicable("has no GPU")
        yield Finding(attached[0].path, "adds a GPU that the machine's TEE does not cover", allowed)
    elif not found.gpu.cc:
        yield Finding(machine.size.path, f"is '{found.size}', whose {found.gpu.name} has no such mode", allowed)
    elif not found.attested:
        yield Finding(machine.size.path, f"is '{found.size}', which has the mode and no such TEE", allowed)
    elif found.gpu.count > 1 and not found.gpu.multi_gpu_cc:
        yield Finding(machine.size.path, f"is '{found.size}', whose GPUs are not confidential together", allowed)


_GPU_VM = examples.but(examples.VM, {"hardwareProfile.vmSize": "Standard_NCC40ads_H100_v5"})

CVM_05 = Rule(
    id="CVM-05",
    title="A GPU is one in confidential-computing mode",
    why="Models and prompts are in the GPU's memory too; without the mode, whoever has the host reads them there.",
    severity=Severity.CRITICAL,
    remediation="choose a size with a confidential GPU (`bailiwick catalog machines --gpu h100`)",
    check=_confidential_gpu,
    passing=Example("An H100 in confidential-computing mode beside SEV-SNP.", (_GPU_VM,)),
    failing=(
        Example(
            "One letter less: the same GPU, without the mode and beside no TEE.",
            (examples.but(_GPU_VM, {"hardwareProfile.vmSize": "Standard_NC40ads_H100_v5"}),),
        ),
        Example(
            "Eight of them.",
            (examples.but(_GPU_VM, {"hardwareProfile.vmSize": "Standard_ND96isr_H100_v5"}),),
        ),
    ),
)


def _stays(resource: Resource, _: Declared) -> Iterator[Finding]:
    settings = vocabulary.migration_of(resource)
    if not settings:
        raise NotApplicable("is no machine that its cloud would move")
    for setting in settings:
        yield from require(setting)


_VM = gcp.VM

CVM_07 = Rule(
    id="CVM-07",
    title="Machines are not moved while they run, and host no machines",
    why="What was attested on one host says nothing of the next; what runs inside a guest, nobody attested.",
    severity=Severity.MEDIUM,
    remediation="set onHostMaintenance to TERMINATE, and leave nested virtualization off",
    check=_stays,
    home="gcp",
    passing=Example("A machine that stops for its host's maintenance.", (_VM,), gcp.CONFIG),
    failing=(
        Example(
            "A machine that moves.",
            (examples.but(_VM, {"scheduling.onHostMaintenance": "MIGRATE"}),),
            gcp.CONFIG,
        ),
        Example(
            "A machine that moves, because that is the default.",
            (examples.but(_VM, {"scheduling": None}),),
            gcp.CONFIG,
        ),
        Example(
            "A machine that can host machines.",
            (examples.but(_VM, {"advancedMachineFeatures": {"enableNestedVirtualization": True}}),),
            gcp.CONFIG,
        ),
    ),
)

RULES = (CVM_05, CVM_07)
