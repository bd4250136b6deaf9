"""Which texts of receipts name nobody, and so are kept as they are."""

import pytest

from tongguan.gateway.receipt_texts import is_usual, kept_text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "发送海关成功",
        "结关",
        "清单新增申报成功[电商企业编码：3301969T01订单编号：YX2026]",
        "[Code:2600;Desc:放行]",
    ],
)
def test_the_texts_that_eport_and_customs_always_use_name_nobody(text: str) -> None:
    assert is_usual(text)
    assert kept_text(text, None) == text


@pytest.mark.parametrize(
    "text",
    [
        "结关 张三",
        "发送海关成功。收件人李四",
        "[Code:2600;Desc:放行给王五]",
        "[Code:9999999;Desc:放行]",
        "清单新增申报成功[订购人赵六]",
    ],
)
def test_a_text_that_says_anything_besides_may_name_somebody(text: str) -> None:
    assert not is_usual(text)
    assert kept_text(text, None) == ""
