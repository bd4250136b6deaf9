"""The triple: order, payment and waybill, field for field as CEB311, CEB411 and CEB511 of 202205 have them."""

from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from .document import LINES_MAX, BusDocument, Part, counted
from .fields import (
    Amount,
    AppStatus,
    Code3,
    Code6,
    Free200,
    Free510,
    Free1000,
    Id18,
    Id30,
    Id37,
    Id60,
    IdType,
    Int,
    Int9,
    Text30,
    Text50,
    Text60,
    Text100,
    Text250,
    Time,
)


class OrderKey(NamedTuple):
    """An order number is unique within its platform."""

    ebp_code: str
    order_no: str


class PaymentKey(NamedTuple):
    """A transaction number is unique within its payment firm."""

    pay_code: str
    pay_transaction_id: str


class WaybillKey(NamedTuple):
    """A waybill number is unique within its carrier, who may use it again after six months."""

    logistics_code: str
    logistics_no: str


class OrderLine(Part):
    """One item of an order (OrderList)."""

    entity: ClassVar[str] = "OrderList"

    gnum: Int
    item_no: Id30 | None = None
    item_name: Text250
    gmodel: Free510
    item_describe: Free1000 | None = None
    bar_code: Text50 | None = None
    unit: Code3
    qty: Amount
    price: Amount
    total_price: Amount
    currency: Code3
    country: Code3
    note: Free1000 | None = None


class Order(BusDocument):
    """An order (CEB311), with what the platform may add so that waybill and declaration are found."""

    kind: ClassVar[str] = "order"
    entity: ClassVar[str] = "OrderHead"
    outside_ceb: ClassVar[frozenset[str]] = frozenset(
        {"contract", "logistics_code", "logistics_name", "logistics_no", "trade_mode"}
    )

    app_status: AppStatus = "2"
    order_type: Literal["I"]
    order_no: Id60
    ebp_code: Id18
    ebp_name: Text100
    ebc_code: Id18
    ebc_name: Text100
    goods_value: Amount
    freight: Amount
    discount: Amount
    tax_total: Amount
    actural_paid: Amount
    currency: Code3
    buyer_reg_no: Text60
    buyer_name: Text60
    buyer_telephone: Text30
    buyer_id_type: IdType
    buyer_id_number: Text60
    pay_code: Id18 | None = None
    pay_name: Text100 | None = None
    pay_transaction_id: Id60 | None = None
    batch_numbers: Text100 | None = None
    consignee: Text100
    consignee_telephone: Text50
    consignee_address: Free200
    consignee_district: Code6 | None = None
    note: Free1000 | None = None
    logistics_code: Id18 | None = None
    """The carrier, if the platform knows it."""
    logistics_name: Text100 | None = None
    logistics_no: Id60 | None = None
    """The waybill number, if the platform knows it."""
    trade_mode: Literal["9610", "1210"] | None = None
    """9610 direct purchase, 1210 bonded."""
    lines: Annotated[tuple[OrderLine, ...], *counted(LINES_MAX)] = Field(alias="OrderList")

    @property
    def key(self) -> OrderKey:
        """Platform and order number."""
        return OrderKey(self.ebp_code, self.order_no)


class Payment(BusDocument):
    """A payment (CEB411)."""

    kind: ClassVar[str] = "payment"
    entity: ClassVar[str] = "PaymentHead"

    app_status: AppStatus = "2"
    pay_code: Id18
    pay_name: Text100
    pay_transaction_id: Id60
    order_no: Id60
    ebp_code: Id18
    ebp_name: Text100
    payer_id_type: IdType
    payer_id_number: Text60
    payer_name: Text60
    telephone: Text60 | None = None
    amount_paid: Amount
    currency: Code3
    pay_time: Time
    note: Free1000 | None = None

    @property
    def key(self) -> PaymentKey:
        """Payment firm and transaction number."""
        return PaymentKey(self.pay_code, self.pay_transaction_id)


class Waybill(BusDocument):
    """A waybill (CEB511)."""

    kind: ClassVar[str] = "waybill"
    entity: ClassVar[str] = "LogisticsHead"

    app_status: AppStatus = "2"
    logistics_code: Id18
    logistics_name: Text100
    logistics_no: Id60
    bill_no: Id37 | None = None
    order_no: Id60
    freight: Amount | None = None
    insured_fee: Amount | None = None
    currency: Code3
    weight: Amount
    pack_no: Int9
    goods_info: Free200 | None = None
    consignee: Text100
    consignee_address: Free200
    consignee_telephone: Text50
    note: Free1000 | None = None

    @property
    def key(self) -> WaybillKey:
        """Carrier and waybill number."""
        return WaybillKey(self.logistics_code, self.logistics_no)
