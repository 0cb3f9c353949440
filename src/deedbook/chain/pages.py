"""Reading the vault's events from a node that may be wrong: every answer is compared with another one, and a page
that does not hold together is no page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from deedbook.chain.errors import ChainUnavailable
from deedbook.chain.ports import LOG_ROUNDS, Chain
from deedbook.chain.terms import Log, Receipt
from deedbook.chain.vault import VaultEvent
from deedbook.chain.watch_store import SeenEvent
from deedbook.identity.terms import Address

Decode = Callable[[Sequence[bytes], bytes], VaultEvent | None]
"""The event that a log of the vault tells; `None` when it is none that moves balances. Raises `ValueError` for one
that the vault cannot have told."""


@dataclass(frozen=True)
class Page:
    """What the vault told in some blocks, and the hashes of those blocks that we looked at."""

    events: tuple[SeenEvent, ...]
    blocks: dict[int, str]


async def read_page(node: Chain, contract: Address, decode: Decode, first: int, last: int) -> Page:
    """Read these blocks, and make sure that all the answers speak of one and the same chain.

    Raises:
        ChainUnavailable: no answer, or answers that contradict each other. Nothing is to be believed then.
    """
    assert first <= last < first + LOG_ROUNDS
    newest = await block_hash(node, last)
    logs = await node.logs(contract, [], first, last)
    blocks = await _blocks(node, logs, contract, first, last)
    receipts = await node.receipts(sorted({log.tx_hash for log in logs}))
    events = [seen for log in logs if (seen := _seen(log, receipts, decode)) is not None]
    _require_complete(logs, receipts, contract)
    if await block_hash(node, last) != newest:
        raise ChainUnavailable("the chain changed while it was read")
    ordered = sorted(events, key=lambda seen: (seen.block_number, seen.log_index))
    return Page(tuple(ordered), {**blocks, last: newest})


async def block_hash(node: Chain, number: int) -> str:
    """The hash of a block that must be there.

    Raises:
        ChainUnavailable: it is not.
    """
    found = await node.block_hash(number)
    if found is None:
        raise ChainUnavailable(f"the node has no block {number}, which it said was there")
    return found


async def stands(node: Chain, decode: Decode, seen: SeenEvent) -> SeenEvent | None:
    """The same event where the chain has it now; `None` when the chain does not have it, or not as it was."""
    receipt = (await node.receipts([seen.tx_hash])).get(seen.tx_hash)
    if receipt is None or not receipt.succeeded or len(receipt.logs) <= seen.ordinal:
        return None
    log = receipt.logs[seen.ordinal]
    if log.address != seen.contract or _event(decode, log) != seen.event:
        return None
    if await node.block_hash(receipt.block_number) != receipt.block_hash:
        raise ChainUnavailable(
            f"the node answered with a receipt of {seen.tx_hash} in a block that it does not have"
        )
    return replace(seen, block_number=log.block_number, block_hash=log.block_hash, log_index=log.log_index)


async def _blocks(
    node: Chain, logs: Sequence[Log], contract: Address, first: int, last: int
) -> dict[int, str]:
    places = {(log.block_number, log.block_hash) for log in logs}
    if any(log.address != contract for log in logs):
        raise ChainUnavailable("the node answered with another contract's log")
    if any(not first <= number <= last for number, _ in places):
        raise ChainUnavailable("the node answered with logs of other blocks")
    if len({(log.block_number, log.log_index) for log in logs}) != len(logs):
        raise ChainUnavailable("the node answered with the same log twice")
    for number, told in sorted(places):
        if await block_hash(node, number) != told:
            raise ChainUnavailable(f"the node answered with logs of another block {number}")
    return dict(sorted(places))


def _seen(log: Log, receipts: dict[str, Receipt], decode: Decode) -> SeenEvent | None:
    receipt = receipts.get(log.tx_hash)
    if receipt is None or not receipt.succeeded:
        raise ChainUnavailable(
            f"the node answered with a log of {log.tx_hash}, and no receipt that bears it out"
        )
    if (receipt.block_number, receipt.block_hash) != (log.block_number, log.block_hash):
        raise ChainUnavailable(f"the node answered with a log and a receipt of {log.tx_hash} in two blocks")
    if log not in receipt.logs:
        raise ChainUnavailable(
            f"the node answered with a log that the receipt of {log.tx_hash} does not have"
        )
    event = _event(decode, log)
    if event is None:
        return None
    ordinal = receipt.logs.index(log)
    return SeenEvent(
        log.tx_hash, ordinal, log.block_number, log.block_hash, log.log_index, log.address, event
    )


def _event(decode: Decode, log: Log) -> VaultEvent | None:
    try:
        return decode(log.topics, log.data)
    except ValueError as error:
        raise ChainUnavailable(
            f"the node answered with a log that the vault cannot have told: {error}"
        ) from None


def _require_complete(logs: Sequence[Log], receipts: dict[str, Receipt], contract: Address) -> None:
    """A receipt must not have logs of the vault that the search has left out."""
    found = set(logs)
    for receipt in receipts.values():
        if any(log.address == contract and log not in found for log in receipt.logs):
            raise ChainUnavailable(f"the node left out logs of {receipt.tx_hash}")
