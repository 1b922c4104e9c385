"""AMD's KDS, Intel's PCS and a PCCS, NVIDIA's RIM service and OCSP responder, for what the sandbox's stand-ins issued.

Every path is served below a first part that may be anything, as a mirror has it: `/<vendor's host>/<vendor's path>`.
Paths, parameters and headers are those of AMD 57230, of Intel's PCS API v4, and of NVIDIA's services.
"""

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.hardware import SandboxPki
from sandbox.hardware.chip import PRODUCT_NAME
from sandbox.hardware.intel_collateral import files
from sandbox.hardware.nvidia_collateral import known_certificates, ocsp_response, published_rims
from sandbox.hardware.platform import FMSPC

_PRODUCT = PRODUCT_NAME.partition("-")[0]
_DER = "application/octet-stream"
_PEM = "application/x-pem-file"

Clock = Callable[[], datetime]


class VendorServices:
    """The services of all emulated vendors. clock: when their documents are issued."""

    def __init__(self, pki: SandboxPki, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._pki = pki
        self._clock = clock

    def app(self) -> Starlette:
        """The ASGI application."""
        amd, tdx, sgx = "/{host}/vcek/v1/{product}", "/{host}/tdx/certification/v4", "/{host}/sgx/certification/v4"
        return Starlette(
            routes=[
                Route(f"{amd}/cert_chain", self._amd_chain),
                Route(f"{amd}/crl", self._amd_crl),
                Route(f"{amd}/{{chip}}", self._vcek),
                Route(f"{tdx}/tcb", self._tcb_info),
                Route(f"{tdx}/qe/identity", self._qe_identity),
                Route(f"{sgx}/pckcrl", self._pck_crl),
                Route(f"{sgx}/rootcacrl", self._root_crl_in_hex),
                Route("/{host}/IntelSGXRootCA.der", self._root_crl),
                Route("/{host}/v1/rim/{name}", self._rim),
                Route("/{host}/", self._ocsp, methods=["POST"]),
            ]
        )

    def _amd_chain(self, request: Request) -> Response:
        if request.path_params["product"] != _PRODUCT:
            return _not_found()
        return Response(self._pki.ask.pem + self._pki.ark.pem, media_type=_PEM)

    def _amd_crl(self, request: Request) -> Response:
        if request.path_params["product"] != _PRODUCT:
            return _not_found()
        return Response(self._pki.revocation_list(), media_type=_DER)

    def _vcek(self, request: Request) -> Response:
        """The certificate of a chip that exists, at a TCB that it has had."""
        query = request.query_params
        try:
            chip = bytes.fromhex(request.path_params["chip"])
            levels = [int(query[name]) for name in ("blSPL", "teeSPL", "snpSPL", "ucodeSPL")]
            tcb = bytes([levels[0], levels[1], 0, 0, 0, 0, levels[2], levels[3]])
        except (KeyError, ValueError):
            return Response("invalid parameter", 400)
        found = self._pki.issued(chip, tcb)
        if found is None or request.path_params["product"] != _PRODUCT:
            return _not_found()
        return Response(found.der, media_type=_DER)

    def _tcb_info(self, request: Request) -> Response:
        if request.query_params.get("fmspc", "").lower() != FMSPC.hex():
            return _not_found()
        return self._document("tcb_info", "tcbInfo", "TCB-Info-Issuer-Chain")

    def _qe_identity(self, request: Request) -> Response:  # noqa: ARG002 - standard and early are the same here
        return self._document("qe_identity", "enclaveIdentity", "SGX-Enclave-Identity-Issuer-Chain")

    def _document(self, file: str, member: str, header: str) -> Response:
        content = files(self._pki.intel, self._clock())
        signature = content[f"{file}.sig"].hex().encode()
        body = b'{"%s":%s,"signature":"%s"}' % (member.encode(), content[f"{file}.json"], signature)
        chain = {header: quote(content["tcb_signing_chain.pem"])}
        return Response(body, headers=chain, media_type="application/json")

    def _pck_crl(self, request: Request) -> Response:
        if request.query_params.get("ca") != "platform":
            return _not_found()
        authority = self._pki.intel.platform_ca
        chain = {"SGX-PCK-CRL-Issuer-Chain": quote(authority.pem + self._pki.intel.root.pem)}
        return Response(self._pki.intel.revocation_list(authority), headers=chain, media_type="application/pkix-crl")

    def _root_crl(self, request: Request) -> Response:  # noqa: ARG002 - there is one
        return Response(self._pki.intel.revocation_list(self._pki.intel.root), media_type=_DER)

    def _root_crl_in_hex(self, request: Request) -> Response:  # noqa: ARG002 - as a PCCS serves it
        return Response(self._pki.intel.revocation_list(self._pki.intel.root).hex(), media_type="text/plain")

    def _rim(self, request: Request) -> Response:
        name = request.path_params["name"]
        content = published_rims(self._pki.nvidia).get(name)
        if content is None:
            return _not_found()
        digest = hashlib.sha256(content).hexdigest()
        return JSONResponse({"id": name, "rim": base64.b64encode(content).decode("ascii"), "sha256": digest})

    async def _ocsp(self, request: Request) -> Response:
        try:
            asked = ocsp.load_der_ocsp_request(await request.body())
        except ValueError:
            return Response("malformed request", 400)
        for identity, issuer in known_certificates(self._pki.nvidia):
            if identity.certificate.serial_number == asked.serial_number:
                answer = ocsp_response(identity, issuer, self._clock(), _nonce(asked))
                return Response(answer, media_type="application/ocsp-response")
        unknown = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED)
        return Response(unknown.public_bytes(Encoding.DER), media_type="application/ocsp-response")


def _nonce(request: ocsp.OCSPRequest) -> x509.OCSPNonce | None:
    try:
        return request.extensions.get_extension_for_class(x509.OCSPNonce).value
    except x509.ExtensionNotFound:
        return None


def _not_found() -> Response:
    return Response("not found", 404)
