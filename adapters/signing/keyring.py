"""The signers of one e-port, by the code of the declarant they sign for."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from ...config.eports import PRODUCTION, EPort, KeyFiles, SelfMadeKey
from ...messages.faults import Fault, Refused, fault
from .identity import make_test_identity
from .signers import Signer, load_signer


def load_signers(
    eport: EPort, environ: Mapping[str, str], *, at_ms: int, new_serial: Callable[[], int]
) -> dict[str, Signer]:
    """Load every key of an e-port; raises Refused with all that is wrong with any of them.

    ``at_ms`` (milliseconds UTC) and ``new_serial`` (a positive number below 2**159) serve self-made TEST certificates.
    """
    signers: dict[str, Signer] = {}
    faults: list[Fault] = []
    for at, entry in enumerate(eport.signers):
        try:
            signers[entry.declarant] = _load(entry, eport.environment, environ, at_ms, new_serial)
        except Refused as refused:
            faults += [replace(each, path=f"/signers/{at}") for each in refused.faults]
    if faults:
        raise Refused(faults)
    return signers


def _load(
    entry: KeyFiles | SelfMadeKey,
    environment: str,
    environ: Mapping[str, str],
    at_ms: int,
    new_serial: Callable[[], int],
) -> Signer:
    if isinstance(entry, SelfMadeKey):
        signer = make_test_identity(entry.algorithm, entry.declarant, new_serial(), at_ms).signer
    else:
        signer = load_signer(entry, environ)
    if signer.certificate.is_test and environment == PRODUCTION:
        raise Refused(fault("config-test-identity"))
    return signer
