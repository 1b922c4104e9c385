"""VMs of a fake Azure: parsing is total, each check can be the only one that fails, and so can each claim."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.azure.fake_azure import VM_ID, Vm
from tests.verifier.azure.genuine import CASES
from tests.verifier.tpm.fake_tpm import SHA256, Tpm, ec_key, rsa_key
from tests.verifier.tpm.test_event_log import LOG, event, quoted, variable
from verifier import jwk
from verifier.appraisal import AppraisalPolicy
from verifier.appraisal.azure import appraise, rejected
from verifier.appraisal.azure_policy import AzurePolicy
from verifier.azure import HostedReport, parse
from verifier.errors import MalformedEvidence, VerificationFailed
from verifier.tpm.secure_boot import EV_EFI_VARIABLE_DRIVER_CONFIG

SIGNER = bytes(range(48))
"""Digest of the key that signed the paravisor's launch."""
VM = replace(Vm(), hardware=Vm().hardware.with_fields(id_key_digest=SIGNER))
REPORT = VM.report()
TDX_REPORT = CASES["hcl-tdx-2023"].report
NONCE = VM.tpm.nonce
POLICY = AppraisalPolicy(
    reference_values="if-given",
    id_key_digests={SIGNER.hex()},
    azure=AzurePolicy(pcrs={register: {VM.tpm.pcrs[SHA256][register].hex()} for register in (0, 7)}),
)


def failed_check(vm: Vm, evidence=None) -> str:
    with pytest.raises(VerificationFailed) as failure:
        vm.verified(evidence)
    return failure.value.check


def offset_of_error(data: bytes) -> int:
    with pytest.raises(MalformedEvidence) as error:
        parse(data)
    return error.value.offset


def against(vm: Vm, nonce=NONCE, policy=POLICY, **azure) -> list[str]:
    policy = policy.model_copy(update={"azure": policy.azure.model_copy(update=azure)})
    result = appraise(vm.verified(), policy, nonce=nonce)
    return [claim.name for submod in result.submods.values() for claim in submod.claims if claim.tier > 2]


class TestVerify:
    """Each check fails alone."""

    @pytest.mark.parametrize("name", ["sha256", "sha384", "sha512"])
    def test_a_genuine_vm(self, name):
        vm = replace(VM, hash_name=name)
        verified = vm.verified()
        assert verified.hcl.hosted is HostedReport.SNP
        assert verified.vtpm.pcrs == vm.tpm.pcrs
        assert verified.annotations()["vm_id"] == VM_ID

    def test_report_data_must_be_the_hash_and_then_zeros(self):
        good = parse(REPORT).report_data
        for wrong in (bytes(range(64)), good[:63] + b"\1", good[:32] * 2, good[32:] + good[:32]):
            assert failed_check(VM, VM.evidence(wrong)) == "hcl.binding"

    def test_reserialised_claims_are_refused(self):
        report = parse(replace(VM, text=json.dumps(VM.claims, indent=1).encode()).report(parse(REPORT).report_data))
        assert failed_check(VM, replace(VM.evidence(), hcl=report)) == "hcl.binding"

    @pytest.mark.parametrize("changes", [{"status": 1}, {"request": 1}])
    def test_the_request_must_have_been_served(self, changes):
        assert failed_check(replace(VM, changes=changes)) == "hcl.request"

    @pytest.mark.parametrize(
        "keys",
        [
            [],
            [{"kid": "HCLEkPub"} | jwk.from_public_key(rsa_key().public_key())],
            [{"kid": "HCLAkPub"} | jwk.from_public_key(rsa_key(1024).public_key())],
            [{"kid": "HCLAkPub"} | jwk.from_public_key(ec_key().public_key())],
            [{"kid": "HCLAkPub", "kty": "RSA", "e": "AQAB"}],
        ],
        ids=["none", "other", "weak", "elliptic", "incomplete"],
    )
    def test_the_claims_must_have_a_usable_attestation_key(self, keys):
        assert failed_check(VM.with_claims(keys=keys)) == "hcl.attestation-key"

    def test_the_attestation_key_of_the_claims_must_sign(self):
        assert failed_check(replace(VM, tpm=Tpm(key=rsa_key(3072)))) == "tpm.signature"

    def test_the_hardware_must_be_genuine(self):
        evidence = VM.evidence()
        forged = replace(evidence.hcl.snp_report, signature_r=1)
        assert failed_check(VM, replace(evidence, hcl=replace(evidence.hcl, snp_report=forged))) == "signature"

    def test_an_event_log_must_replay(self):
        assert failed_check(replace(VM, log=LOG)) == "event-log.pcr0"
        vm = replace(VM, tpm=Tpm(pcrs=dict(quoted(LOG).pcrs)), log=LOG)
        assert len(vm.verified().events) == 10

    def test_a_failure_counts_for_the_submodule_it_is_about(self):
        for check, name in (("tpm.signature", "vtpm"), ("hcl.binding", "cpu"), ("event-log.pcr0", "vtpm")):
            result = rejected(VerificationFailed(check, "why"), POLICY)
            assert list(result.submods) == [name]
            assert str(result.status) == "contraindicated"


class TestAppraise:
    """Each claim fails alone."""

    def test_a_well_configured_vm_is_affirmed(self):
        assert against(VM) == []
        assert str(appraise(VM.verified(), POLICY, nonce=NONCE).status) == "affirming"

    @pytest.mark.parametrize("nonce", [None, b"", b"other", NONCE + b"\0", NONCE[:-1]])
    def test_nonce(self, nonce):
        assert against(VM, nonce) == ["nonce"]

    def test_a_quote_without_a_nonce(self):
        for empty in (b"", bytes(32)):
            vm = replace(VM, tpm=Tpm(nonce=empty))
            for nonce in (empty, NONCE, b""):
                assert against(vm, nonce) == ["nonce"]

    def test_secure_boot_as_the_paravisor_states_it(self):
        assert against(VM.with_configuration(secure_boot=False)) == ["secure-boot"]
        assert against(VM.with_configuration(secure_boot=None)) == ["secure-boot"]
        assert against(VM.with_configuration(secure_boot=False), require_secure_boot=False) == []

    @pytest.mark.parametrize(("value", "expected"), [(b"\1", []), (b"\0", ["secure-boot"])])
    def test_secure_boot_as_it_was_measured(self, value, expected):
        log = LOG + event(7, EV_EFI_VARIABLE_DRIVER_CONFIG, variable(value))
        vm = replace(VM, tpm=Tpm(pcrs=dict(quoted(log).pcrs)), log=log)
        assert against(vm, pcrs=None, event_log="required") == expected

    def test_console(self):
        vm = VM.with_configuration(console_enabled=True)
        assert (against(vm), against(vm, allow_console=False)) == ([], ["console"])
        assert against(VM.with_configuration(console_enabled=False), allow_console=False) == []
        assert against(VM.with_configuration(console_enabled=None), allow_console=False) == ["console"]

    def test_vm_id(self):
        assert against(VM, vm_ids=frozenset({VM_ID})) == []
        assert against(VM, vm_ids=frozenset({VM_ID.replace("2", "3")})) == ["vm-id"]
        assert against(VM.with_configuration(vmUniqueId=None), vm_ids=frozenset({VM_ID})) == ["vm-id"]

    def test_pcrs(self):
        assert against(VM, pcrs={7: frozenset({"00" * 32})}) == ["pcr7"]
        vm = replace(VM, tpm=Tpm(selection=((SHA256, (0,)),)))
        assert against(vm) == ["pcr7"]

    def test_an_unknown_image_is_not_acceptable_where_reference_values_are_required(self):
        policy = POLICY.model_copy(update={"reference_values": "required", "id_key_digests": None})
        assert against(VM, policy=policy) == ["measurement"]
        assert against(VM, policy=policy, pcrs=None) == ["measurement", "pcrs"]
        named = policy.model_copy(update={"images": frozenset({"inference-guest-1.0.0"})})
        assert against(VM, policy=named) == ["measurement", "pcrs"], "listed PCRs are of no image"

    def test_listed_pcrs_mean_nothing_under_a_paravisor_that_nobody_knows(self):
        """Any guest can name a key of its own in REPORT_DATA, and sign with it the PCRs that a policy lists."""
        anyone = POLICY.model_copy(update={"id_key_digests": None})
        assert against(VM, policy=anyone) == ["measurement"]
        assert against(VM, policy=anyone, pcrs=None) == []

    def test_event_log(self):
        assert against(VM, event_log="required") == ["event-log"]

    def test_quote(self):
        verified = VM.verified(replace(VM.evidence(), vtpm=None))
        result = appraise(verified, POLICY, nonce=NONCE).submods["vtpm"]
        assert [claim.name for claim in result.claims if claim.tier > 2] == ["vtpm-quote", "nonce", "pcr0", "pcr7"]

    def test_who_signed_the_launch_vouches_for_the_measurement_alone(self):
        signer = b"\x1d" * 48
        policy = POLICY.model_copy(
            update={"id_key_digests": frozenset({signer.hex(), "00" * 48}), "reference_values": "required"}
        )
        vm = replace(VM, hardware=VM.hardware.with_fields(policy=0xB001F, id_key_digest=signer))
        assert against(vm, policy=policy) == ["policy.debug"]
        assert against(Vm(), policy=policy) == ["measurement"], "a digest of zeros is nobody's"

    def test_the_cpu_is_appraised_as_any_other(self):
        vm = replace(VM, hardware=VM.hardware.with_fields(policy=0xB001F, vmpl=1))
        assert against(vm) == ["policy.debug", "vmpl"]


class TestParse:
    """Any bytes are a report or malformed, with the offset of what is wrong."""

    @pytest.mark.parametrize(
        ("changes", "offset"),
        [
            ({"version": 0}, 4),
            ({"version": 3}, 4),
            ({"size": 1}, 8),
            ({"runtime_size": 1}, 1216),
            ({"runtime_version": 2}, 1220),
            ({"kind": 1}, 1224),
            ({"hash": 0}, 1228),
            ({"hash": 4}, 1228),
            ({"length": 0xFFFFFFFF}, 1232),
            ({"length": 5}, 1216),
        ],
    )
    def test_numbers_that_cannot_be(self, changes, offset):
        assert offset_of_error(replace(VM, changes=changes).report()) == offset

    def test_what_surrounds_the_report(self):
        assert offset_of_error(b"HCLB" + REPORT[4:]) == 0
        assert offset_of_error(REPORT[:20] + b"\1" + REPORT[21:]) == 20
        assert offset_of_error(REPORT + b"\1") == len(REPORT)
        assert offset_of_error(REPORT.ljust(16_385, b"\0")) == 16_384
        assert offset_of_error(REPORT[:32] + b"\7" + REPORT[33:]) == 32
        assert offset_of_error(TDX_REPORT[:1100] + b"\1" + TDX_REPORT[1101:]) == 1056

    def test_every_truncation_is_refused(self):
        for length in range(1236 + len(VM.json())):
            assert offset_of_error(REPORT[:length]) <= max(length, 1232)

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"[]",
            b"\xff",
            b'{"keys":[],"keys":[]}',
            b'{"keys":{},"vm-configuration":{}}',
            json.dumps({"keys": [{"kid": str(n)} for n in range(17)], "vm-configuration": {}}).encode(),
            b'{"keys":[1],"vm-configuration":{}}',
            b'{"keys":[{"kid":"a"},{"kid":"a"}],"vm-configuration":{}}',
            b'{"keys":[]}',
            b'{"keys":[],"vm-configuration":{"secure-boot":1}}',
            b'{"keys":[],"vm-configuration":{"vmUniqueId":1}}',
            b'{"keys":[],"vm-configuration":{},"user-data":"00"}',
            b'{"keys":[],"vm-configuration":{},"user-data":"zz"}',
            b'{"keys":[],"vm-configuration":{},"user-data":7}',
            b'{"keys":' + b"[" * 1000,
        ],
    )
    def test_claims_that_are_not_as_they_must_be(self, text):
        assert offset_of_error(replace(VM, text=text).report()) == 1236

    @settings(max_examples=300, deadline=None)
    @given(
        st.sampled_from([REPORT, TDX_REPORT]),
        st.lists(st.tuples(st.integers(0, 2599), st.integers(0, 255)), min_size=1, max_size=4),
    )
    def test_any_change_parses_or_is_malformed(self, report, changes):
        changed = bytearray(report)
        for offset, value in changes:
            changed[offset] = value
        try:
            found = len(parse(bytes(changed)).runtime_json)
        except MalformedEvidence as error:
            found = error.offset
        assert 0 <= found <= len(changed)
