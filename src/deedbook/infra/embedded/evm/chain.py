"""The chain itself: accounts, transactions that wait, blocks. It knows nothing of JSON or of HTTP."""

import time
from dataclasses import dataclass
from typing import Any

from eth.abc import BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI, StateAPI
from eth.chains.base import MiningChain
from eth.consensus import ConsensusApplier, NoProofConsensus
from eth.constants import (
    BLANK_ROOT_HASH,
    POST_MERGE_DIFFICULTY,
    POST_MERGE_MIX_HASH,
    POST_MERGE_NONCE,
    ZERO_ADDRESS,
)
from eth.db.atomic import AtomicDB
from eth.exceptions import Revert, VMError
from eth.vm.forks import ShanghaiVM
from eth.vm.message import Message
from eth_keys import keys
from eth_utils.exceptions import ValidationError

GAS_LIMIT = 15_000_000
TIP = 10**9
RICH = 10_000 * 10**18
MAX_WAITING = 5_000
_SHANGHAI = ConsensusApplier(NoProofConsensus).amend_vm_configuration(((0, ShanghaiVM),))


class Refused(Exception):
    """What a node answers instead of doing it; with the data of a call that the contract undid."""

    def __init__(self, message: str, *, code: int = -32000, data: bytes | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


@dataclass(frozen=True)
class Mined:
    """A transaction where it stands in the chain; `first_log` counts the logs of its block before its own."""

    transaction: SignedTransactionAPI
    receipt: ReceiptAPI
    block_number: int
    index: int
    gas_used: int
    first_log: int


@dataclass(frozen=True)
class Asked:
    """A call that leaves no trace."""

    sender: bytes
    to: bytes
    data: bytes
    value: int
    gas: int


class _Chain(MiningChain):  # type: ignore[misc]
    vm_configuration = _SHANGHAI

    def create_header_from_parent(self, parent_header: BlockHeaderAPI, **more: Any) -> BlockHeaderAPI:
        return super().create_header_from_parent(parent_header, **{**more, "gas_limit": GAS_LIMIT})


class EvmChain:
    """Under Shanghai's rules, as Sapphire has them. For one thread at a time."""

    def __init__(self, chain_id: int, rich: tuple[str, ...], clock: Any = time.time) -> None:
        """`rich` are the keys whose accounts begin with money."""
        self.chain_id = chain_id
        self._clock = clock
        accounts = [keys.PrivateKey(bytes.fromhex(key.removeprefix("0x"))) for key in rich]
        state = {
            account.public_key.to_canonical_address(): {
                "balance": RICH,
                "nonce": 0,
                "code": b"",
                "storage": {},
            }
            for account in accounts
        }
        chain: type[MiningChain] = type("LocalChain", (_Chain,), {"chain_id": chain_id})
        self._chain = chain.from_genesis(AtomicDB(), _genesis(int(clock())), state)
        self._blocks: list[list[Mined]] = [[]]
        self._mined: dict[bytes, Mined] = {}
        self._waiting: dict[bytes, dict[int, SignedTransactionAPI]] = {}

    # Blocks

    @property
    def head(self) -> int:
        return len(self._blocks) - 1

    @property
    def base_fee(self) -> int:
        """What a unit of gas costs at least in the next block."""
        return int(self._chain.header.base_fee_per_gas)

    def header(self, number: int) -> BlockHeaderAPI:
        return self._chain.get_canonical_block_header_by_number(number)

    def transactions_in(self, number: int) -> list[Mined]:
        return self._blocks[number]

    def mined(self, transaction_hash: bytes) -> Mined | None:
        return self._mined.get(transaction_hash)

    def state(self, number: int) -> StateAPI:
        """What the accounts had after this block."""
        return self._chain.get_vm(at_header=self.header(number)).state

    def mine(self) -> None:
        """One block of what waits and fits, each sender's in the order of their nonces."""
        parent = self.header(self.head)
        self._chain.set_header_timestamp(max(int(self._clock()), parent.timestamp + 1))
        mined: list[Mined] = []
        for sender in list(self._waiting):
            self._take(sender, mined)
        self._chain.mine_block()
        self._blocks.append(mined)
        self._mined.update({entry.transaction.hash: entry for entry in mined})

    def _take(self, sender: bytes, mined: list[Mined]) -> None:
        waiting = self._waiting[sender]
        while True:
            nonce = self._chain.get_vm().state.get_nonce(sender)
            for old in [known for known in waiting if known < nonce]:
                del waiting[old]
            transaction = waiting.get(nonce)
            if transaction is None or transaction.gas > GAS_LIMIT - self._chain.header.gas_used:
                break
            used_before, logs_before = (
                self._chain.header.gas_used,
                sum(len(one.receipt.logs) for one in mined),
            )
            try:
                _, receipt, _ = self._chain.apply_transaction(transaction)
            except ValidationError:
                break  # it costs less than the block wants, or its sender has become too poor: it waits
            del waiting[nonce]
            used = self._chain.header.gas_used - used_before
            mined.append(Mined(transaction, receipt, self.head + 1, len(mined), used, logs_before))
        if not waiting:
            del self._waiting[sender]

    # Transactions

    @property
    def waiting(self) -> int:
        return sum(len(of_one) for of_one in self._waiting.values())

    def waiting_transaction(self, transaction_hash: bytes) -> SignedTransactionAPI | None:
        for of_one in self._waiting.values():
            for transaction in of_one.values():
                if transaction.hash == transaction_hash:
                    return transaction
        return None

    def submit(self, raw: bytes) -> bytes:
        """Take a signed transaction in; its hash.

        Raises:
            Refused: it can never be mined, or is known already.
        """
        transaction = self._decoded(raw)
        sender, state = transaction.sender, self.state(self.head)
        of_sender = self._waiting.get(sender, {})
        other = of_sender.get(transaction.nonce)
        if transaction.hash in self._mined or (other is not None and other.hash == transaction.hash):
            raise Refused("already known")
        if transaction.nonce < state.get_nonce(sender):
            raise Refused("nonce too low")
        if transaction.gas > GAS_LIMIT:
            raise Refused("exceeds block gas limit")
        if transaction.intrinsic_gas > transaction.gas:
            raise Refused("intrinsic gas too low")
        if transaction.gas * _price(transaction) + transaction.value > state.get_balance(sender):
            raise Refused("insufficient funds for gas * price + value")
        if other is not None and _price(transaction) <= _price(other):
            raise Refused("replacement transaction underpriced")
        if self.waiting >= MAX_WAITING:
            raise Refused("too many transactions wait")
        self._waiting.setdefault(sender, {})[transaction.nonce] = transaction
        return bytes(transaction.hash)

    def set_balance(self, account: bytes, balance: int) -> None:
        """For tests and for the demo's newcomers: it stands from the next block on."""
        vm = self._chain.get_vm()
        vm.state.set_balance(account, balance)
        vm.state.persist()
        self._chain.header = self._chain.header.copy(state_root=vm.state.state_root)
        self.mine()

    def _decoded(self, raw: bytes) -> SignedTransactionAPI:
        try:
            transaction = self._chain.get_vm().get_transaction_builder().decode(raw)
            transaction.validate()
            sender_is_known = bool(transaction.sender)
        except Exception as error:  # whatever a stranger's bytes make of the decoder
            raise Refused(f"the transaction cannot be read: {type(error).__name__}", code=-32602) from None
        if not sender_is_known or transaction.chain_id not in (None, self.chain_id):
            raise Refused("invalid chain id for signer")
        return transaction

    # Calls

    def call(self, asked: Asked, number: int) -> bytes:
        """What the call gives back.

        Raises:
            Refused: the contract undid it; with what it said.
        """
        return bytes(self._run(asked, number).output)

    def estimate(self, asked: Asked, number: int) -> int:
        """Gas that suffices: what was used, what is refunded only at the end, and what each call keeps back."""
        computation = self._run(asked, number)
        intrinsic = 21_000 + sum(16 if byte else 4 for byte in asked.data) + (0 if asked.to else 32_000)
        intrinsic += 0 if asked.to else 2 * -(-len(asked.data) // 32) + 200 * len(computation.output)
        used = intrinsic + computation.get_gas_used() + computation.get_gas_refund()
        enough: int = used * 64 // 63 + used // 10
        return min(GAS_LIMIT, enough)

    def _run(self, asked: Asked, number: int) -> Any:
        state = self.state(number)
        for account in (asked.sender, asked.to, *range_of_precompiles()):
            if account:
                state.mark_address_warm(account)
        message = Message(
            gas=asked.gas,
            to=asked.to,
            sender=asked.sender,
            value=asked.value,
            data=asked.data if asked.to else b"",
            code=state.get_code(asked.to) if asked.to else asked.data,
            create_address=None if asked.to else b"\xff" * 20,
        )
        context = state.get_transaction_context_class()(gas_price=0, origin=asked.sender)
        run = state.computation_class
        apply = run.apply_message if asked.to else run.apply_create_message
        computation = apply(state, message, context)
        if computation.is_error:
            raise _undone(computation.error)
        return computation


def range_of_precompiles() -> tuple[bytes, ...]:
    return tuple(bytes(19) + bytes([number]) for number in range(1, 10))


def _price(transaction: SignedTransactionAPI) -> int:
    price: int = transaction.max_fee_per_gas
    return price


def _undone(error: VMError) -> Refused:
    if isinstance(error, Revert):
        data = error.args[0] if error.args and isinstance(error.args[0], bytes) else b""
        return Refused("execution reverted", code=3, data=data)
    return Refused(f"execution failed: {type(error).__name__}", code=-32003)


def _genesis(now: int) -> dict[str, Any]:
    return {
        "coinbase": ZERO_ADDRESS,
        "difficulty": POST_MERGE_DIFFICULTY,
        "extra_data": b"",
        "gas_limit": GAS_LIMIT,
        "mix_hash": POST_MERGE_MIX_HASH,
        "nonce": POST_MERGE_NONCE,
        "receipt_root": BLANK_ROOT_HASH,
        "transaction_root": BLANK_ROOT_HASH,
        "timestamp": now,
    }
