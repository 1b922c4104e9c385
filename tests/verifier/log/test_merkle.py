"""The Merkle tree against the test vectors of RFC 6962's reference implementation, and every proof of small trees."""

import pytest

from verifier.log import merkle

# Entries and roots of certificate-transparency-go's and C2SP's shared test data (RFC 6962 reference vectors).
ENTRIES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
ENTRIES.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Tree:
    """Perfect subtrees in memory."""

    def __init__(self, entries: list[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        for index, entry in enumerate(entries):
            for level, position, digest in merkle.completed(index, merkle.leaf_hash(entry), self.node):
                self.nodes[level, position] = digest

    def node(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    assert merkle.root_hash(size, Tree(ENTRIES[:size]).node).hex() == ROOTS[size]


def test_the_reference_proof_of_entry_0_of_8() -> None:
    proof = merkle.inclusion_proof(0, 8, Tree(ENTRIES).node)
    assert [sibling.hex() for sibling in proof] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]


@pytest.mark.parametrize("size", range(1, 20))
def test_every_entry_of_a_tree_is_proved_and_only_at_its_place(size: int) -> None:
    entries = [b"entry %d" % number for number in range(size)]
    tree = Tree(entries)
    root = merkle.root_hash(size, tree.node)
    for index, entry in enumerate(entries):
        leaf, proof = merkle.leaf_hash(entry), merkle.inclusion_proof(index, size, tree.node)
        assert merkle.root_from_proof(index, size, leaf, proof) == root
        assert merkle.root_from_proof(index, size, merkle.leaf_hash(b"other"), proof) != root
        assert merkle.root_from_proof(index, size, leaf, [*proof, leaf]) is None
        assert merkle.root_from_proof(index, size, leaf, proof[1:]) != root or not proof
        assert merkle.root_from_proof(index + size, size, leaf, proof) is None
        for other in range(size):
            if other != index:
                assert merkle.root_from_proof(other, size, leaf, proof) != root
