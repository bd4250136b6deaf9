"""What arrives as customs XML only: the declarant's draft of an inventory, and what is declared after it.

Fields as CEB621, CEB513, CEB623, CEB625 and CEB711 of 202205 have them.
"""

from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from .document import LINES_MAX, Document, Part, counted
from .fields import (
    Amount,
    AppStatus,
    Code1,
    Code3,
    Code4,
    Code10,
    Date,
    Free200,
    Free510,
    Free1000,
    Id3,
    Id10,
    Id18,
    Id19,
    Id20,
    Id30,
    Id37,
    Id60,
    IdType,
    Int,
    Int9,
    Text30,
    Text32,
    Text50,
    Text60,
    Text100,
    Text250,
    Time,
)
from .triple import OrderKey, WaybillKey


class CancellationKey(NamedTuple):
    """There is one cancellation for an inventory."""

    invt_no: str


class ReturnKey(NamedTuple):
    """An inventory may be returned in parts, told apart by the declarant's own number (empty if there is none)."""

    invt_no: str
    cop_no: str


class EntryListKey(NamedTuple):
    """A master bill may enter in parts, told apart by the operator's own number (empty if there is none)."""

    operator_code: str
    bill_no: str
    cop_no: str


class InventoryLine(Part):
    """One item of an inventory (InventoryList)."""

    entity: ClassVar[str] = "InventoryList"

    gnum: Int
    item_record_no: Id30 | None = None
    item_no: Id20 | None = None
    item_name: Text250 | None = None
    gcode: Code10
    gname: Text250
    gmodel: Free510
    bar_code: Text50 | None = None
    country: Code3
    trade_country: Id3 | None = None
    currency: Code3
    qty: Amount
    unit: Code3
    qty1: Amount
    unit1: Code3
    qty2: Amount | None = None
    unit2: Code3 | None = None
    price: Amount
    total_price: Amount
    note: Free1000 | None = None


class Inventory(Document):
    """The declarant's draft of an import inventory (CEB621): it supplies fields, never a second declaration."""

    kind: ClassVar[str] = "inventory"
    entity: ClassVar[str] = "InventoryHead"

    app_status: AppStatus = "2"
    order_no: Id60
    ebp_code: Id18
    ebp_name: Text100
    ebc_code: Id18
    ebc_name: Text100
    logistics_no: Id60
    logistics_code: Id18
    logistics_name: Text100
    cop_no: Id20 | None = None
    pre_no: Id18 | None = None
    assure_code: Id30
    ems_no: Id30 | None = None
    invt_no: Id18 | None = None
    ie_flag: Literal["I"]
    decl_time: Date
    customs_code: Code4
    port_code: Code4
    ie_date: Date | None = None
    buyer_id_type: IdType
    buyer_id_number: Text60
    buyer_name: Text60
    buyer_telephone: Text30
    consignee_address: Free200
    agent_code: Id18
    agent_name: Text100
    area_code: Id18 | None = None
    area_name: Text100 | None = None
    trade_mode: Code4
    traf_mode: Code1
    traf_no: Text100 | None = None
    voyage_no: Text32 | None = None
    bill_no: Id37 | None = None
    loct_no: Id10 | None = None
    license_no: Id19 | None = None
    country: Code3
    freight: Amount
    insured_fee: Amount
    currency: Code3
    wrap_type: Code1 | None = None
    pack_no: Int9
    gross_weight: Amount
    net_weight: Amount
    note: Free1000 | None = None
    lines: Annotated[tuple[InventoryLine, ...], *counted(LINES_MAX)] = Field(alias="InventoryList")

    @property
    def key(self) -> OrderKey:
        """There is one inventory for an order."""
        return OrderKey(self.ebp_code, self.order_no)


class WaybillStatus(Document):
    """What became of a parcel (CEB513)."""

    kind: ClassVar[str] = "waybill-status"
    entity: ClassVar[str] = "LogisticsStatus"

    app_status: AppStatus = "2"
    logistics_code: Id18
    logistics_name: Text100
    logistics_no: Id60
    logistics_status: Code1
    logistics_time: Time
    note: Free1000 | None = None

    @property
    def key(self) -> WaybillKey:
        """Carrier and waybill number."""
        return WaybillKey(self.logistics_code, self.logistics_no)


class _AfterInventory(Document):
    """What cancellation and return say alike about the inventory they mean."""

    app_status: AppStatus = "2"
    customs_code: Code4
    order_no: Id60
    ebp_code: Id18
    ebp_name: Text100
    ebc_code: Id18
    ebc_name: Text100
    logistics_no: Id60
    logistics_code: Id18
    logistics_name: Text100
    cop_no: Id20 | None = None
    pre_no: Id18 | None = None
    invt_no: Id18
    buyer_id_type: IdType
    buyer_id_number: Text60
    buyer_name: Text60
    buyer_telephone: Text30
    agent_code: Id18
    agent_name: Text100
    reason: Free1000
    note: Free1000 | None = None


class Cancellation(_AfterInventory):
    """A request to cancel an inventory (CEB623)."""

    kind: ClassVar[str] = "cancellation"
    entity: ClassVar[str] = "InvtCancel"

    @property
    def key(self) -> CancellationKey:
        """The inventory to cancel."""
        return CancellationKey(self.invt_no)


class ReturnLine(Part):
    """One returned item (InvtRefundList); gnum is its line in the original inventory."""

    entity: ClassVar[str] = "InvtRefundList"

    gnum: Int
    gcode: Code10
    gname: Text250
    qty: Amount
    unit: Code3
    note: Free1000 | None = None


class Return(_AfterInventory):
    """A request to return released goods (CEB625)."""

    kind: ClassVar[str] = "return"
    entity: ClassVar[str] = "InvtRefundHead"

    lines: Annotated[tuple[ReturnLine, ...], *counted(LINES_MAX)] = Field(alias="InvtRefundList")

    @property
    def key(self) -> ReturnKey:
        """The inventory returned and the declarant's own number."""
        return ReturnKey(self.invt_no, self.cop_no or "")


class EntryLine(Part):
    """One parcel that entered (DeliveryList)."""

    entity: ClassVar[str] = "DeliveryList"

    gnum: Int
    logistics_no: Id60
    note: Free1000 | None = None


class EntryList(Document):
    """The parcels of a master bill that entered a supervised place (CEB711). The schema bounds its lines not at all."""

    kind: ClassVar[str] = "entry-list"
    entity: ClassVar[str] = "DeliveryHead"

    app_status: AppStatus = "2"
    customs_code: Code4
    cop_no: Id20 | None = None
    pre_no: Id18 | None = None
    rkd_no: Id18 | None = None
    operator_code: Id18
    operator_name: Text100
    ie_flag: Literal["I"]
    traf_mode: Code1
    traf_no: Text100
    voyage_no: Text32
    bill_no: Id37
    logistics_code: Id18
    logistics_name: Text100
    unload_location: Text100 | None = None
    note: Free1000 | None = None
    lines: Annotated[tuple[EntryLine, ...], *counted(None)] = Field(alias="DeliveryList")

    @property
    def key(self) -> EntryListKey:
        """Operator, master bill and the operator's own number."""
        return EntryListKey(self.operator_code, self.bill_no, self.cop_no or "")
