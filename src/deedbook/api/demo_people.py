"""Who one can be on a local stack, in words: for the console's sign-in page."""

from dataclasses import dataclass
from typing import Any

from coincurve import PrivateKey

from deedbook.identity import checksum_address, keccak
from deedbook.identity.terms import Address
from deedbook.infra.settings import Settings


@dataclass(frozen=True)
class DemoPerson:
    """Somebody whose key everybody here knows."""

    id: str
    name: str
    title: str
    can: str
    address: str
    private_key: str
    chain_id: int

    def as_wire(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title,
            "can": self.can,
            "address": self.address,
            "privateKey": self.private_key,
            "chainId": self.chain_id,
        }


_WORDS = {
    "investor": (
        "Alice",
        "Investor A",
        "Deposits play money, buys and sells tokens, sees her trades settle, and takes money out again.",
    ),
    "second-investor": (
        "Bob",
        "Investor B",
        "The other side of Alice's trades: be him in a second tab and trade with her.",
    ),
    "issuer": (
        "Ines",
        "Issuer, Harbour Homes",
        "Registers an asset and its documents, follows it until it is live, asks for mints, sees who holds what.",
    ),
    "compliance": (
        "Carlos",
        "Compliance officer",
        "Approves or rejects what issuers register, lets investors in, freezes accounts, agrees to mints and payouts.",
    ),
    "operator": (
        "Olga",
        "Operator",
        "Watches queues, chain and settlement, retries what failed, pauses pairs, reconciles ledger and vault.",
    ),
    "admin": (
        "Adam",
        "Administrator",
        "Sets limits and rules, and may decide where compliance may.",
    ),
}


def demo_people(settings: Settings) -> tuple[DemoPerson, ...]:
    """The people of this stack; none in production, and none on a chain that others see."""
    return tuple(
        DemoPerson(name, *_WORDS[name], _address(key), key, settings.SAPPHIRE_CHAIN_ID)
        for name, key in settings.demo_wallets.items()
        if name in _WORDS
    )


def _address(key: str) -> str:
    public = PrivateKey(bytes.fromhex(key[2:])).public_key.format(compressed=False)
    return checksum_address(Address("0x" + keccak(public[1:])[-20:].hex()))
