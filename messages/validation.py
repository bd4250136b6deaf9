"""Strict validation of one file: is it a valid message of release 202205, and if not, why."""

from lxml.etree import _Element as Element

from .codec import load_codec
from .faults import Fault, Refused, fault
from .reading import DATA_PATHS, envelope_data
from .xml import XML_LIMITS, XmlLimits, parse


def validate(data: bytes, *, open_envelope: bool = False, limits: XmlLimits = XML_LIMITS) -> list[Fault]:
    """The faults of one document; none when it is valid.

    With ``open_envelope`` the message inside a valid envelope is checked too; its faults have the path and line they
    stand at in that message, behind the path of the envelope.
    """
    try:
        root = parse(data, limits)
        faults = load_codec().check(root)
        outside = DATA_PATHS.get(_name(root))
        if faults or outside is None or not open_envelope:
            return faults
        inner = _checked_inside(envelope_data(root), limits)
    except Refused as refused:
        return list(refused.faults)
    return [Fault(each.code, f"{outside}{each.path}", each.line, each.zh, each.en) for each in inner]


def _checked_inside(data: bytes, limits: XmlLimits) -> list[Fault]:
    try:
        root = parse(data, limits)
    except Refused as refused:
        return list(refused.faults)
    if _name(root) in DATA_PATHS:
        return [fault("envelope-nested", f"/{_name(root)}", root.sourceline)]
    return load_codec().check(root)


def _name(root: Element) -> str:
    return str(root.tag).rpartition("}")[2]
