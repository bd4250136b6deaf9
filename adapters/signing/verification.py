"""Verifying a message's signature: strictly, then with what other programs are known to do differently.

This shows that the message is the one the certificate's key signed. It does not follow the certificate to an
authority, so whoever relies on the signer's identity passes the certificate he expects.
"""

import copy
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from lxml import etree

from ...config.keyfiles import AlgorithmName, Certificate, parse_certificate
from ...messages.faults import Fault, Refused, fault
from ...messages.xml import XML_DEPTH_MAX, XmlLimits, canonical, parse, serialise
from .algorithms import RSA_SHA1, SM2_SM3, Algorithm
from .der import public_key_info
from .signers import Signer
from .xmldsig import C14N, DS, ENVELOPED, ds, sign_message, signed_info

Step = Literal["structure", "algorithm", "digest", "certificate", "value"]
"""What is looked at, in this order."""

Leniency = Literal["white-space", "sm2-address", "sha1-digest", "with-comments", "key-name"]
"""What another program did differently: white space between elements added after signing, the address of sm2-sm3 under
w3.org, a SHA-1 digest under an SM2 signature, canonicalisation with comments, a KeyName that is not the serial."""

_WITH_COMMENTS = f"{C14N}#WithComments"
_METHODS: dict[tuple[str, str], tuple[Algorithm, Algorithm, tuple[Leniency, ...]]] = {
    (SM2_SM3.signature_uri, SM2_SM3.digest_uri): (SM2_SM3, SM2_SM3, ()),
    (RSA_SHA1.signature_uri, RSA_SHA1.digest_uri): (RSA_SHA1, RSA_SHA1, ()),
    (SM2_SM3.signature_uri, RSA_SHA1.digest_uri): (SM2_SM3, RSA_SHA1, ("sha1-digest",)),
    (f"{DS}sm2-sm3", SM2_SM3.digest_uri): (SM2_SM3, SM2_SM3, ("sm2-address",)),
    (f"{DS}sm2-sm3", RSA_SHA1.digest_uri): (SM2_SM3, RSA_SHA1, ("sm2-address", "sha1-digest")),
}
_PARTS = [ds("SignedInfo"), ds("SignatureValue"), ds("KeyInfo")]
_SIGNED_SHAPE = (
    ds("SignedInfo"),
    [
        (ds("CanonicalizationMethod"), []),
        (ds("SignatureMethod"), []),
        (
            ds("Reference"),
            [(ds("Transforms"), [(ds("Transform"), [])]), (ds("DigestMethod"), []), (ds("DigestValue"), [])],
        ),
    ],
)


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying said: the steps that failed, and what had to be tolerated for the others to pass."""

    failed: tuple[Step, ...]
    tolerated: tuple[Leniency, ...] = ()
    algorithm: AlgorithmName | None = None
    certificate: Certificate | None = None

    @property
    def ok(self) -> bool:
        """Whether every step passed, strictly or leniently."""
        return not self.failed

    @property
    def strict(self) -> bool:
        """Whether every step passed to the letter of the specification."""
        return self.ok and not self.tolerated

    def faults(self) -> list[Fault]:
        """The failed steps as faults of the message."""
        return [fault(f"signature-{step}") for step in self.failed]


@dataclass(frozen=True, slots=True)
class _Block:
    signature: etree._Element
    methods: tuple[str, str]
    canonicalisation: str
    digest: bytes
    value: bytes
    key_name: str
    certificate: Certificate | None


def verify_message(
    root: etree._Element, *, expected: Certificate | None = None, at_ms: int | None = None
) -> Verification:
    """Verify the signature of a message.

    With ``expected`` the message must carry that certificate; with ``at_ms`` (milliseconds UTC) the certificate must be
    valid then. The tree is left as it is.
    """
    block = _read(root)
    if block is None:
        return Verification(("structure",))
    known = _METHODS.get(block.methods)
    if known is None or block.canonicalisation not in (C14N, _WITH_COMMENTS):
        return Verification(("algorithm",), certificate=block.certificate)
    algorithm, digest, tolerated = known
    outcomes: dict[Step, tuple[Leniency, ...] | None] = {
        "algorithm": tolerated if block.canonicalisation == C14N else (*tolerated, "with-comments"),
        "digest": _first(_documents(block), lambda data: digest.digest(data) == block.digest),
        "certificate": _certificate(block, expected, at_ms),
        "value": _value(block, algorithm),
    }
    return Verification(
        tuple(step for step, outcome in outcomes.items() if outcome is None),
        tuple(each for each in get_args(Leniency) if any(each in (outcome or ()) for outcome in outcomes.values())),
        algorithm.name,
        block.certificate,
    )


def signed_bytes(root: etree._Element, signer: Signer) -> bytes:
    """Sign a message and return the bytes to send, read back and verified strictly.

    Raises Refused when they do not verify, which only a signer that went wrong can bring about.
    """
    data = serialise(sign_message(root, signer))
    limits = XmlLimits(bytes_max=len(data), depth_max=XML_DEPTH_MAX, tags_max=len(data))
    verification = verify_message(parse(data, limits), expected=signer.certificate)
    if not verification.strict:
        raise Refused(verification.faults() or fault("signature-structure"))
    return data


def _read(root: etree._Element) -> _Block | None:
    """The parts of the signature, or None when it has another shape than the specification gives it."""
    signature = next(iter(reversed(_children(root))), root)
    if signature.tag != ds("Signature") or len(root.findall(ds("Signature"))) != 1:
        return None
    parts = _children(signature)
    if [part.tag for part in parts] != _PARTS or _shape(parts[0]) != _SIGNED_SHAPE:
        return None
    info, value, key_info = parts
    canonicalisation, method, reference = _children(info)
    transforms, digest_method, digest = _children(reference)
    if reference.get("URI") != "" or _children(transforms)[0].get("Algorithm") != ENVELOPED:
        return None
    try:
        return _Block(
            signature=signature,
            methods=(method.get("Algorithm", ""), digest_method.get("Algorithm", "")),
            canonicalisation=canonicalisation.get("Algorithm", ""),
            digest=_bytes(digest.text),
            value=_bytes(value.text),
            key_name=(key_info.findtext(ds("KeyName")) or "").strip(),
            certificate=_parsed(key_info.findtext(f"{ds('X509Data')}/{ds('X509Certificate')}")),
        )
    except ValueError:
        return None


def _children(element: etree._Element) -> list[etree._Element]:
    """The child elements, without comments and processing instructions."""
    return list(element.iterchildren("*"))


def _shape(element: etree._Element) -> tuple[str, list[Any]]:
    return str(element.tag), [_shape(child) for child in _children(element)]


def _bytes(text: str | None) -> bytes:
    return b64decode("".join((text or "").split()), validate=True)


def _parsed(text: str | None) -> Certificate | None:
    try:
        return parse_certificate(_bytes(text))
    except ValueError:
        return None


def _documents(block: _Block) -> Iterator[tuple[tuple[Leniency, ...], bytes]]:
    """What the digest may have been taken of: the message without its signature, then with less white space."""
    tree = copy.deepcopy(block.signature.getroottree())
    root = tree.getroot()
    signature = _children(root)[-1]
    before, after = signature.getprevious(), signature.tail or ""
    signature.tail = None
    if before is None:
        root.text = (root.text or "") + after
    else:
        before.tail = (before.tail or "") + after
    root.remove(signature)
    yield (), _canonical(tree)
    if before is not None and _blank(before.tail):
        before.tail = None
        yield ("white-space",), _canonical(tree)
    _strip_white_space(root)
    yield ("white-space",), _canonical(tree)


def _canonical(tree: etree._ElementTree) -> bytes:
    """The whole document, processing instructions beside its root included, as the empty reference asks for it."""
    return etree.tostring(tree, method="c14n", exclusive=False, with_comments=False)


def _signed(block: _Block) -> Iterator[tuple[tuple[Leniency, ...], bytes]]:
    """What the signature may have been made of."""
    info = signed_info(block.signature)
    yield (), canonical(info)
    _strip_white_space(info)
    yield ("white-space",), canonical(info)


def _strip_white_space(root: etree._Element) -> None:
    for element in root.iter():
        if len(element) and _blank(element.text):
            element.text = None
        if element is not root and _blank(element.tail):
            element.tail = None


def _blank(text: str | None) -> bool:
    return text is not None and not text.strip(" \t\r\n")


def _first(
    candidates: Iterator[tuple[tuple[Leniency, ...], bytes]], passes: Callable[[bytes], bool]
) -> tuple[Leniency, ...] | None:
    """What had to be tolerated for the first candidate that passes; None when none does."""
    return next((tolerated for tolerated, data in candidates if passes(data)), None)


def _certificate(block: _Block, expected: Certificate | None, at_ms: int | None) -> tuple[Leniency, ...] | None:
    found = block.certificate
    if found is None or (expected is not None and found.der != expected.der):
        return None
    if at_ms is not None and not found.not_before_ms <= at_ms <= found.not_after_ms:
        return None
    return () if block.key_name.lower().lstrip("0") == found.serial.lstrip("0") else ("key-name",)


def _value(block: _Block, algorithm: Algorithm) -> tuple[Leniency, ...] | None:
    if block.certificate is None:
        return None
    key = public_key_info(block.certificate.parsed)
    try:
        return _first(_signed(block), lambda data: algorithm.verify(key, block.value, data))
    except ValueError:  # the certificate's key is of another kind
        return None
