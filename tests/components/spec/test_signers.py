"""Who may have signed a launch, and the region's collateral: what a stack file can say, and where it makes no sense."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from components import release_plan
from components.release import Tee
from components.spec import RegionSpec, SpecError
from components.spec.reading import read_stack_file
from tests.components.spec.conftest import ROOT
from tests.components.spec.test_checks import refused

SIGNER, OTHER = "1d" * 48, "2d" * 48
CARRIER = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"
TD: dict[str, Any] = {"size": "Standard_DC4es_v6", "tee": "tdx", "zone": "2"}
AZURE, GOOGLE, AWS, SITE = "azure-germany", "gcp-germany", "aws-ireland", "onprem-kubernetes"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(ROOT / "stacks" / "reference-values", tmp_path_factory.mktemp("signed") / "values"))


def stack(name: str) -> dict[str, Any]:
    mapping = read_stack_file(ROOT / "stacks" / f"Pulumi.{name}.yaml")
    mapping["verifier"]["trustAnchors"] = ["amd", "intel", "nvidia", "sandbox"]
    return mapping


def signed(mapping: dict[str, Any], *, machine: Any = (SIGNER,), verifier: Any = ()) -> dict[str, Any]:
    mapping["machines"][0]["image"]["launchSigners"] = list(machine)
    mapping["verifier"]["image"]["launchSigners"] = list(verifier)
    return mapping


def with_tdx() -> dict[str, Any]:
    """The same stack, in a region of the cloud that has TDX too."""
    return stack(AZURE) | {"jurisdiction": "EU", "location": "westeurope"}


def beside(mapping: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A second machine, of the first one's image and model where nothing else is said."""
    first = mapping["machines"][0]
    second = first | {"name": "second", "image": dict(first["image"])} | changes
    mapping["machines"] = [first, second]
    return mapping


WHERE = "bailiwick:machines[0].image.launchSigners"


@pytest.mark.parametrize("name", [AZURE, SITE])
def test_signers_become_a_condition_of_the_models_key(name: str, directory: Path) -> None:
    spec = RegionSpec.from_mapping(signed(stack(name)), reference_values=directory)
    plan = release_plan.plan(spec, directory=directory, verifier_url="https://verifier.example")
    policy = plan.models["llm"]
    assert policy.launch_signers == (SIGNER,)
    assert bool(policy.launch_measurements) is (name == SITE)  # a paravisor's measurement changes, its signer stays
    assert plan.signers["verifier-1.0.0", Tee.SNP] == ()


@pytest.mark.parametrize("name", [GOOGLE, AWS])
def test_a_cloud_where_nobody_signs_a_launch(name: str, directory: Path) -> None:
    (line,) = refused(signed(stack(name)), directory)
    assert line.startswith(f"{WHERE}: nobody signs a launch on ")
    (line,) = refused(signed(stack(name), machine=(), verifier=(SIGNER,)), directory)
    assert line.startswith("bailiwick:verifier.image.launchSigners: nobody signs a launch on ")


def test_a_td_has_no_signer(directory: Path) -> None:
    mapping = signed(with_tdx())
    mapping["machines"][0] |= TD
    (line,) = refused(mapping, directory)
    assert line.startswith(f"{WHERE}: no TD has a signer of its launch")


@pytest.mark.parametrize(
    ("signers", "line"),
    [(["0" * 96], f"{WHERE}: zeros are"), (["1D" * 48], f"{WHERE}[0]"), (["1d" * 32], f"{WHERE}[0]")],
    ids=["nobody's", "capitals", "another hash"],
)
def test_what_is_no_digest_of_a_key(directory: Path, signers: list[str], line: str) -> None:
    assert any(line in problem for problem in refused(signed(stack(AZURE), machine=signers), directory))


@pytest.mark.parametrize(
    "changes",
    [
        {"image": {"name": "inference-guest", "version": "1.1.0"}},
        {"model": "other", "image": {"name": "inference-guest", "version": "1.0.0", "launchSigners": [OTHER]}},
        TD | {"image": {"name": "inference-guest", "version": "1.0.0"}},
    ],
    ids=["one model's key", "one image's disks", "a TD with the model's key"],
)
def test_one_key_asks_for_one_list(directory: Path, changes: dict[str, Any]) -> None:
    (line,) = refused(beside(signed(with_tdx()), **changes), directory)
    assert line.startswith(f"bailiwick:machines[1].image.launchSigners: is not what {WHERE} is")


def test_another_image_with_another_model_has_signers_of_its_own(directory: Path) -> None:
    other = {"name": "inference-guest", "version": "1.1.0", "launchSigners": [OTHER]}
    mapping = beside(signed(stack(AZURE), verifier=(OTHER,)), model="other", image=other)
    plan = release_plan.plan(
        RegionSpec.from_mapping(mapping, reference_values=directory),
        directory=directory,
        verifier_url="https://verifier.example",
    )
    assert {model: policy.launch_signers for model, policy in plan.models.items()} == {
        "llm": (SIGNER,),
        "other": (OTHER,),
    }


def test_who_may_fill_the_collateral_cache_is_named_by_a_public_key(directory: Path) -> None:
    mapping = stack(AZURE)
    mapping["verifier"]["collateralSigners"] = [CARRIER]
    spec = RegionSpec.from_mapping(mapping, reference_values=directory)
    assert spec.verifier is not None
    assert spec.verifier.collateral_signers == (CARRIER,)
    (line,) = refused(mapping | {"collateralCache": False}, directory)
    assert line.startswith("bailiwick:verifier.collateralSigners: names who may fill the collateral cache")


@pytest.mark.parametrize("text", ["", "carrier.pub", CARRIER.replace("PUBLIC", "PRIVATE"), CARRIER + "x"])
def test_nothing_but_a_public_key_in_pem(directory: Path, text: str) -> None:
    mapping = stack(AZURE)
    mapping["verifier"]["collateralSigners"] = [text]
    with pytest.raises(SpecError) as error:
        RegionSpec.from_mapping(mapping, reference_values=directory)
    assert str(error.value).endswith("is no public key in PEM (-----BEGIN PUBLIC KEY-----)")
