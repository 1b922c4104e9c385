"""`bailiwick collateral` and `bailiwick verify --collateral STORE`, as a user runs them, against emulated vendors."""

import json
import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.cli.conftest import Cli, Result
from tests.verifier.collateral.emulated_vendors import NONCE, REPORT_DATA, Hardware, Vendors, hardware, vendors

__all__ = ["hardware", "vendors"]


@pytest.fixture
def cli(tmp_path: Path, hardware: Hardware) -> Cli:
    (tmp_path / "root.pem").write_bytes(hardware.pki.roots)
    for name in ("report", "quote", "devices"):
        (tmp_path / f"{name}.bin").write_bytes(getattr(hardware, name)())
    (tmp_path / "policy.yaml").write_text("reference_values: if-given\nnvidia: {stated_mode: if-given}\n")
    return Cli(tmp_path)


@pytest.fixture
def fetched(cli: Cli, vendors: Vendors) -> Result:
    evidence = ("report.bin", "quote.bin", "devices.bin")
    return cli("collateral", "fetch", *evidence, "--mirror", vendors.url, "--sandbox-root", "root.pem")


def line(result: Result, code: int) -> str:
    """The one line on standard error that a failed command says."""
    assert result.code == code, result.out + result.err
    assert result.err.count("\n") == 1
    assert "Traceback" not in result.err
    return result.err


def keys(folder: Path, name: str) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    (folder / f"{name}.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / f"{name}.pub").write_bytes(public)


@pytest.mark.parametrize(("name", "nonce"), [("report", REPORT_DATA), ("quote", REPORT_DATA), ("devices", NONCE)])
def test_evidence_verifies_from_what_was_fetched_for_it(cli: Cli, fetched: Result, name: str, nonce: bytes) -> None:
    assert fetched.code == 0, fetched.out + fetched.err
    demands = ("--nonce", nonce.hex(), "--policy", "policy.yaml", "--sandbox-root", "root.pem")
    result = cli("verify", f"{name}.bin", "--collateral", "collateral", *demands)
    assert (result.code, result.out.startswith("affirming  genuine and acceptable")) == (0, True), result
    later = cli("verify", f"{name}.bin", "--collateral", "collateral", *demands, "--at", "2035-01-01T00:00:00Z")
    assert later.code == 1
    assert "collateral.expired" in later.out


def test_list_and_verify_show_age_and_expiry(cli: Cli, fetched: Result) -> None:
    table = cli("collateral", "list").out
    for word in ("intel-tcb-info", "425700000001", "0 d", "valid", "nvidia-rim"):
        assert word in table.replace(" h ", " d ")
    entries = json.loads(cli("collateral", "verify", "--sandbox-root", "root.pem", "--json").out)
    assert {entry["state"] for entry in entries} == {"valid"}
    late = cli("collateral", "verify", "--sandbox-root", "root.pem", "--at", "2035-01-01T00:00:00Z", "--json")
    assert late.code == 1
    assert {entry["state"] for entry in json.loads(late.out)} == {"valid", "expired"}
    unknown = cli("collateral", "verify", "--json")
    assert unknown.code == 1
    assert {entry["state"] for entry in json.loads(unknown.out)} == {"not genuine"}


def test_an_object_that_was_changed_is_named(cli: Cli, fetched: Result) -> None:
    objects = cli.project / "collateral" / "objects"
    changed = min(objects.iterdir())
    changed.write_bytes(b"something else")
    result = cli("collateral", "verify", "--sandbox-root", "root.pem", "--json")
    reasons = [entry["reason"] for entry in json.loads(result.out) if entry["state"] == "not genuine"]
    assert result.code == 1
    assert reasons[0].startswith(f"collateral/objects/{changed.name}: changed: ")


def test_a_store_goes_across_an_air_gap_under_a_signature(cli: Cli, fetched: Result) -> None:
    for name in ("mine", "other"):
        keys(cli.project, name)
    assert cli("collateral", "export", "bundle", "--key", "mine.pem").code == 0
    options = ("--store", "inside", "--sandbox-root", "root.pem")
    assert "none of its 1 signature(s)" in line(
        cli("collateral", "import", "bundle", "--key", "other.pub", *options), 1
    )
    assert not (cli.project / "inside").exists()
    imported = cli("collateral", "import", "bundle", "--key", "mine.pub", *options)
    assert imported.code == 0, imported.err
    assert cli("collateral", "list", "--store", "inside", "--json").out == cli("collateral", "list", "--json").out
    text = (cli.project / "bundle").read_text()
    (cli.project / "bundle").write_text(text.replace("payload", "payloae", 1))
    assert "bundle: " in line(cli("collateral", "import", "bundle", "--key", "mine.pub", *options), 1)


def test_refresh_fetches_nothing_that_is_not_due(cli: Cli, fetched: Result, vendors: Vendors) -> None:
    vendors.asked.clear()
    result = cli("collateral", "fetch", "--mirror", vendors.url, "--sandbox-root", "root.pem")
    assert (result.code, result.out.strip(), vendors.asked) == (0, "nothing is due", [])


def test_what_cannot_be_had_is_said_and_the_rest_is_fetched(cli: Cli, vendors: Vendors) -> None:
    options = ("--mirror", vendors.url, "--sandbox-root", "root.pem", "--json")
    result = cli("collateral", "fetch", "report.bin", "--rim", "NV_GPU_DRIVER_GH100_1.2.3", *options)
    states = {entry["object"].partition("/")[0]: entry for entry in json.loads(result.out)}
    assert result.code == 1
    assert {kind: entry["state"] for kind, entry in states.items()} == {
        "nvidia-rim": "failed",
        "amd-vcek": "fetched",
        "amd-crl": "fetched",
    }
    assert "not there (404)" in states["nvidia-rim"]["reason"]


def test_a_vlek_that_has_ended_is_no_malformed_input(cli: Cli, vendors: Vendors) -> None:
    folder = Path(__file__).parents[1] / "evidence" / "snp" / "decdab94"
    failure = line(cli("collateral", "fetch", str(folder / "report.bin"), "--mirror", vendors.url), 1)
    assert "vlek.der gives one that ended on" in failure


def test_without_a_mirror_nothing_is_asked(cli: Cli) -> None:
    message = line(cli("collateral", "fetch", "report.bin"), 2)
    assert "name one inside the jurisdiction with --mirror URL or BAILIWICK_COLLATERAL_MIRROR" in message
    assert "kdsintf.amd.com" in message
    assert not (cli.project / "collateral").exists()


def test_the_mirror_can_be_named_in_the_environment(cli: Cli, vendors: Vendors) -> None:
    env = {"BAILIWICK_COLLATERAL_MIRROR": f"amd={vendors.url}/kds"}
    result = cli("collateral", "fetch", "report.bin", "quote.bin", "--sandbox-root", "root.pem", "--json", env=env)
    failed = [entry for entry in json.loads(result.out) if entry["state"] == "failed"]
    assert len(failed) == 4
    assert all("no mirror of intel" in entry["reason"] for entry in failed)
    assert all(path.startswith("/kds/vcek/v1/") for path in vendors.asked)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("fetch", "none.bin", "--mirror", "http://m.example"), "none.bin: No such file or directory"),
        (("fetch", "root.pem", "--mirror", "http://m.example"), "an SNP report has 1184 bytes"),
        (("fetch", "report.bin", "--mirror", "m.example"), "a URL like https://mirror.example/collateral expected"),
        (("fetch", "--fmspc", "xyz", "--mirror", "http://m.example"), "'xyz' is not 6 bytes in hex"),
        (("fetch", "--update", "soon", "--mirror", "http://m.example"), "standard, early or a tcbEvaluationDataNumber"),
        (("fetch", "--ca", "policy.yaml", "--mirror", "http://m.example"), "policy.yaml: no certificates in PEM"),
        (("fetch", "--from-vendors", "--mirror", "http://m.example"), "a mirror of one service, such as amd=URL"),
        (("fetch", "--store", ".", "--mirror", "http://m.example"), "neither empty nor a collateral store"),
        (("list",), "no collateral store; `bailiwick collateral fetch` makes one"),
        (("verify", "--store", "none"), "none: no collateral store"),
        (("export", "bundle", "--key", "none.pem", "--store", "none"), "none: no collateral store"),
        (("import", "none", "--key", "root.pem"), "none: No such file or directory"),
        (("import", "report.bin", "--key", "root.pem"), "root.pem: not a public key in PEM"),
    ],
)
def test_a_wrong_input_is_one_line(cli: Cli, arguments: tuple[str, ...], expected: str) -> None:
    assert expected in line(cli("collateral", *arguments), 2)


def test_export_needs_the_right_kind_of_key(cli: Cli, fetched: Result) -> None:
    assert "is not a private key in PEM" in line(cli("collateral", "export", "bundle", "--key", "root.pem"), 2)
    key = ec.generate_private_key(ec.SECP256R1())
    (cli.project / "p256.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert "is not an ECDSA P-384 key" in line(cli("collateral", "export", "bundle", "--key", "p256.pem"), 2)


def test_a_copied_store_is_a_store(cli: Cli, fetched: Result) -> None:
    shutil.copytree(cli.project / "collateral", cli.project / "copy")
    assert cli("collateral", "verify", "--store", "copy", "--sandbox-root", "root.pem").code == 0
