"""DER values with something in them that does not belong there."""

from tests.verifier.fake_x509 import tlv
from verifier.pki import der

NULL = b"\x05\x00"


def nested(encoded: bytes, *path: int, added: bytes = NULL) -> bytes:
    """A DER value in which the one at `path`, as counted in each value on the way, has one more at its end.

    An OCTET STRING on the way is read as the DER that it holds.
    """
    outer = der.Reader(encoded).read_any("value")
    if not path:
        return tlv(outer.tag, outer.contents, added)
    reader, members = der.Reader(outer.contents), []
    while reader.more():
        members.append(reader.read_any("member").encoded)
    members[path[0]] = nested(members[path[0]], *path[1:], added=added)
    return tlv(outer.tag, *members)
