"""The two clients: what they do is the same, `Client` waits for it and `AsyncClient` is awaited."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, TypeVar

import httpx2

from deedbook.client.errors import Unreachable
from deedbook.client.flow import Flow, Reply, Request, Session, Wait
from deedbook.client.flows import (
    compliance,
    custody,
    hooks,
    issuance,
    keys,
    marketdata,
    notices,
    people,
    swapping,
    trading,
    withdrawing,
)
from deedbook.client.operations import Listing, Operation
from deedbook.client.signers import Signer
from deedbook.client.stream import Stream

T = TypeVar("T")
LOCAL_URL = "http://127.0.0.1:3000"
TIMEOUT_S = 15.0


class Operations:
    """Everything that a client does, by the parts of the API."""

    sign_out = Operation(people.sign_out)
    me = Operation(people.me)
    wallet = Operation(people.wallet)
    bind_wallet = Operation(people.bind_wallet)
    exchange_info = Operation(people.exchange_info)
    pair = Operation(people.pair)
    pairs = Operation(people.pairs)
    wait_for_pair = Operation(people.wait_for_pair)
    token = Operation(people.token)
    tokens = Listing(people.tokens)
    server_time = Operation(people.server_time)
    call = Operation(people.call)

    create_api_key = Operation(keys.create_api_key)
    api_keys = Listing(keys.api_keys)
    revoke_api_key = Operation(keys.revoke_api_key)
    sign_ins = Listing(people.sign_ins)
    end_sign_in = Operation(people.end_sign_in)

    sign = Operation(trading.signed)
    place = Operation(trading.place)
    place_many = Operation(trading.place_many)
    replace = Operation(trading.replace)
    preview = Operation(trading.preview)
    cancel = Operation(trading.cancel)
    reduce = Operation(trading.reduce)
    cancel_all = Operation(trading.cancel_all)
    cancel_all_after = Operation(trading.cancel_all_after)
    order = Operation(trading.order)
    order_by_client_id = Operation(trading.order_by_client_id)
    orders = Listing(trading.orders)
    trades = Listing(trading.trades)
    settlement = Operation(trading.settlement)
    settlements = Listing(trading.settlements)
    wait_for_order = Operation(trading.wait_for_order)

    quote_swap = Operation(swapping.quote_swap)
    sign_swap = Operation(swapping.signed_swap)
    swap = Operation(swapping.swap)
    one_swap = Operation(swapping.one_swap)
    swaps = Listing(swapping.swaps)
    wait_for_swap = Operation(swapping.wait_for_swap)

    balances = Operation(custody.balances)
    ledger = Listing(custody.ledger)
    deposit = Operation(custody.deposit)
    deposits = Listing(custody.deposits)
    one_deposit = Operation(custody.one_deposit)
    withdraw = Operation(custody.withdraw)
    withdrawal = Operation(custody.withdrawal)
    withdrawals = Listing(custody.withdrawals)
    cancel_withdrawal = Operation(custody.cancel_withdrawal)
    approve_withdrawal = Operation(custody.approve_withdrawal)
    reject_withdrawal = Operation(custody.reject_withdrawal)
    all_withdrawals = Listing(custody.all_withdrawals)
    transfer = Operation(custody.transfer)
    one_transfer = Operation(custody.one_transfer)
    transfers = Listing(custody.transfers)
    mint = Operation(custody.mint)
    approve_mint = Operation(custody.approve_mint)
    wait_for_deposit = Operation(custody.wait_for_deposit)
    wait_for_withdrawal = Operation(custody.wait_for_withdrawal)
    wait_for_transfer = Operation(custody.wait_for_transfer)
    destinations = Operation(withdrawing.destinations)
    add_destination = Operation(withdrawing.add_destination)
    remove_destination = Operation(withdrawing.remove_destination)
    restrict_withdrawals = Operation(withdrawing.restrict_withdrawals)
    withdrawal_limits = Operation(withdrawing.withdrawal_limits)
    set_withdrawal_limits = Operation(withdrawing.set_withdrawal_limits)

    notifications = Listing(notices.notifications)
    notification = Operation(notices.notification)
    unread_count = Operation(notices.unread_count)
    mark_read = Operation(notices.mark_read)
    mark_all_read = Operation(notices.mark_all_read)
    preferences = Operation(notices.preferences)
    prefer = Operation(notices.prefer)
    contacts = Operation(notices.contacts)
    give_contact = Operation(notices.give_contact)
    verify_contact = Operation(notices.verify_contact)
    remove_contact = Operation(notices.remove_contact)
    push_subscriptions = Operation(notices.push_subscriptions)
    subscribe_push = Operation(notices.subscribe_push)
    unsubscribe_push = Operation(notices.unsubscribe_push)

    add_webhook = Operation(hooks.add_webhook)
    webhook = Operation(hooks.webhook)
    webhooks = Operation(hooks.webhooks)
    remove_webhook = Operation(hooks.remove_webhook)
    rotate_webhook = Operation(hooks.rotate_webhook)
    enable_webhook = Operation(hooks.enable_webhook)
    test_webhook = Operation(hooks.test_webhook)
    webhook_messages = Listing(hooks.webhook_messages)
    replay_webhook_message = Operation(hooks.replay_webhook_message)

    register_market = Operation(issuance.register_market)
    approve_market = Operation(issuance.approve_market)
    reject_market = Operation(issuance.reject_market)
    activate_market = Operation(issuance.activate_market)
    pause_market = Operation(issuance.pause_market)
    resume_market = Operation(issuance.resume_market)
    archive_market = Operation(issuance.archive_market)
    market = Operation(issuance.market)
    markets = Listing(issuance.markets)
    market_events = Listing(issuance.market_events)
    add_document = Operation(issuance.add_document)
    wait_for_market = Operation(issuance.wait_for_market)

    set_compliance = Operation(compliance.set_compliance)
    standing = Operation(compliance.standing)
    freeze = Operation(compliance.freeze)
    unfreeze = Operation(compliance.unfreeze)
    compliance_records = Listing(compliance.records)
    rules = Operation(compliance.rules)
    set_rules = Operation(compliance.set_rules)

    book = Operation(marketdata.book)
    public_trades = Listing(marketdata.public_trades)
    candles = Listing(marketdata.candles)
    stats = Operation(marketdata.stats)
    price = Operation(marketdata.price)


def open_session(url: str, signer: Signer | None, token: str | None) -> Session:
    """What a client begins with. Whoever has a signer and no token signs in by themselves."""
    signs_in = people.sign_in if signer is not None and token is None else None
    return Session(url.rstrip("/"), signer, token, sign_in=signs_in)


class Client(Operations):
    """Deedbook for a program that waits for its answers.

    With `signer` it signs in by itself and signs what it sends. With `token`, an access token or an API key, it reads,
    cancels, and sends what was signed elsewhere. With neither it sees what everybody sees.
    """

    def __init__(
        self,
        url: str = LOCAL_URL,
        *,
        signer: Signer | None = None,
        token: str | None = None,
        timeout_s: float = TIMEOUT_S,
        transport: httpx2.BaseTransport | None = None,
        trust_env: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.session = open_session(url, signer, token)
        self._http = httpx2.Client(timeout=timeout_s, transport=transport, trust_env=trust_env)
        self._sleep = sleep

    def carry_out(self, flow: Flow[T]) -> T:
        """Do what a flow wants done, to its end.

        Raises:
            DeedbookError: what the flow raises.
        """
        try:
            wanted = next(flow)
            while True:
                try:
                    came = self._do(wanted)
                except httpx2.HTTPError as error:
                    wanted = flow.throw(unreachable(wanted, error))
                else:
                    wanted = flow.send(came)
        except StopIteration as end:
            result: T = end.value
            return result

    def _do(self, wanted: Request | Wait) -> Reply | None:
        if isinstance(wanted, Wait):
            self._sleep(wanted.seconds)
            return None
        answer = self._http.request(
            wanted.method, wanted.url, headers=dict(wanted.headers), content=wanted.content
        )
        return Reply(answer.status_code, answer.headers, answer.content)

    def close(self) -> None:
        """Close its connections. The session stays good until its token runs out."""
        self._http.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(Operations):
    """The same for a program that does other things meanwhile. `stream()` follows the live feeds."""

    def __init__(
        self,
        url: str = LOCAL_URL,
        *,
        signer: Signer | None = None,
        token: str | None = None,
        timeout_s: float = TIMEOUT_S,
        transport: httpx2.AsyncBaseTransport | None = None,
        trust_env: bool = True,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
    ) -> None:
        self.session = open_session(url, signer, token)
        self.trust_env = trust_env
        self._http = httpx2.AsyncClient(timeout=timeout_s, transport=transport, trust_env=trust_env)
        self._sleep = sleep

    async def carry_out_async(self, flow: Flow[T]) -> T:
        """Do what a flow wants done, to its end.

        Raises:
            DeedbookError: what the flow raises.
        """
        try:
            wanted = next(flow)
            while True:
                try:
                    came = await self._do(wanted)
                except httpx2.HTTPError as error:
                    wanted = flow.throw(unreachable(wanted, error))
                else:
                    wanted = flow.send(came)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _do(self, wanted: Request | Wait) -> Reply | None:
        if isinstance(wanted, Wait):
            await self._sleep(wanted.seconds)
            return None
        answer = await self._http.request(
            wanted.method, wanted.url, headers=dict(wanted.headers), content=wanted.content
        )
        return Reply(answer.status_code, answer.headers, answer.content)

    def stream(self) -> Stream:
        """The live feeds, over one socket that is opened again whenever it ends; to be entered by `async with`."""
        return Stream(self)

    async def aclose(self) -> None:
        """Close its connections. The session stays good until its token runs out."""
        await self._http.aclose()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def unreachable(wanted: Request | Wait, error: httpx2.HTTPError) -> Unreachable:
    """No answer came."""
    where = wanted.url.split("/api/", 1)[0] if isinstance(wanted, Request) else ""
    return Unreachable(f"{where} does not answer: {type(error).__name__} {error}".strip())
