"""The invented enterprises of the example set: those of the sample configuration, and a few that planted cases need."""

from dataclasses import dataclass, replace
from typing import Literal

Mode = Literal["9610", "1210"]
MODES: tuple[Mode, ...] = ("9610", "1210")


@dataclass(frozen=True, slots=True)
class Enterprise:
    """An enterprise: the code customs knows it by, its name, and our code for it in routing keys and file names."""

    code: str
    name: str
    party: str = "unregistered"


@dataclass(frozen=True, slots=True)
class Market:
    """Who takes part in one trade, where it is declared, and what its declarant fills into an inventory.

    ``prefix`` begins the order numbers; ``trade_mode`` is what the platform says of it, None where it says nothing.
    """

    mode: Mode
    eport: str
    prefix: str
    merchant: Enterprise
    payer: Enterprise
    carrier: Enterprise
    agent: Enterprise
    customs_code: str
    port_code: str
    assure_code: str
    ems_no: str | None = None
    trade_mode: str | None = None


_PAYER = Enterprise("3301969T02", "示例付宝（杭州）支付有限公司", "fubao")
_WAREHOUSE = Enterprise("4101W69T12", "示例保仓（郑州）供应链管理有限公司", "baocang")
DIRECT = Market(
    "9610",
    eport="hangzhou-9610",
    prefix="YX",
    merchant=Enterprise("3301969T01", "示例优选（杭州）电子商务有限公司", "youxuan"),
    payer=_PAYER,
    carrier=Enterprise("3301989T03", "示例速达（杭州）国际物流有限公司", "suda"),
    agent=Enterprise("3301989T04", "示例关易（杭州）报关有限公司", "guanyi"),
    customs_code="2916",
    port_code="2910",
    assure_code="3301989T04",
    trade_mode="9610",
)
BONDED = Market(
    "1210",
    eport="zhengzhou-1210",
    prefix="ZP",
    merchant=Enterprise("4101969T11", "示例中品（郑州）跨境电子商务有限公司", "zhongpin"),
    payer=_PAYER,
    carrier=_WAREHOUSE,
    agent=_WAREHOUSE,
    customs_code="4612",
    port_code="4604",
    assure_code="4101969T11",
    ems_no="T4612W000018",
    trade_mode="1210",
)
MARKETS: dict[Mode, Market] = {"9610": DIRECT, "1210": BONDED}

KEYLESS = replace(
    BONDED,
    eport="shanghai-bonded",
    prefix="WY",
    merchant=Enterprise("2201969T21", "示例无钥（上海）电子商务有限公司", "wuyao"),
    customs_code="2216",
    port_code="2216",
    assure_code="2201969T21",
    ems_no="T2216W000021",
)
"""A merchant whose e-port holds no key that may sign its orders."""
UNLISTED = replace(
    KEYLESS,
    prefix="WQ",
    merchant=Enterprise("2201969T22", "示例外区（上海）电子商务有限公司", "waiqu"),
    customs_code="2249",
    port_code="2249",
    assure_code="2201969T22",
    trade_mode=None,
)
"""A merchant whose e-port declares under 1239 at an office where that is not done."""

STRANGER_MERCHANT = Enterprise("3301969T09", "示例新店（杭州）电子商务有限公司")
"""No e-port acts for it, and it is not on record."""
STRANGER_PAYER = Enterprise("3301969T98", "示例小付（杭州）支付有限公司")
"""Not on record; whoever transmits signs for it."""
