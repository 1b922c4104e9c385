"""The README's own region, as a reader makes it: written down, judged, brought up, proved and taken down."""

import re

from tests.cli.conftest import ROOT, Cli


def test_the_readme_s_stack_file_is_a_region(cli: Cli) -> None:
    (block,) = re.findall(
        r"^```yaml\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    (cli.project / "stacks" / "Pulumi.mine.yaml").write_text(block)

    up = cli("up", "mine")
    assert up.code == 0, up.out + up.err
    assert "mine-inference (inference-guest/1.0.0): attested" in up.out
    assert "Key release  default/model-key/llm: released" in up.out
    again = cli("up", "mine")
    assert "nothing changed" in again.out, "the README says so of a second `make up`"
    exported = cli("evidence", "export", "mine", "--output", "bundle.json")
    assert exported.code == 0, exported.err
    gone = cli("destroy", "mine")
    assert gone.code == 0, gone.out + gone.err
