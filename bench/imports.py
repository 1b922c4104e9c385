"""What importing the components costs beyond Pulumi itself, cold: no provider's SDK may come along unasked."""

from collections.abc import Iterator

from bench.measure import Row, best_process

_CLOUDS = ("azure", "gcp", "aws", "kubernetes")


def run() -> Iterator[Row]:
    alone = best_process(["-c", "import pulumi"], repeats=7)
    model = best_process(["-c", "import pulumi, components.spec"], repeats=7)
    yield _row("import of components and the stack model", model, alone, "≤ 0.3 s beyond")
    for cloud in _CLOUDS:
        whole = best_process(["-c", f"import pulumi, components.{cloud}"])
        yield _row(f"import of components.{cloud}, with the parts of its SDK that it uses", whole, alone, "")


def _row(what: str, seconds: float, alone: float, goal: str) -> Row:
    beyond = f"{seconds:.2f} s ({seconds - alone:.2f} s beyond)"
    return Row(what, beyond, "import of pulumi", f"{alone:.2f} s", seconds / alone, goal)
