"""Signers in a stack file, from there to the guest that gets its key, or does not."""

from pathlib import Path
from typing import Any

import yaml

from sandbox.hardware import PARAVISOR_SIGNER
from tests.cli.conftest import Cli, make_project
from verifier.signer import SoftwareSigner, public_key_pem

OTHER = "5c" * 48


def _edited(cli: Cli, *signers: str, **verifier: Any) -> Cli:
    """The stack, whose model goes to launches that one of `signers` signed, with other keys of the verifier."""
    document = yaml.safe_load(cli.stack_file.read_text(encoding="utf-8"))
    document["config"]["bailiwick:machines"][0]["image"]["launchSigners"] = list(signers)
    document["config"]["bailiwick:verifier"] |= verifier
    cli.stack_file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return cli


def test_the_key_goes_to_launches_of_the_signer_and_collateral_counts_by_its_own(tmp_path: Path) -> None:
    cli = make_project(tmp_path)
    up = _edited(cli, PARAVISOR_SIGNER.hex())("up", "azure-germany")
    assert up.code == 0, up.out + up.err
    assert "(inference-guest/1.0.0): attested" in up.out

    stranger = public_key_pem(SoftwareSigner.generate().public_key)
    refused = _edited(cli, PARAVISOR_SIGNER.hex(), OTHER, collateralSigners=[stranger])("up", "azure-germany")
    assert refused.code != 0
    assert "collateral.cache" in " ".join(refused.out.split())
