"""The facts of one case that the rules look at, gathered before any rule runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from ...config.eports import BondedInventory, DirectInventory, EPort
from ...messages.documents.companions import Transport
from ...messages.documents.riders import Inventory
from ...messages.documents.triple import Order, Payment, Waybill
from ..inventory import Composition, LineGoods
from ..linking import Linkage
from .book import RuleBook


@dataclass(frozen=True, slots=True)
class Facts:
    """One case at one moment.

    ``goods`` holds what is known of each order line by gnum; ``on_record`` the enterprise codes of registered parties;
    ``used`` what this gateway has already declared for the buyer in this China year, this case left out.
    """

    linkage: Linkage
    now: int
    book: RuleBook
    goods: Mapping[int, LineGoods] = field(default_factory=dict)
    transport: Transport | None = None
    eport: EPort | None = None
    defaults: DirectInventory | BondedInventory | None = None
    composition: Composition | None = None
    on_record: frozenset[str] = frozenset()
    used: Decimal = Decimal(0)

    @property
    def order(self) -> Order | None:
        """The order, if it has arrived."""
        document = self.linkage.order.held.document if self.linkage.order else None
        return document if isinstance(document, Order) else None

    @property
    def draft(self) -> Inventory | None:
        """The declarant's draft, if there is one."""
        document = self.linkage.draft.held.document if self.linkage.draft else None
        return document if isinstance(document, Inventory) else None

    @property
    def waybill(self) -> Waybill | None:
        """The linked waybill."""
        document = self.linkage.waybill.held.document if self.linkage.waybill else None
        return document if isinstance(document, Waybill) else None

    @property
    def payments(self) -> tuple[Payment, ...]:
        """The linked payments, in the order they arrived."""
        documents = (link.held.document for link in self.linkage.payments)
        return tuple(document for document in documents if isinstance(document, Payment))
