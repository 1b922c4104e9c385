"""One stack over its emulated region: the pieces that `up`, `preview`, `refresh` and `destroy` share."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import typer
from rich.console import Console

import catalog
from cli.display import Display
from cli.errors import EXIT_UNUSABLE, CliError
from cli.project import Project
from cli.pulumi_engine import Engine, PulumiEngine
from components.spec import RegionSpec
from policies import pack
from policies.selection import remedial
from sandbox.clouds import Cloud, open_cloud, providers_of
from sandbox.clouds.faults import FaultMemory, FaultPlan, FaultPlanError, FaultyProvider
from sandbox.engine import LocalEngine, Outcome, PolicyHost, StateFile
from sandbox.engine.events import Emit
from sandbox.provider import Provider
from sandbox.region import Region


@dataclass(frozen=True, slots=True)
class Session:
    """A stack, its emulated region and cloud, where to print, and which rules may put right what they find."""

    project: Project
    stack: str
    spec: RegionSpec
    region: Region
    cloud: Cloud
    console: Console
    faults: FaultPlan | None = None
    remediate: tuple[str, ...] = ()

    @property
    def providers(self) -> dict[str, Provider]:
        """The cloud's providers as an engine sees them, misbehaving where faults are asked for."""
        found = providers_of(self.cloud)
        if self.faults is None:
            return found
        memory = FaultMemory(self.project.region_dir(self.stack) / "faults.json")
        return {package: FaultyProvider(provider, self.faults, memory) for package, provider in found.items()}

    def local_engine(self, on_event: Emit | None = None) -> LocalEngine:
        """The local engine on this stack, printing to the console as it goes unless `on_event` takes the events."""
        return LocalEngine(
            self.project.root,
            self.stack,
            providers=self.providers,
            state=StateFile(self.project.state_file(self.stack), self.project.passphrase()),
            policy_pack=PolicyHost(pack.build(), self.remediate),
            on_event=on_event or Display(self.console),
        )

    def erase(self) -> None:
        """Leave nothing of the emulated region: its HSM, its log and the cloud's memory of deleted names included."""
        self.region.erase()
        self.cloud.close()
        shutil.rmtree(self.project.region_dir(self.stack), ignore_errors=True)

    @contextmanager
    def pulumi_engine(self) -> Iterator[PulumiEngine]:
        """The real engine on this stack, with the emulated cloud attached over gRPC while the context lasts."""
        from sandbox.clouds.server import serve  # grpc: a second that the local engine need not spend

        served = serve(self.providers)
        try:
            yield PulumiEngine(self.project, self.stack, served.debug_providers, self.remediate)
        finally:
            served.stop()


@contextmanager
def emulated(
    project: Project, stack: str, console: Console, faults: str | None = None, remediate: Sequence[str] = ()
) -> Iterator[Session]:
    """Open the emulated region of `stack`, with the faults of a plan such as `throttle=0.2,fail=0.05,seed=7`, and with
    the rules of `remediate` let to put right what they find.

    Raises:
        UnknownSelection: a rule of `remediate` cannot.
        SpecError: the stack file is wrong, every problem at once.
        CliError: the stack is not emulated, so that only the real engine with real providers may deploy it.
    """
    remedies = remedial(remediate)
    spec = RegionSpec.from_stack_file(project.stack_file(stack))
    try:
        plan = FaultPlan.parse(faults) if faults else None
    except FaultPlanError as error:
        raise CliError(f"--faults: {error}") from None
    if not spec.emulated:
        raise CliError(
            f"{stack} names a real cloud account: deploy it with `pulumi up`, the sandbox takes emulated stacks"
        )
    data = project.region_dir(stack)
    region = Region(data, stack, project.hardware_dir, warn=lambda text: console.print(f"[yellow]warning[/] {text}"))
    try:
        cloud = open_cloud(spec.provider, data, region)
        region.attach(cloud)
        try:
            yield Session(project, stack, spec, region, cloud, console, plan, remedies)
        finally:
            cloud.close()
    finally:
        region.close()


def carried_out(outcome: Outcome) -> Outcome:
    """`outcome`, for better or worse. Raises `typer.Exit` for a run that could not begin, which has said why."""
    if not outcome.began:
        raise typer.Exit(EXIT_UNUSABLE)
    return outcome


def print_header(session: Session, engine: Engine) -> None:
    """Which region, whose jurisdiction, which engine."""
    spec = session.spec
    place = catalog.load().region(spec.cloud, spec.location)
    version = "" if engine is Engine.PULUMI else ", no pulumi command needed"
    session.console.print(
        f"[bold]Region[/]  {session.stack}: {place.name}, jurisdiction {spec.jurisdiction}, emulated {spec.cloud}\n"
        f"[bold]Engine[/]  {engine}{version}\n"
    )
