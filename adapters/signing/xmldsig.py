"""Signing a message: one enveloped ds:Signature as the last child of its root (202205 specification, signature annex).

The block carries no white space, because white space between its elements belongs to what is signed.
"""

import copy
from base64 import b64encode

from lxml import etree

from ...messages.xml import canonical
from .signers import Signer

DS = "http://www.w3.org/2000/09/xmldsig#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
ENVELOPED = f"{DS}enveloped-signature"

_XML = "{http://www.w3.org/XML/1998/namespace}"


def ds(name: str) -> str:
    """The qualified name of an element of XML Signature."""
    return f"{{{DS}}}{name}"


def sign_message(root: etree._Element, signer: Signer) -> etree._Element:
    """Append the signature to a message and return it; raises ValueError when the message carries one already.

    The message is the root with what it holds, as ``messages.xml.serialise`` writes it, and may not be changed
    afterwards, its white space included.
    """
    if root.find(ds("Signature")) is not None:
        raise ValueError("the message is signed already")
    digest = signer.algorithm.digest(canonical(root))
    signature = etree.SubElement(root, ds("Signature"), nsmap={"ds": DS})
    _append_signed_info(signature, signer, digest)
    _text(signature, "SignatureValue", signer.sign(canonical(signed_info(signature))))
    key_info = etree.SubElement(signature, ds("KeyInfo"))
    etree.SubElement(key_info, ds("KeyName")).text = signer.certificate.serial
    _text(etree.SubElement(key_info, ds("X509Data")), "X509Certificate", signer.certificate.der)
    return root


def signed_info(signature: etree._Element) -> etree._Element:
    """A copy of ds:SignedInfo that canonicalises as the original does in its message.

    Namespaces in scope and xml: attributes of its ancestors take part (Canonical XML 1.0, section 2.4, document
    subsets); libxml2 sees to the former only.
    """
    root = next(signature.iterancestors())
    context = etree.Element(root.tag, nsmap=root.nsmap)
    context.append(copy.deepcopy(signature))
    info = context[0][0]
    for ancestor in (signature, root):
        for name, value in ancestor.attrib.items():
            if str(name).startswith(_XML) and name not in info.attrib:
                info.set(name, value)
    return info


def _append_signed_info(signature: etree._Element, signer: Signer, digest: bytes) -> None:
    info = etree.SubElement(signature, ds("SignedInfo"))
    etree.SubElement(info, ds("CanonicalizationMethod"), Algorithm=C14N)
    etree.SubElement(info, ds("SignatureMethod"), Algorithm=signer.algorithm.signature_uri)
    reference = etree.SubElement(info, ds("Reference"), URI="")
    etree.SubElement(etree.SubElement(reference, ds("Transforms")), ds("Transform"), Algorithm=ENVELOPED)
    etree.SubElement(reference, ds("DigestMethod"), Algorithm=signer.algorithm.digest_uri)
    _text(reference, "DigestValue", digest)


def _text(parent: etree._Element, name: str, value: bytes) -> None:
    etree.SubElement(parent, ds(name)).text = b64encode(value).decode()
