"""One identity of each kind (making RSA keys takes time), and a message to sign."""

import pytest
from lxml import etree

from tongguan.adapters.signing.identity import make_test_identity
from tongguan.messages.chinatime import parse_china_time

CEB = "http://www.chinaport.gov.cn/ceb"
NOW_MS = parse_china_time("20260301120000")

_MESSAGE = f"""<ceb:CEB311Message xmlns:ceb="{CEB}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="1.0"
 guid="7B5A6C1E-0000-4000-8000-000000000001">
  <ceb:Order>
    <ceb:OrderHead><ceb:orderNo>T-0001</ceb:orderNo><ceb:goodsValue>88.5</ceb:goodsValue></ceb:OrderHead>
    <ceb:OrderList><ceb:itemName>橄榄油 &amp; 醋</ceb:itemName></ceb:OrderList>
  </ceb:Order>
</ceb:CEB311Message>"""


@pytest.fixture(scope="session")
def identities():
    return {
        "sm2-sm3": make_test_identity("sm2-sm3", "3301969T01", 0x01691FE9, NOW_MS),
        "rsa-sha1": make_test_identity("rsa-sha1", "3301969T01", 0x03000000000CDE6F, NOW_MS),
    }


@pytest.fixture(params=["sm2-sm3", "rsa-sha1"])
def identity(request, identities):
    return identities[request.param]


@pytest.fixture
def sm2(identities):
    return identities["sm2-sm3"]


@pytest.fixture
def rsa(identities):
    return identities["rsa-sha1"]


@pytest.fixture
def message():
    return etree.fromstring(_MESSAGE)


@pytest.fixture
def now_ms():
    return NOW_MS
