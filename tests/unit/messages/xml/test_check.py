"""What is said of a message that is not valid."""

import copy
import random

import pytest
from lxml import etree

from tongguan.messages.explain import _faults
from tongguan.messages.faults import FAULTS_MAX
from tongguan.messages.xml import parse, serialise

CEB = "{http://www.chinaport.gov.cn/ceb}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
ORDER = "/CEB311Message/Order[2]"
HEAD = f"{ORDER}/OrderHead"


def part(root, path):
    """The element at a path like Order[2]/OrderHead/orderNo of a business message."""
    found = root.find("/".join(f"{CEB}{step}" for step in path.split("/")))
    assert found is not None
    return found


def faults_after(codec, root, change):
    change(root)
    return [(fault.code, fault.path) for fault in codec.check(root)]


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        (lambda r: r.remove(part(r, "BaseTransfer")), "schema-missing", "/CEB311Message/BaseTransfer"),
        (lambda r: r.attrib.pop("version"), "schema-missing", "/CEB311Message/@version"),
        (lambda r: r.set("guid", "short"), "schema-length", "/CEB311Message/@guid"),
        (lambda r: r.set("colour", "red"), "schema-unknown", "/CEB311Message/@colour"),
        (lambda r: part(r, "Order[2]/OrderHead/orderNo").clear(), "schema-empty", f"{HEAD}/orderNo"),
        (lambda r: etree.SubElement(part(r, "Order[2]"), f"{CEB}Extra"), "schema-unknown", f"{ORDER}/Extra"),
        (lambda r: etree.SubElement(part(r, "Order[2]"), "OrderList"), "schema-namespace", f"{ORDER}/OrderList"),
        (lambda r: r.insert(0, part(r, "BaseTransfer")), "schema-order", "/CEB311Message/Order[1]"),
        (
            lambda r: r.find(f"{CEB}BaseTransfer").addnext(copy.deepcopy(part(r, "BaseTransfer"))),
            "schema-many",
            "/CEB311Message/BaseTransfer[2]",
        ),
        (lambda r: setattr(part(r, "Order[2]"), "text", "stray"), "schema-text", ORDER),
        (lambda r: setattr(part(r, "Order[2]/OrderHead/orderNo"), "text", "x" * 61), "schema-long", f"{HEAD}/orderNo"),
        (
            lambda r: setattr(part(r, "Order[2]/OrderHead/orderType"), "text", "II"),
            "schema-length",
            f"{HEAD}/orderType",
        ),
        (lambda r: setattr(part(r, "Order[2]/OrderHead/freight"), "text", "1e3"), "schema-decimal", f"{HEAD}/freight"),
        (lambda r: setattr(part(r, "Order[2]/OrderHead/freight"), "text", ""), "schema-empty", f"{HEAD}/freight"),
        (
            lambda r: setattr(part(r, "Order[2]/OrderHead/freight"), "text", "0.000001"),
            "schema-digits",
            f"{HEAD}/freight",
        ),
        (
            lambda r: setattr(part(r, "Order[2]/OrderList[2]/gnum"), "text", "1.0"),
            "schema-integer",
            f"{ORDER}/OrderList[2]/gnum",
        ),
        (
            lambda r: setattr(part(r, "Order[2]/OrderList[2]/gnum"), "text", "2147483648"),
            "schema-integer",
            f"{ORDER}/OrderList[2]/gnum",
        ),
        (lambda r: setattr(part(r, "Order[2]/OrderHead/currency"), "text", "502"), "schema-fixed", f"{HEAD}/currency"),
        (lambda r: part(r, "Order[2]/OrderHead").set(f"{XSI}nil", "true"), "schema-type", HEAD),
        (lambda r: r.remove(r[0]) or part(r, "Order").clear(), "schema-missing", "/CEB311Message/Order[1]/OrderHead"),
        (lambda r: r[-1].remove(r[-1][0]), "schema-signature", "/CEB311Message/Signature"),
    ],
)
def test_a_fault_names_what_is_wrong_and_where(codec, tree, change, code, path):
    found = faults_after(codec, tree("CEB311Message"), change)

    assert (code, path) == found[0]


@pytest.mark.parametrize("text", ["2024-03-15", "2024-03-15T25:00:00", " 2024-03-15T10:00:00", "soon"])
def test_a_time_of_another_form_is_a_fault(codec, tree, text):
    root = tree("DxpMsg")
    root.find("{*}TransInfo/{*}CreatTime").text = text

    assert [(fault.code, fault.path) for fault in codec.check(root)] == [("schema-form", "/DxpMsg/TransInfo/CreatTime")]


def test_data_that_is_no_base64_is_a_fault(codec, tree):
    root = tree("DxpMsg")
    root.find("{*}Data").text = "YQ="

    assert [(fault.code, fault.path) for fault in codec.check(root)] == [("schema-form", "/DxpMsg/Data")]


def test_every_missing_element_of_a_block_is_named_at_once(codec, tree):
    root = tree("CEB311Message")
    head = part(root, "Order[1]/OrderHead")
    for name in ("orderNo", "buyerName", "consignee"):
        head.remove(head.find(f"{CEB}{name}"))

    found = codec.check(root)

    assert [fault.path.rpartition("/")[2] for fault in found] == ["orderNo", "buyerName", "consignee"]
    assert {fault.code for fault in found} == {"schema-missing"}


def test_a_fault_stands_at_the_line_of_its_element(codec, sample):
    root = parse(sample("CEB311Message").replace(b"<ceb:acturalPaid>222.7<", b"<ceb:acturalPaid>two<"))

    assert [fault.line for fault in codec.check(root)] == [19, 82]


def test_lengths_and_limits_are_said_and_values_are_not(codec, tree):
    root = tree("CEB311Message")
    for element in root.iter(f"{CEB}buyerName"):
        element.text = "张三丰" * 21

    for fault in codec.check(root):
        said = fault.as_json()
        assert "60" in said["zh"]
        assert "63" in said["en"]
        assert "张三丰" not in str(said)


def test_no_value_of_any_field_is_ever_in_a_fault(codec, tree, each_type):
    root = tree(each_type)
    for element in root.iter():
        if len(element) == 0:
            element.text = "秘密" * 3000
    root.set("guid", "秘密")

    found = codec.check(root)

    assert found
    assert all("秘密" not in str(fault.as_json()) for fault in found)


def test_the_number_of_faults_has_an_end(codec):
    root = etree.Element(f"{CEB}CEB312Message")
    for _ in range(5000):
        etree.SubElement(root, f"{CEB}OrderReturn")

    assert len(codec.check(root)) == FAULTS_MAX


def test_a_long_name_is_cut(codec):
    root = etree.Element(f"{CEB}CEB312Message")
    etree.SubElement(root, "x" * 5000)

    fault = codec.check(root)[-2]

    assert (fault.code, len(fault.path)) == ("schema-unknown", len("/CEB312Message/") + 65)


@pytest.mark.parametrize(
    ("root", "code"),
    [
        (b"<CEB312Message/>", "schema-namespace"),
        (b'<CEB312Message xmlns="http://www.chinaport.gov.cn/dxp"/>', "schema-namespace"),
        (b'<CEB303Message xmlns="http://www.chinaport.gov.cn/ceb"/>', "schema-root"),
        (b'<OrderHead xmlns="http://www.chinaport.gov.cn/ceb"/>', "schema-root"),
        (b"<html/>", "schema-root"),
    ],
)
def test_a_root_that_is_no_import_message_is_refused_as_such(codec, root, code):
    assert [fault.code for fault in codec.check(parse(root))] == [code]


@pytest.mark.parametrize(
    ("kind", "name", "valid"),
    [
        ("ours:Text60", "orderNo", False),
        ("xs:int", "gnum", True),
        ("xs:short", "gnum", True),
        ("xs:string", "gnum", False),
        ("xs:string", "orderNo", False),
    ],
)
def test_a_type_named_by_a_message_counts_only_where_the_official_schema_has_it(codec, sample, kind, name, valid):
    names = (
        b' xmlns:ours="urn:tongguan:types" xmlns:xs="http://www.w3.org/2001/XMLSchema"'
        b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    )
    opening = f"<ceb:{name}".encode()
    data = sample("CEB311Message").replace(opening, opening + names + f' xsi:type="{kind}"'.encode())

    found = codec.check(parse(data))

    assert valid == (not found)
    assert valid or {fault.code for fault in found} == {"schema-type"}


def test_a_hint_where_a_schema_lies_is_neither_followed_nor_wrong(codec, tree):
    root = tree("CEB312Message")
    root.set(f"{XSI}schemaLocation", "http://www.chinaport.gov.cn/ceb http://127.0.0.1:1/none.xsd")

    assert codec.check(root) == []


def test_what_libxml2_alone_knows_still_has_a_fault_with_its_line(codec, tree):
    root = tree("DxpMsgSv")
    root.set("Id", "same")
    root[1].set("Id", "same")

    [fault] = codec.check(root)

    assert (fault.code, fault.path, fault.line) == ("schema-invalid", "/DxpMsgSv", 9)


def edited(root, rng):
    """One random change, as often harmless as not."""
    elements = [each for each in root.iter(etree.Element) if each is not root and not each.tag.startswith(DS)]
    chosen = rng.choice(elements)
    texts = ["", "0", " 1 ", "+1.", ".5", "-0", "1e3", "1.123456", "9" * 20, "一二三", "x" * 37, "x" * 1001, "142 "]
    change = rng.randrange(8)
    if change < 3:
        rng.choice([each for each in elements if len(each) == 0]).text = rng.choice(texts)
    elif change == 3:
        chosen.getparent().remove(chosen)
    elif change == 4:
        chosen.addnext(copy.deepcopy(chosen))
    elif change == 5:
        chosen.tag = f"{rng.choice([CEB, '', DS])}{rng.choice(['note', 'guid', 'orderNo', 'other'])}"
    elif change == 6:
        chosen.set(rng.choice(["guid", "name", "Id", f"{XSI}nil"]), rng.choice(["a", "true"]))
    else:
        chosen.addprevious(copy.deepcopy(rng.choice(elements)))


def test_faults_are_found_exactly_in_the_messages_that_libxml2_refuses(codec, tree, each_type):
    valid = refused = 0

    for seed in range(30):
        rng = random.Random(f"{each_type} {seed}")
        root = tree(each_type)
        edited(root, rng)
        root = parse(serialise(root))
        judged = codec.check(root)
        placed = list(_faults(root, codec.part(each_type), ""))
        valid, refused = valid + (not judged), refused + bool(judged)

        assert bool(judged) == bool(placed), (each_type, seed, judged, placed)

    assert valid
    assert refused


@pytest.mark.parametrize("code", ["CEB311Message", "CEB621Message"])
def test_a_message_may_hold_100_documents_and_99_lines_and_no_more(codec, tree, code):
    root = tree(code)
    for _ in range(98):
        root[0].addnext(copy.deepcopy(root[0]))
    for _ in range(97):
        root[0].append(copy.deepcopy(root[0][-1]))
    full = codec.check(root)

    root[0].append(copy.deepcopy(root[0][-1]))
    root[0].addnext(copy.deepcopy(root[1]))
    over = codec.check(root)

    assert full == []
    assert [(fault.code, fault.path.count("[100]"), fault.path.count("[101]")) for fault in over] == [
        ("schema-many", 1, 0),
        ("schema-many", 0, 1),
    ]
