"""Invented people, who cannot be anybody.

Their ID numbers have valid check characters, but begin with 99, which no province has, as residents' numbers do, and
which no foreigner's permanent residence number has either (a 9, then a province: there is no province 90). Their
phones begin with 154, a range that was never handed out. Their provinces are invented too.
"""

from dataclasses import dataclass
from random import Random

_SURNAMES = (
    *"苏沈韩唐冯程曹袁邓许傅曾彭吕卢蒋蔡贾魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦",
    *("欧阳", "上官", "司徒", "慕容"),
)
_FIRST = "沐若芷锦书慕采语念知星初晚云清疏映听疆砚"
_SECOND = "棠筠珩瑾澈颜蔓菡霖翊宸岚漪琬璟筝黎谣霏骁"
_PLACES = (
    ("云海省临江市望江区", "990101"),
    ("云海省鹿鸣市栖霞镇", "990102"),
    ("青岚省松原川市北苑区", "990203"),
    ("青岚省白鹭市湖东区", "990204"),
    ("澜沙省定西湾市港城区", "990305"),
    ("澜沙省星汉市河洲县", "990306"),
)
_STREETS = ("听涛路", "竹影巷", "锦帆街", "望月大道", "桂雨里", "长堤东路", "石桥弄", "远山路")
_ESTATES = ("枫林苑", "澄湖花园", "云栖小区", "梧桐里", "碧水湾", "麦田公寓")
_PHONE_RANGE = "154"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person."""

    name: str
    id_number: str
    phone: str
    address: str
    district: str


def invent(random: Random, serial: int) -> Person:
    """A person no other ``serial`` of the same set shares ID number or phone with."""
    place, district = random.choice(_PLACES)
    name = random.choice(_SURNAMES) + random.choice(_FIRST) + random.choice(_SECOND)
    street = f"{random.choice(_STREETS)} {random.randint(1, 399)} 号{random.choice(_ESTATES)}"
    home = (
        f"{random.randint(1, 28)} 幢 {random.randint(1, 4)} 单元 {random.randint(1, 30)}{random.randint(1, 4):02d} 室"
    )
    phone = f"{_PHONE_RANGE}{_scattered(serial, 10**8):08d}"
    return Person(name, _id_number(random, district, serial), phone, f"{place}{street}{home}", district)


def id_number_from(body: str) -> str:
    """An ID number of 17 given digits and its check character (GB 11643-1999)."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, body, strict=True))
    return body + _CHECKS[total % 11]


def _id_number(random: Random, district: str, serial: int) -> str:
    # the serial makes year, month and sequence, so that no two are alike; only the day is drawn
    sequence, rest = serial % 1000, serial // 1000
    year, month = 1955 + rest // 12 % 50, 1 + rest % 12
    return id_number_from(f"{district}{year}{month:02d}{random.randint(1, 28):02d}{sequence:03d}")


def _scattered(serial: int, size: int) -> int:
    """A number below ``size`` for each serial, none twice: a step that has no divisor in common with powers of ten."""
    return (serial * 61_803_399 + 7_654_321) % size
