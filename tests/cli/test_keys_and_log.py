"""A region of keys and log, in a place where nothing can be attested: it comes up, and says what it lacks."""

import re
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Cli

LACKS = (
    "confidential machines: the catalogue knows none in eusc-de-east-1",
    "attestation: nothing proves what runs here",
    "key release: no model has a key here, for no verifier could release it",
)


def test_the_european_sovereign_cloud_comes_up_without_machines_and_says_so(cli: Cli) -> None:
    up = cli("up", "aws-eusc")
    assert up.code == 0, up.out + up.err
    assert "https://kms.eusc-de-east-1.amazonaws.eu" in up.out
    for lack in LACKS:
        assert f"Lacks  {lack}" in up.out
    assert ": attested" not in up.out
    exported = cli("evidence", "export", "aws-eusc", "--output", "bundle.json")
    assert exported.code == 0, exported.out + exported.err
    (key,) = set(re.findall(r"--key ([0-9a-f]{64})", exported.out.replace("\n", " ")))
    verified = cli("evidence", "verify", "bundle.json", "--key", key, "--emulated")
    assert verified.code == 0, verified.out + verified.err
    assert "✓ Nothing is claimed to be attested" in verified.out
    drawn = cli("graph", "aws-eusc")
    image = ElementTree.fromstring(cli("graph", "aws-eusc", "--format", "svg").out)
    texts = {element.text: float(element.attrib["y"]) for element in image.iter() if element.tag.endswith("text")}
    below = float(image.attrib["viewBox"].split()[-1])
    for lack in LACKS:
        assert texts[f"lacks {lack}"] < below
        assert f'lacks| n{LACKS.index(lack)}["{lack}"]' in drawn.out


def test_new_writes_one_where_no_machine_has_a_tee(cli: Cli) -> None:
    refused = cli("new", "aws-brandenburg", "--cloud", "aws-eusc", "--jurisdiction", "DE")
    assert refused.code == 2
    assert "--tee none for a region of keys and log" in refused.err
    made = cli("new", "aws-brandenburg", "--cloud", "aws-eusc", "--jurisdiction", "DE", "--tee", "none")
    assert made.code == 0, made.out + made.err
    assert "0 fail, 0 unknown" in made.out
    assert "bailiwick:keys.externalManager is an example: put your own key manager there" in made.out


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("cloud: aws-eusc", "cloud: aws-eus", "bailiwick:cloud: 'aws-eus' is not a cloud of the catalogue; nearest"),
        (
            "audit:",
            (
                "machines: [{name: a, size: m6a.large, image: {name: inference-guest, version: 1.0.0}, model: m}]\n"
                "  bailiwick:audit:"
            ),
            "bailiwick:machines: the catalogue knows no confidential machine in eusc-de-east-1; nearest valid: none of",
        ),
        (
            "audit:",
            "x:y\n  bailiwick-aws:importIds: {keys-stor: an-id}\n  bailiwick:audit:",
            "import_ids: 'keys-stor' is no child of aws-eusc; nearest supported: keys-store",
        ),
    ],
)
def test_what_it_cannot_be_is_one_line(cli: Cli, old: str, new: str, problem: str) -> None:
    file = cli.project / "stacks" / "Pulumi.aws-eusc.yaml"
    file.write_text(file.read_text().replace(f"bailiwick:{old}", f"bailiwick:{new}").replace("  bailiwick:x:y\n", ""))
    checked = cli("check", "aws-eusc")
    assert checked.code == 2
    assert problem in checked.out + checked.err
    assert "Traceback" not in checked.out + checked.err
