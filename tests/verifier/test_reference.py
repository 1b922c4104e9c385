"""Reference values count only when the build signed them and the statement agrees with itself."""

import json
from typing import ClassVar

import pytest

from verifier import dsse
from verifier.errors import InvalidReferenceValues
from verifier.reference import PREDICATE_TYPE, read_bundle, read_nitro_bundle, read_tdx_bundle
from verifier.signer import SoftwareSigner

BUILD = SoftwareSigner.generate()
MEASUREMENT = "ab" * 48


def statement(**predicate):
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "guest-1.0.0", "digest": {"sha384": MEASUREMENT}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "image": {"name": "guest", "version": "1.0.0"},
            "tee": "snp",
            "product": "milan",
            "launch_measurements": [MEASUREMENT, "cd" * 48],
            "minimum_tcb": {"bootloader": 4, "tee": 0, "snp": 24, "microcode": 219},
            "guest_policy": {"debug": False, "migrate_ma": False},
            "built_at": "2026-05-01T00:00:00+00:00",
            **predicate,
        },
    }


def bundle(content, signer=BUILD):
    return dsse.sign(dsse.IN_TOTO, json.dumps(content).encode(), signer)


def refusal(content, signer=BUILD) -> str:
    with pytest.raises(InvalidReferenceValues) as error:
        read_bundle(bundle(content, signer), [BUILD.public_key])
    return str(error.value)


def test_a_signed_bundle_is_read():
    values = read_bundle(bundle(statement()), [BUILD.public_key])
    assert values.name == "guest-1.0.0"
    assert values.launch_measurements == {MEASUREMENT, "cd" * 48}
    assert values.minimum_tcb.tcb == (0, 4, 0, 24, 219)


def test_another_signer_is_refused():
    assert "trusted key" in refusal(statement(), SoftwareSigner.generate())


def test_a_changed_payload_is_refused():
    envelope = bundle(statement())
    envelope["payload"] = bundle(statement(product="genoa"))["payload"]
    with pytest.raises(InvalidReferenceValues):
        read_bundle(envelope, [BUILD.public_key])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predicateType": "https://example.org/other"}, "predicateType"),
        ({"predicate": None}, "predicate"),
        ({"subject": []}, "subjects"),
        ({"subject": [{"name": "other-1.0.0", "digest": {"sha384": MEASUREMENT}}]}, "subjects"),
        ({"subject": [{"name": "guest-1.0.0", "digest": {"sha384": "ef" * 48}}]}, "subjects"),
        ({"subject": [{"name": "guest-1.0.0", "digest": "text"}]}, "subjects"),
        ({"subject": "text"}, "subjects"),
        ({"subject": 3}, "subjects"),
        ({"subject": {"name": "guest-1.0.0", "digest": {"sha384": MEASUREMENT}}}, "subjects"),
    ],
)
def test_a_statement_that_does_not_agree_with_itself_is_refused(change, message):
    assert message in refusal({**statement(), **change})


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"tee": "tdx"}, "predicate.tee"),
        ({"product": "rome"}, "predicate.product"),
        ({"launch_measurements": []}, "predicate.launch_measurements"),
        ({"launch_measurements": ["AB" * 48]}, "predicate.launch_measurements.0"),
        ({"minimum_tcb": {"snp": 300}}, "predicate.minimum_tcb.snp"),
        ({"guest_policy": {"debugging": True}}, "predicate.guest_policy.debugging"),
    ],
)
def test_a_predicate_that_does_not_fit_is_refused_at_its_key(change, key):
    assert key in refusal(statement(**change))


class TestTdx:
    """A bundle of a TD's values: MRTD is the subject, registers are optional."""

    def statement(self, **predicate):
        content = statement()
        common = {name: content["predicate"][name] for name in ("image", "built_at")}
        return {**content, "predicate": {**common, "tee": "tdx", "mr_td": [MEASUREMENT], **predicate}}

    def test_a_signed_bundle_is_read(self):
        values = read_tdx_bundle(bundle(self.statement(rtmr1=["12" * 48])), [BUILD.public_key])
        assert (values.name, values.mr_td, values.rtmr1, values.rtmr2) == (
            "guest-1.0.0",
            {MEASUREMENT},
            {"12" * 48},
            None,
        )

    @pytest.mark.parametrize(
        "change", [{"tee": "snp"}, {"mr_td": []}, {"mr_td": ["ab"]}, {"mr_td": ["cd" * 48]}, {"rtmr4": []}]
    )
    def test_what_does_not_fit_is_refused(self, change):
        with pytest.raises(InvalidReferenceValues):
            read_tdx_bundle(bundle(self.statement(**change)), [BUILD.public_key])

    def test_a_bundle_for_snp_is_refused(self):
        with pytest.raises(InvalidReferenceValues):
            read_tdx_bundle(bundle(statement()), [BUILD.public_key])


class TestVtpm:
    """What either kind of bundle states for guests under a paravisor."""

    STATED: ClassVar = {
        "paravisor": {"name": "azure-paravisor", "version": "1.0.0"},
        "launch_measurements": ["ef" * 48],
        "pcrs": {"4": ["ab" * 32], "11": ["cd" * 32, "ce" * 32]},
    }

    def test_it_gives_the_pcrs_and_the_values_of_the_paravisor(self):
        values = read_bundle(bundle(statement(vtpm=self.STATED)), [BUILD.public_key])
        assert values.vtpm.pcrs == {4: {"ab" * 32}, 11: {"cd" * 32, "ce" * 32}}
        below = values.paravisor
        assert (below.name, below.launch_measurements, below.paravisor) == ("azure-paravisor-1.0.0", {"ef" * 48}, None)
        assert (below.product, below.minimum_tcb, below.guest_policy) == (
            values.product,
            values.minimum_tcb,
            values.guest_policy,
        )

    def test_a_td_s_paravisor_is_known_by_its_mrtd_alone(self):
        predicate = {"tee": "tdx", "mr_td": [MEASUREMENT], "rtmr1": ["12" * 48], "vtpm": self.STATED}
        content = statement()
        common = {name: content["predicate"][name] for name in ("image", "built_at")}
        values = read_tdx_bundle(bundle({**content, "predicate": {**common, **predicate}}), [BUILD.public_key])
        assert (values.paravisor.name, values.paravisor.mr_td) == ("azure-paravisor-1.0.0", {"ef" * 48})
        assert values.paravisor.rtmr1 is None

    def test_most_images_state_nothing(self):
        values = read_bundle(bundle(statement()), [BUILD.public_key])
        assert (values.vtpm, values.paravisor) == (None, None)
        of_a_td = read_tdx_bundle(bundle(TestTdx().statement()), [BUILD.public_key])
        assert (of_a_td.vtpm, of_a_td.paravisor) == (None, None)

    @pytest.mark.parametrize(
        ("change", "key"),
        [
            ({"pcrs": {}}, "predicate.vtpm.pcrs"),
            ({"pcrs": {"24": ["ab" * 32]}}, "predicate.vtpm.pcrs.24"),
            ({"pcrs": {"4": []}}, "predicate.vtpm.pcrs.4"),
            ({"pcrs": {"4": ["ab" * 48]}}, "predicate.vtpm.pcrs.4.0"),
            ({"launch_measurements": []}, "predicate.vtpm.launch_measurements"),
            ({"paravisor": {"name": "p"}}, "predicate.vtpm.paravisor.version"),
            ({"pcr": {}}, "predicate.vtpm.pcr"),
        ],
    )
    def test_what_does_not_fit_is_refused_at_its_key(self, change, key):
        assert key in refusal(statement(vtpm=self.STATED | change))


class TestNitro:
    """What AWS's Nitro System measures of an image: in a bundle of its own, or in one for SEV-SNP."""

    PCRS: ClassVar = {"4": [MEASUREMENT]}
    STATED: ClassVar = {
        "firmware": {"name": "ec2-firmware", "version": "1.0.0"},
        "launch_measurements": ["ef" * 48],
        "pcrs": PCRS,
    }

    def read(self, content):
        return read_nitro_bundle(bundle(content), [BUILD.public_key])

    def test_a_bundle_of_its_own(self):
        content = statement()
        common = {name: content["predicate"][name] for name in ("image", "built_at")}
        alone = {**common, "tee": "nitro", "attested": "nitrotpm", "pcrs": self.PCRS}
        assert self.read({**content, "predicate": alone}).pcrs == {4: {MEASUREMENT}}

    def test_a_bundle_for_snp_gives_the_values_of_the_firmware(self):
        values = self.read(statement(nitrotpm=self.STATED))
        assert values.nitrotpm.pcrs == {4: {MEASUREMENT}}
        assert (values.firmware.name, values.firmware.launch_measurements) == ("ec2-firmware-1.0.0", {"ef" * 48})
        assert read_bundle(bundle(statement()), [BUILD.public_key]).firmware is None

    @pytest.mark.parametrize("content", [statement(), statement() | {"predicate": None}])
    def test_a_bundle_that_states_nothing_of_it_is_refused(self, content):
        with pytest.raises(InvalidReferenceValues, match="predicate"):
            self.read(content)
