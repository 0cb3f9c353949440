"""A price feed on a real chain, and all feeds around a desk."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from eth_abi import encode

from deedbook.identity import keccak
from deedbook.infra.embedded import EmbeddedAnvil
from deedbook.integrations.prices.feeds import Feeds
from deedbook.integrations.sapphire.client import SapphireClient
from tests.contracts.evm import TEST_ARTIFACTS
from tests.support.fake_prices import PriceDesk
from tests.support.waiting import PATIENCE_S, eventually

SENDER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
CODE = json.loads((TEST_ARTIFACTS / "PriceAggregator.json").read_text())["bytecode"]
TELL = keccak(b"tell(int256,uint256,uint80,uint80)")[:4]


async def send(anvil: EmbeddedAnvil, data: bytes, to: str | None = None) -> Any:
    """A transaction of a development account, once it is mined."""
    transaction = {"from": SENDER, "data": "0x" + data.hex(), "gas": "0x4c4b40"} | ({"to": to} if to else {})
    sent = await anvil.rpc("eth_sendTransaction", transaction)
    return await eventually(lambda: anvil.rpc("eth_getTransactionReceipt", sent), "it is mined", within_s=20)


@dataclass
class Aggregator:
    """A `PriceAggregator` of the contracts' sources."""

    anvil: EmbeddedAnvil
    address: str

    async def tell(self, answer: int, at: datetime | int, round_id: int = 9, answered_in: int = 9) -> None:
        moment = at if isinstance(at, int) else int(at.timestamp())
        words = encode(["int256", "uint256", "uint80", "uint80"], [answer, moment, round_id, answered_in])
        await send(self.anvil, TELL + words, self.address)


async def deploy_aggregator(anvil: EmbeddedAnvil, decimals: int = 8) -> Aggregator:
    data = bytes.fromhex(CODE.removeprefix("0x")) + encode(["uint8"], [decimals])
    receipt = await send(anvil, data)
    return Aggregator(anvil, str(receipt["contractAddress"]).lower())


def feeds(desk: PriceDesk, node: SapphireClient, **more: Any) -> Feeds:
    """The real adapters, with a desk in the place of the internet."""
    values: dict[str, Any] = {"timeout_s": PATIENCE_S, "private_too": True, "coingecko_key": None, **more}
    return Feeds(chain=node, coingecko_url=desk.url, **values)
