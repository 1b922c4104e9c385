"""Arguments that several verbs take, spelled once."""

from typing import Annotated

import typer

from cli.pulumi_engine import Engine

StackArgument = Annotated[str, typer.Argument(help="a stack with a file stacks/Pulumi.STACK.yaml", metavar="STACK")]
EngineOption = Annotated[Engine, typer.Option("--engine", help="auto is pulumi where the command is on PATH")]
RemediateOption = Annotated[
    list[str] | None,
    typer.Option("--remediate", metavar="RULE", help="let this rule put right what it finds, such as NET-04"),
]
FaultsOption = Annotated[
    str | None,
    typer.Option(
        "--faults", help="faults of the emulated cloud: throttle=0.2,unavailable=0.1,lag=0.5,slow=0.1,fail=0.05,seed=7"
    ),
]
