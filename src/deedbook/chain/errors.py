"""Refusals of this room.

Refusal
├─ ChainUnavailable        the node does not answer, or answers nonsense
├─ ChainDisagrees          the node is on another chain than the database
└─ TransactionReverted     mined and undone by the contract: sending it again would do the same
"""

from deedbook.kernel.errors import Kind, Refusal, Unavailable


class ChainUnavailable(Unavailable):
    code, title = "chain_unavailable", "The chain does not answer"


class ChainDisagrees(Refusal):
    code, kind, title = "chain_disagrees", Kind.CONFLICT, "The node and the database are of different chains"


class TransactionReverted(Refusal):
    code, kind, title = "transaction_reverted", Kind.CONFLICT, "The contract undid the transaction"
