"""What importing the components costs beyond Pulumi itself, cold: no provider's SDK may come along unasked.

Processor time, which other users of the machine do not lengthen as they do minutes.
"""

from collections.abc import Iterator

from bench.measure import Row, cost_of_process

_CLOUDS = ("azure", "gcp", "aws", "kubernetes")


def run() -> Iterator[Row]:
    alone = _seconds("import pulumi")
    yield _row("import of components and the stack model", "components.spec", alone, "≤ 0.3 s beyond")
    for cloud in _CLOUDS:
        yield _row(f"import of components.{cloud}", f"components.{cloud}", alone, "")


def _row(what: str, module: str, alone: float, goal: str) -> Row:
    seconds = _seconds(f"import pulumi, {module}")
    beyond = f"{seconds:.2f} s CPU ({seconds - alone:.2f} s beyond)"
    return Row(what, beyond, "import of pulumi", f"{alone:.2f} s CPU", seconds / alone, goal)


def _seconds(program: str) -> float:
    return min(cost_of_process(["-c", program]).cpu_seconds for _ in range(5))
