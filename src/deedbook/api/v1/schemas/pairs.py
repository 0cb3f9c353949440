"""Bodies of operators about pairs."""

from typing import Annotated, Literal

from pydantic import Field

from deedbook.api.v1.schemas.common import Amount, Body, Id, PositiveAmount
from deedbook.kernel.ids import TokenId
from deedbook.trading.pair_desk import Filters, OpenPair
from deedbook.trading.terms import FeeMode

_Bps = Annotated[int, Field(strict=True, ge=0, le=10_000)]


class FiltersBody(Body):
    """What orders must pass. What is left out stays as it is, or takes its default."""

    min_quantity: PositiveAmount | None = None
    max_quantity: PositiveAmount | None = None
    min_notional: Amount | None = None
    max_open_orders: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = None
    protection_bps: Annotated[int, Field(strict=True, ge=1, le=9_999)] | None = None
    fee_bps: Annotated[_Bps, Field(examples=[25])] | None = None

    def filters(self) -> Filters:
        return Filters(
            min_quantity=self.min_quantity,
            max_quantity=self.max_quantity,
            min_notional=self.min_notional,
            max_open_orders=self.max_open_orders,
            protection_bps=self.protection_bps,
            fee_bps=self.fee_bps,
        )


class OpenPairBody(FiltersBody):
    """A pair of two tokens that the vault keeps. Tick and lot are said once, and never change."""

    base_token_id: Id
    quote_token_id: Id
    tick_size: Annotated[PositiveAmount, Field(examples=["0.01"])] | None = None
    lot_size: Annotated[PositiveAmount, Field(examples=["0.0001"])] | None = None
    fee_mode: Literal["received", "quote"] = "received"

    def command(self) -> OpenPair:
        return OpenPair(
            base=TokenId(self.base_token_id),
            quote=TokenId(self.quote_token_id),
            tick_size=self.tick_size,
            lot_size=self.lot_size,
            fee_mode=FeeMode(self.fee_mode),
            filters=self.filters(),
        )


class ChangePairBody(FiltersBody):
    """What is to change. Open orders stay as they were admitted. The status of a market's pair is its market's."""

    status: Literal["active", "paused", "closed"] | None = None
