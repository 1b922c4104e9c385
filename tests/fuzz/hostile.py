"""Inputs that are made to exhaust whoever reads them: each was the death of some parser, and some of them of ours."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from functools import cache

MIB = 1 << 20
NULL = b"\x05\x00"


def der(tag: int, content: bytes) -> bytes:
    """One DER value."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


@cache
def deep_asn1(depth: int = 3000) -> bytes:
    """SEQUENCEs in each other."""
    content = b""
    for _ in range(depth):
        content = der(0x30, content)
    return content


def laughs(levels: int = 10) -> bytes:
    """Entities that each stand for ten of the one before: 10^10 characters at the end."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, levels))
    return f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e0 "ha">{entities}]><r>&e{levels - 1};</r>'.encode()


def external(entity: str) -> bytes:
    """An entity that is a file, or an answer from the network."""
    return f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "{entity}">]><r>&x;</r>'.encode()


def sgx_extension(member: str, value: bytes) -> bytes:
    """An SGX extension with a TCB of one member."""
    oids = {"tcb": "060a2a864886f84d010d0102", "svn": "060b2a864886f84d010d010201"}
    inner = der(0x30, der(0x30, bytes.fromhex(oids[member]) + value))
    return der(0x30, der(0x30, bytes.fromhex(oids["tcb"]) + inner))


HOSTILE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "zeros": lambda: bytes(2 * MIB),
    "ones": lambda: b"\xff" * (2 * MIB),
    "deep ASN.1": deep_asn1,
    "deep ASN.1, all of 2 MiB": lambda: b"\x30\x80" * MIB,
    "ASN.1 of 4 GiB": lambda: b"\x30\x84\xff\xff\xff\xff\x02\x01\x00",
    "ASN.1 of a size of 126 bytes": lambda: b"\x30\xfe" + b"\xff" * 126,
    "an object identifier of 16 KiB": lambda: der(0x30, der(0x30, der(0x06, b"\xff" * 16_000 + b"\x7f") + NULL)),
    "an SVN of 4 KiB": lambda: sgx_extension("svn", der(0x02, b"\x7f" * 4096)),
    "CBOR: an array of 2^64 - 1": lambda: b"\x9b" + b"\xff" * 8,
    "CBOR: bytes of 2^63": lambda: b"\x5b\x7f" + b"\xff" * 7,
    "CBOR: arrays in each other": lambda: b"\x81" * 100_000 + b"\x00",
    "CBOR: COSE_Sign1 with a payload of 4 GiB": lambda: b"\xd2\x84\x43\xa1\x01\x38\x22\xa0\x5a\xff\xff\xff\xff",
    "CBOR: tags on tags": lambda: b"\xc1" * 100_000 + b"\x00",
    "JSON: lists in each other": lambda: b"[" * MIB,
    "JSON: objects in each other": lambda: b'{"a":' * (MIB // 8),
    "JSON: a number of 1 MiB": lambda: b'{"version":' + b"9" * MIB + b"}",
    "JSON: an exponent": lambda: b'{"version":1e999999999}',
    "JSON: one name twice, last of many": lambda: (
        b"{" + b"".join(b'"%d":0,' % n for n in range(100_000)) + b'"99999":0}'
    ),
    "JSON: a list of 100,000 lists": lambda: b"[" + b"[]," * 100_000 + b"[]]",
    "PEM: nothing but white space": lambda: b"-----BEGIN CERTIFICATE-----" + b" " * 130_000,
    "PEM: beginnings without an end": lambda: b"-----BEGIN CERTIFICATE-----\nAAAA\n" * 4000,
    "PEM: base64 that is no certificate": lambda: (
        b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(bytes(90_000)) + b"\n-----END CERTIFICATE-----\n"
    ),
    "a certificate that unpacks to 64 MiB": lambda: zlib.compress(bytes(64 * MIB), 9),
    "XML: a billion laughs": laughs,
    "XML: one long entity, many times": lambda: (
        b'<!DOCTYPE r [<!ENTITY x "' + b"x" * 50_000 + b'">]><r>' + b"&x;" * 50_000 + b"</r>"
    ),
    "XML: a file": lambda: external("file:///etc/passwd"),
    "XML: the network": lambda: external("http://127.0.0.1:9/x"),
    "XML: elements in each other": lambda: b"<a>" * 80_000,
    "XML: as many attributes as fit": lambda: b"<a " + b" ".join(b"a%d=''" % n for n in range(25_000)) + b"/>",
    "XML: namespaces on each element": lambda: (
        b"".join(b"<a xmlns:n%d='u%d'>" % (n, n) for n in range(240)) + b"</a>" * 240
    ),
    "an HCL report whose claims are deep": lambda: hcl(b"[" * 10_000),
    "an event log of a million events": lambda: log(b"\x03" + bytes(11)),
    "a token of dots": lambda: b"." * 200_000,
    "a token with a deep header": lambda: token(b"[" * 100_000),
    "an envelope of 1,000 signatures": lambda: envelope(1000),
}


def hcl(text: bytes) -> bytes:
    """An HCL report of a TD with these runtime claims."""
    size = len(text)
    numbers = b"".join(number.to_bytes(4, "little") for number in (20 + size, 1, 4, 1, size))
    header = b"HCLA" + b"".join(n.to_bytes(4, "little") for n in (2, 1216 + 20 + size, 2, 0)) + bytes(12)
    return header + bytes(1184) + numbers + text


def log(event: bytes) -> bytes:
    """A crypto-agile event log that says the same again and again."""
    specification = b"Spec ID Event03\0" + bytes(4) + b"\0\2\0\2" + b"\1\0\0\0" + b"\x0c\0\x30\0" + b"\0"
    first = bytes(4) + b"\3\0\0\0" + bytes(20) + len(specification).to_bytes(4, "little") + specification
    return first + event * 80_000


def token(header: bytes) -> bytes:
    """A JWT with this header."""
    return base64.urlsafe_b64encode(header).rstrip(b"=") + b".e30.AAAA"


def envelope(count: int) -> bytes:
    """A DSSE envelope that a stranger signed many times."""
    signature = base64.b64encode(bytes.fromhex("3006020101020101")).decode()
    return json.dumps({"payload": "AAAA", "payloadType": "x", "signatures": [{"sig": signature}] * count}).encode()
