"""XML from strangers."""

import time

import pytest
from lxml import etree

from tongguan.messages.faults import Refused
from tongguan.messages.xml import (
    XML_ATTRIBUTES_MAX,
    XML_BYTES_MAX,
    XML_DEPTH_MAX,
    XML_TAGS_MAX,
    XmlLimits,
    canonical,
    parse,
    serialise,
)

ROOM = XML_BYTES_MAX - 100


def refusal(data: bytes, limits: XmlLimits | None = None) -> tuple[str, int | None]:
    with pytest.raises(Refused) as refused:
        parse(data, limits or XmlLimits())
    [fault] = refused.value.faults
    return fault.code, fault.line


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "xml-syntax", 1),
        (b"<a>\n<b></a>", "xml-syntax", 2),
        (b"<a></a", "xml-syntax", 1),
        (b"<a>&nothing;</a>", "xml-syntax", 1),
        (b"<a>&#0;</a>", "xml-syntax", 1),
        (b"<a>\x01</a>", "xml-syntax", 1),
        (b"<a>\n\x00</a>", "xml-nul", None),
        ('<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16"), "xml-nul", None),
        ("<a/>".encode("utf-32-be"), "xml-nul", None),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "xml-encoding", 1),
        (b"<?xml version='1.0' encoding='IBM037'?><a/>", "xml-encoding", 1),
        (b"<a>\n\xd6\xd0</a>", "xml-bytes", 2),
        (b"<a>\xed\xa0\x80</a>", "xml-bytes", 1),
        (b'<?xml version="1.0" encoding="GB2312"?>\n<a>\xff\xff</a>', "xml-bytes", 2),
        (b"<!DOCTYPE a><a/>", "xml-dtd", None),
        (b'<?xml version="1.0"?>\n<!-- a --><?b c?> <!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>', "xml-dtd", None),
        (b"<a>" * 100_000, "xml-depth", 1),
        (b"<a>" * (XML_DEPTH_MAX + 1) + b"</a>" * (XML_DEPTH_MAX + 1), "xml-depth", None),
        (b" " * (XML_BYTES_MAX + 1), "xml-large", None),
        (b"<a>" + b"<b/>" * XML_TAGS_MAX + b"</a>", "xml-tags", None),
    ],
)
def test_a_document_that_cannot_be_read_is_refused_with_a_code_and_a_line(data, code, line):
    assert refusal(data) == (code, line)


def test_an_entity_bomb_is_refused_before_it_is_opened():
    bomb = b'<!DOCTYPE a [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(20)
    )

    assert refusal(bomb + b"]><a>&u;</a>") == ("xml-dtd", None)


def test_a_doctype_inside_a_text_is_text():
    assert parse(b"<a><![CDATA[<!DOCTYPE a>]]></a>").text == "<!DOCTYPE a>"


@pytest.mark.parametrize(
    "data",
    [
        b" " * ROOM,
        b"<!--" * (ROOM // 4),
        b"<!-- a -->" * (ROOM // 10) + b"<!DOCTYPE a><a/>",
        b"<?a " * (ROOM // 4),
        b"<a " + b'a="" ' * (ROOM // 6) + b"/>",
        b"<a " + b" ".join(b'a%d=""' % n for n in range(50_000)) + b"/>",
        b"<a " + b" ".join(b'xmlns:a%d="u%d"' % (n, n) for n in range(20_000)) + b"/>",
        b"<" + b"a" * ROOM + b"/>",
        b"<a>" * (ROOM // 3),
        b"<a>" + b"&#65;" * (ROOM // 6),
    ],
    ids=lambda data: data[:8].decode(),
)
def test_a_hostile_document_of_the_greatest_size_is_refused_without_working_on_it_for_long(data):
    before = time.process_time()

    refusal(data)

    assert time.process_time() - before < 2


@pytest.mark.parametrize(
    "data",
    [
        b"<a>" + b"<b/>" * 90_000 + b"</a>",
        b'<a b="' + b"c" * (ROOM - 100) + b'"/>',
        b"<a>" + b"b<?c?>" * (ROOM // 7) + b"</a>",
    ],
    ids=lambda data: data[:8].decode(),
)
def test_a_strange_document_of_the_greatest_size_is_read_without_working_on_it_for_long(data):
    before = time.process_time()

    parse(data)

    assert time.process_time() - before < 2


def test_the_limits_are_the_callers():
    assert refusal(b"<a><b/></a>", XmlLimits(bytes_max=10)) == ("xml-large", None)
    assert refusal(b"<a><b/></a>", XmlLimits(depth_max=1)) == ("xml-depth", None)
    assert refusal(b"<a><b/></a>", XmlLimits(tags_max=2)) == ("xml-tags", None)


@pytest.mark.parametrize("declared", ["gb2312", "GBK", "gb18030"])
def test_gb_encodings_are_read_with_all_their_characters(declared):
    # a name with a character that GBK has and GB2312 has not
    data = f'<?xml version="1.0" encoding="{declared}"?><a>朱镕</a>'.encode("gbk")

    assert parse(data).text == "朱镕"


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"", b'<?xml version="1.0" encoding="utf-8" standalone="yes"?>'])
def test_utf_8_is_read_with_or_without_mark_and_declaration(start):
    assert parse(start + "<a>中</a>".encode()).text == "中"


def test_comments_leave_no_trace_in_a_value():
    assert parse(b"<a>1<!-- b -->2</a>").text == "12"


def test_what_is_written_is_read_again_unchanged():
    root = parse("<a b='&quot;&#10;'> 中 &amp; &lt; &#13;\n<c/></a>".encode())

    written = serialise(root)

    assert written.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<a')
    assert canonical(parse(written)) == canonical(root)


def test_the_canonical_form_of_a_part_carries_the_namespaces_around_it():
    root = parse(b'<ceb:a xmlns:ceb="urn:c" xmlns:x="urn:x"><b z="1" a=\'2\'/>tail</ceb:a>')

    assert canonical(root[0]) == b'<b xmlns:ceb="urn:c" xmlns:x="urn:x" a="2" z="1"></b>'


def test_nothing_of_the_input_is_in_the_exception():
    with pytest.raises(Refused) as refused:
        parse("<a><张三丰></b></a>".encode())

    assert "张三丰" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_the_elements_are_those_of_lxml():
    assert isinstance(parse(b"<a/>"), etree._Element)


def test_an_element_may_have_many_attributes_but_not_any_number():
    def tag(count: int) -> bytes:
        return b"<a" + b"".join(b' x%d="%d"' % (n, n) for n in range(count)) + b"/>"

    assert len(parse(tag(XML_ATTRIBUTES_MAX)).attrib) == XML_ATTRIBUTES_MAX
    with pytest.raises(Refused) as refused:
        parse(tag(XML_ATTRIBUTES_MAX + 1))
    assert [each.code for each in refused.value.faults] == ["xml-attributes"]
