"""The archive: what is kept is what its name says, or it is an error."""

import hashlib

import pytest

from verifier.log.archive import Archive, ArchiveError

CONTENT = b"evidence"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def test_what_is_kept_is_read_back_and_listed(tmp_path):
    archive = Archive(tmp_path / "attested")
    assert archive.put("evidence", CONTENT) == DIGEST
    assert archive.get("evidence", DIGEST) == CONTENT
    assert archive.digests("evidence") == [DIGEST]
    assert archive.digests("result") == []


def test_what_is_there_is_not_written_again(tmp_path):
    archive = Archive(tmp_path)
    archive.put("evidence", CONTENT)
    before = (tmp_path / f"evidence-{DIGEST}").stat().st_ino
    archive.put("evidence", CONTENT)
    assert (tmp_path / f"evidence-{DIGEST}").stat().st_ino == before


def test_what_was_changed_or_is_missing_is_an_error(tmp_path):
    archive = Archive(tmp_path)
    with pytest.raises(ArchiveError, match="cannot read"):
        archive.get("evidence", DIGEST)
    archive.put("evidence", CONTENT)
    (tmp_path / f"evidence-{DIGEST}").write_bytes(b"other evidence")
    with pytest.raises(ArchiveError, match="was changed"):
        archive.get("evidence", DIGEST)


@pytest.mark.parametrize("digest", ["", "0" * 63, "0" * 65, "A" * 64, "../" + "0" * 61, "0" * 63 + "\n"])
def test_only_a_digest_names_a_file(tmp_path, digest):
    with pytest.raises(ArchiveError, match="is not a SHA-256 in hex"):
        Archive(tmp_path).get("evidence", digest)


def test_what_cannot_be_written_is_an_error_and_leaves_nothing(tmp_path):
    (tmp_path / f"evidence-{DIGEST}").mkdir()
    with pytest.raises(ArchiveError, match="cannot write"):
        Archive(tmp_path).put("evidence", CONTENT)
    assert [path.name for path in tmp_path.iterdir()] == [f"evidence-{DIGEST}"]
