"""Deedbook for programs: what a client needs to follow and to trade. It knows nothing of the server's insides.

from deedbook.client import Client, LocalSigner, NewOrder

with Client("http://localhost:3000", signer=LocalSigner.from_key(key)) as client:
    order = client.place(NewOrder("HARBOR-USDC", "BUY", "5", "16.50"))
    print(client.wait_for_order(order.id).status)
"""

from deedbook.client.actions import sign_deposit, sign_permit, sign_transfer, sign_withdrawal
from deedbook.client.client import AsyncClient, Client
from deedbook.client.errors import DeedbookError, FieldError, Unreachable
from deedbook.client.flows.waiting import StillWaiting
from deedbook.client.live_book import BookOutOfStep, LiveBook
from deedbook.client.orders import NewOrder, SignedOrder, sign_order
from deedbook.client.signers import CallableSigner, LocalSigner, Signer
from deedbook.client.swaps import NewSwap, SignedSwap, sign_swap

__all__ = [
    "AsyncClient",
    "BookOutOfStep",
    "CallableSigner",
    "Client",
    "DeedbookError",
    "FieldError",
    "LiveBook",
    "LocalSigner",
    "NewOrder",
    "NewSwap",
    "SignedOrder",
    "SignedSwap",
    "Signer",
    "StillWaiting",
    "Unreachable",
    "sign_deposit",
    "sign_order",
    "sign_permit",
    "sign_swap",
    "sign_transfer",
    "sign_withdrawal",
]
