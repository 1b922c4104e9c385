"""Emulated Intel platforms: which processor a host has, and which versions of microcode and TDX module it runs."""

import hashlib
from dataclasses import dataclass
from typing import Final

FMSPC: Final = b"BW\0\0\0\1"
"""Family, model, stepping, platform type and custom SKU, 6 bytes: of no platform that Intel ever sold."""

PCE_ID: Final = bytes(2)
COMPONENTS: Final = 16


@dataclass(frozen=True, slots=True)
class PlatformTcb:
    """Security versions. sgx: of each of the 16 SGX TCB components. pcesvn: of the provisioning enclave.

    module: SVN and major version of the TDX module. tdx: of the third TDX TCB component, the microcode.
    """

    sgx: int
    pcesvn: int
    module: tuple[int, int]
    tdx: int

    @property
    def components(self) -> bytes:
        """SVNs of the SGX TCB components, one byte each; together they are the CPUSVN."""
        return bytes([self.sgx] * COMPONENTS)

    @property
    def tee_tcb_svn(self) -> bytes:
        """TEE_TCB_SVN, 16 bytes."""
        return bytes([*self.module, self.tdx]).ljust(COMPONENTS, b"\0")


CURRENT_PLATFORM_TCB: Final = PlatformTcb(sgx=5, pcesvn=13, module=(6, 1), tdx=3)
"""What an emulated host runs unless a test says otherwise: up to date."""

OLD_PLATFORM_TCB: Final = PlatformTcb(sgx=4, pcesvn=11, module=(4, 1), tdx=2)
"""What the collateral calls out of date."""


@dataclass(frozen=True, slots=True)
class Platform:
    """One emulated host with TDX. `host` names it, and decides its identity."""

    host: str
    tcb: PlatformTcb = CURRENT_PLATFORM_TCB

    @property
    def ppid(self) -> bytes:
        """PPID, 16 bytes: the same host has the same one in every run."""
        return hashlib.sha256(f"bailiwick sandbox platform\0{self.host}".encode()).digest()[:16]
