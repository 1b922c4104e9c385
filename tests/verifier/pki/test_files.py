"""Files that a person names: found by name, read in DER or PEM, and every reason why not in one line."""

import base64

import pytest

from tests.verifier.fake_amd import milan
from verifier.errors import MalformedEvidence, UnreadableInput
from verifier.pki.files import certificates_in, find, find_revocation_lists, pem_values, read_bytes

LEAF = milan().leaf.encode()
PEM = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(LEAF) + b"-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(("content", "count"), [(LEAF, 1), (PEM, 1), (PEM + PEM, 2), (b"\n" + PEM, 1)])
def test_der_and_pem_give_the_same_certificates(tmp_path, content, count):
    path = tmp_path / "vcek.crt"
    path.write_bytes(content)
    assert certificates_in(path) == [LEAF] * count


def test_pem_that_is_not_base64_is_refused():
    with pytest.raises(MalformedEvidence, match="not base64"):
        pem_values(b"-----BEGIN CERTIFICATE-----\nAAAAA\n-----END CERTIFICATE-----\n")


def test_the_exact_name_comes_before_a_prefixed_one(tmp_path):
    for name in ("a_vcek.der", "vcek1.der", "vcek.pem", "vcek.txt", "myvcek.der"):
        (tmp_path / name).write_bytes(LEAF)
    assert find(tmp_path, "vcek").name == "vcek.pem"
    (tmp_path / "vcek.pem").unlink()
    assert find(tmp_path, "vcek").name == "a_vcek.der"
    (tmp_path / "a_vcek.der").unlink()
    assert find(tmp_path, "vcek") is None


def test_revocation_lists_are_found_by_suffix_or_name(tmp_path):
    for name in ("milan.crl", "crl.der", "genoa_crl.pem", "vcek.der", "crl.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in find_revocation_lists(tmp_path)] == ["crl.der", "genoa_crl.pem", "milan.crl"]


def test_a_large_file_is_not_read_whole(tmp_path):
    path = tmp_path / "report.bin"
    path.write_bytes(bytes(11))
    assert read_bytes(path, 11) == bytes(11)
    with pytest.raises(UnreadableInput, match="larger than 10 bytes"):
        read_bytes(path, 10)


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UnreadableInput, match="Is a directory"):
        read_bytes(tmp_path)
    with pytest.raises(UnreadableInput, match="No such file"):
        find(tmp_path / "none", "vcek")
