"""`bailiwick verify --event-log`: a log counts if it replays to what the hardware quoted, and else nothing passes."""

from pathlib import Path

import pytest

from sandbox.hardware import Measured, Platform, TdxModule
from tests.verifier.emulated_files import NONCE, FileSite
from tests.verifier.genuine import genuine
from verifier.command import Verdict

KERNEL, APPLICATION = Measured(1, 0x80000003, b"kernel"), Measured(2, 0x0D, b"application")


@pytest.fixture
def site(tmp_path: Path) -> FileSite:
    return FileSite(tmp_path)


@pytest.fixture
def td(site: FileSite) -> tuple[Path, Path]:
    """A TD's quote and its log."""
    module = TdxModule(site.pki.intel, Platform("host-a"))
    launched = module.launch(bytes(48), (KERNEL, APPLICATION))
    quote = site.write("quote.bin", module.quote(launched, NONCE.ljust(64, b"\0")))
    return quote, site.write("ccel.bin", launched.event_log)


@pytest.fixture
def vm(site: FileSite) -> tuple[Path, Path]:
    return site.start_vm()


def claim(verdict: Verdict) -> tuple[str, str]:
    (found,) = (claim for claim in verdict.claims if claim.name == "event-log")
    return str(found.tier), found.value


def test_a_log_of_the_td_is_a_claim_for_it(site: FileSite, td: tuple[Path, Path]) -> None:
    verdict = site.verify(*td)
    assert verdict.exit_code == 0, verdict.summary
    assert claim(verdict) == ("affirming", "2 events")


def test_a_log_of_the_vtpm_is_a_claim_for_it(site: FileSite, vm: tuple[Path, Path]) -> None:
    verdict = site.verify(*vm)
    assert verdict.exit_code == 0, verdict.summary
    assert claim(verdict) == ("affirming", "12 events")
    secure_boot = next(claim for claim in verdict.claims if claim.name == "secure-boot")
    assert "PCR 7 agrees" in secure_boot.reason


def test_a_td_log_that_does_not_replay_is_no_pass(site: FileSite, td: tuple[Path, Path]) -> None:
    module = TdxModule(site.pki.intel, Platform("host-a"))
    other = site.write("other.bin", module.launch(bytes(48), (KERNEL,)).event_log)
    verdict = site.verify(td[0], other)
    assert verdict.exit_code == 1
    assert verdict.summary.startswith("not shown to be genuine: event-log.rtmr2: the log replays to ")


def test_a_tpm_log_that_does_not_replay_is_no_pass(site: FileSite, vm: tuple[Path, Path]) -> None:
    changed = site.write("changed.bin", vm[1].read_bytes().replace(b"application", b"applicatioN"))
    assert site.verify(vm[0], changed).exit_code == 0  # data that is in no digest proves nothing, and harms nothing
    digests = bytearray(vm[1].read_bytes())
    digests[-len(APPLICATION.data) - 5] ^= 1  # the last byte of the last event's digest
    verdict = site.verify(vm[0], site.write("changed.bin", bytes(digests)))
    assert verdict.exit_code == 1
    assert verdict.summary.startswith("not shown to be genuine: event-log.pcr11")


@pytest.mark.parametrize("evidence", ["td", "vm"])
def test_a_log_that_is_none_cannot_be_used(site: FileSite, evidence: str, request: pytest.FixtureRequest) -> None:
    path, _ = request.getfixturevalue(evidence)
    verdict = site.verify(path, site.write("broken.bin", b"no log"))
    assert verdict.exit_code == 2
    assert "first event" in verdict.summary


def test_a_log_that_is_not_there_cannot_be_used(site: FileSite, td: tuple[Path, Path]) -> None:
    verdict = site.verify(td[0], site.folder / "missing.bin")
    assert (verdict.exit_code, "missing.bin: No such file" in verdict.summary) == (2, True)


def test_a_policy_may_demand_a_td_s_log(site: FileSite, td: tuple[Path, Path]) -> None:
    site.ask(tdx={"event_log": "required"})
    assert site.verify(*td).exit_code == 0
    verdict = site.verify(td[0], None)
    assert (verdict.exit_code, verdict.genuine) == (1, True)
    assert "event-log: the policy demands the firmware's event log" in verdict.summary


def test_without_a_quote_by_the_vtpm_nothing_attests_its_log(site: FileSite, vm: tuple[Path, Path]) -> None:
    (site.folder / "tpm_quote.msg").unlink()
    verdict = site.verify(*vm)
    assert verdict.exit_code == 2
    assert "there is no quote by the vTPM that could attest it" in verdict.summary


def test_a_report_without_registers_attests_no_log(site: FileSite, td: tuple[Path, Path]) -> None:
    report = site.write("report.bin", genuine()[0].report)
    verdict = site.verify(report, td[1])
    assert verdict.exit_code == 2
    assert "this evidence has no registers for it" in verdict.summary
