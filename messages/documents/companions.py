"""What a declaration needs besides the triple: the conveyance of a master bill, and the customs record of a product."""

from typing import ClassVar, NamedTuple, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from .document import BusDocument
from .fields import Amount, Code1, Code3, Code10, Date, Free510, Id3, Id18, Id30, Id37, Text32, Text50, Text100, Text250


class TransportKey(NamedTuple):
    """A master bill is unique within its carrier."""

    logistics_code: str
    bill_no: str


class GoodsKey(NamedTuple):
    """An item number is unique within its merchant."""

    ebc_code: str
    item_no: str


class Transport(BusDocument):
    """How the parcels of one master bill travel; the fields are those of a direct-purchase inventory (CEB621)."""

    kind: ClassVar[str] = "transport"
    entity: ClassVar[str] = "Transport"

    logistics_code: Id18
    bill_no: Id37
    traf_mode: Code1
    traf_no: Text100
    voyage_no: Text32
    ie_date: Date | None = None
    country: Code3
    """The country of departure."""

    @property
    def key(self) -> TransportKey:
        """Carrier and master bill."""
        return TransportKey(self.logistics_code, self.bill_no)


class GoodsRecord(BusDocument):
    """How one product is declared. Quantities and weights (kg) are for one sales unit, so an order multiplies them."""

    kind: ClassVar[str] = "goods"
    entity: ClassVar[str] = "GoodsRecord"

    ebc_code: Id18
    item_no: Id30
    gcode: Code10
    gname: Text250
    gmodel: Free510 | None = None
    bar_code: Text50 | None = None
    country: Code3 | None = None
    """The country of origin; an order line's own goes first."""
    trade_country: Id3 | None = None
    unit: Code3
    unit1: Code3
    qty1: Amount
    unit2: Code3 | None = None
    qty2: Amount | None = None
    gross_weight: Amount | None = None
    net_weight: Amount
    item_record_no: Id30 | None = None

    @model_validator(mode="after")
    def _second_unit_is_whole(self) -> Self:
        if (self.unit2 is None) != (self.qty2 is None):
            raise PydanticCustomError("document-pair", "unit2 and qty2 come together", {"pair": "unit2, qty2"})
        return self

    @property
    def key(self) -> GoodsKey:
        """Merchant and item number."""
        return GoodsKey(self.ebc_code, self.item_no)
