"""`python -m bench.mocked STACK [PROJECT]`: run a program under `pulumi.runtime.set_mocks`, as a unit test would.

PROJECT is a directory with the program and its stack files in `stacks`; the repository where it is not given.
"""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pulumi
import yaml

ROOT = Path(__file__).parents[1]


class _Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        # Azure takes the identities of a resource as a list and gives them back as a map; nothing here reads them.
        return f"{args.name}-id", {key: value for key, value in args.inputs.items() if key != "identity"}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        del args
        return {}, None


def main(stack: str, project: Path = ROOT) -> None:
    config = yaml.safe_load((project / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    pulumi.runtime.set_mocks(_Mocks(), project="bailiwick", stack=stack, preview=True)
    pulumi.runtime.set_all_config(texts)

    @pulumi.runtime.test
    def program() -> None:
        sys.path.insert(0, str(project / "stacks"))
        runpy.run_path(str(project / "stacks" / "__main__.py"), run_name="__main__")

    program()


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
