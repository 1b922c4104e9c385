"""The life of a region, as a platform engineer sees it in the terminal."""

import json
from pathlib import Path

from tests.cli.conftest import Cli


def test_up_shows_plan_verdicts_resources_proof_and_what_is_next(tmp_path_factory, cli: Cli) -> None:
    first = cli("up", "azure-germany")
    assert first.code == 0, first.out + first.err
    for expected in (
        "Germany West Central, jurisdiction DE",
        "Engine  local",
        "to create",
        "0 fail, 0 unknown",
        "azure-germany-inference: attested".replace(": ", " (inference-guest/1.0.0): "),
        "policy.debug",
        "measurement",
        "Key release  default/model-key/llm: released",
        "inclusion proof attached",
        "model llm decrypted",
        "verifierUrl",
        "Took",
        "bailiwick evidence export azure-germany",
    ):
        assert expected in first.out

    second = cli("up", "azure-germany")
    assert second.code == 0
    assert "nothing changed" in second.out
    assert "to create" not in second.out

    cli.edit("Standard_DC4as_v5", "Standard_DC8as_v5")
    update = cli("preview", "azure-germany")
    assert "hardwareProfile.vmSize: Standard_DC4as_v5 → Standard_DC8as_v5" in update.out
    assert "to replace" not in update.out

    cli.edit("name: inference-guest, version: 1.0.0", "name: inference-guest, version: 1.1.0")
    replacement = cli("up", "azure-germany")
    assert replacement.code == 0, replacement.out + replacement.err
    assert "forces replacement" in replacement.out
    assert "(inference-guest/1.1.0): attested" in replacement.out

    gone = cli("destroy", "azure-germany")
    assert gone.code == 0
    assert "deleted" in gone.out
    assert not (cli.project / ".bailiwick" / "region" / "azure-germany").exists()
    state = json.loads((cli.project / ".bailiwick" / "state" / "azure-germany.json").read_text())
    assert not _resources(state)


def test_refresh_finds_that_nothing_drifted(deployed: Cli) -> None:
    result = deployed("refresh", "azure-germany")
    assert result.code == 0
    assert "unchanged" in result.out


def test_stack_ls_and_show(deployed: Cli) -> None:
    listed = deployed("stack", "ls")
    assert "germanywestcentral" in listed.out
    shown = deployed("stack", "show", "azure-germany")
    assert "azure-germany-inference-vm" in shown.out
    assert "vaultUri" in shown.out


def test_stack_export_is_what_pulumi_stack_import_reads(deployed: Cli, tmp_path: Path) -> None:
    target = tmp_path / "state.json"
    assert deployed("stack", "export", "azure-germany", "--file", str(target)).code == 0
    document = json.loads(target.read_text())
    assert document["version"] == 3
    assert any(entry["type"] == "azure-native:compute:VirtualMachine" for entry in _resources(document))


def _resources(document: dict) -> list[dict]:
    deployment = document.get("deployment") or document["checkpoint"]["latest"]
    return deployment.get("resources") or []


def test_a_violating_stack_does_not_deploy(cli: Cli) -> None:
    program = cli.project / "stacks" / "__main__.py"
    program.write_text(
        program.read_text()
        + "\nimport pulumi_azure_native as azure\n"
        + 'azure.resources.ResourceGroup("abroad", location="eastus", opts=pulumi.ResourceOptions('
        + 'provider=azure.Provider("p", subscription_id="00000000-0000-0000-0000-000000000000", '
        + 'location="germanywestcentral", environment="public")))\n'
    )
    result = cli("up", "azure-germany")
    text = " ".join(result.out.split())
    assert result.code == 1
    assert "RES-01 azure-native:resources:ResourceGroup 'abroad': location is 'eastus' (US), outside DE" in text
    assert "allowed: germanynorth, germanywestcentral; fix: set" in text
    assert "nothing was changed" in text
    assert not (cli.project / ".bailiwick/state/azure-germany.json").exists()


def test_without_an_hsm_it_says_loudly_that_there_is_none(cli: Cli) -> None:
    result = cli("up", "azure-germany", env={"BAILIWICK_PKCS11_MODULE": "/nonexistent.so"})
    assert result.code == 0
    assert "THIS IS NOT AN HSM" in " ".join(result.out.split())
    assert ": attested" in result.out
