"""A browser wallet whose key stays in the test's process: EIP-6963 to be found, EIP-1193 to speak."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from playwright.async_api import Browser, BrowserContext, Page, expect

from deedbook.identity import checksum_address
from deedbook.identity.terms import Address
from deedbook.infra.settings import LOCAL_CHAIN_ID
from tests.console.browser import Visit, look

_PROVIDER = """
(() => {
  const listeners = {};
  const provider = {
    request: async ({method, params}) => {
      const told = await window.__wallet(method, params ?? []);
      if (told && told.refusal) { const e = new Error(told.refusal[1]); e.code = told.refusal[0]; throw e; }
      return told;
    },
    on: (name, listener) => { (listeners[name] ??= []).push(listener); return provider; },
    removeListener: (name, listener) => {
      listeners[name] = (listeners[name] ?? []).filter(other => other !== listener); return provider;
    },
  };
  const info = Object.freeze({
    uuid: '350670db-19fa-4704-a166-e52e178b59d2', name: 'Test Wallet', rdns: 'test.wallet',
    icon: 'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg"/>',
  });
  const announce = () => window.dispatchEvent(new CustomEvent(
    'eip6963:announceProvider', { detail: Object.freeze({ info, provider }) }));
  window.addEventListener('eip6963:requestProvider', announce);
  announce();
  window.__emit = (name, told) => (listeners[name] ?? []).forEach(listener => listener(told));
})();
"""


@dataclass
class TestWallet:
    """A key, a chain, and what it refuses: by method, with code and message. It sends transactions where it knows a
    node. `others_sign` has, by the name of a type, another key that signs those."""

    __test__ = False

    key: str = field(default_factory=lambda: "0x" + bytes(Account.create().key).hex())
    chain_id: int = LOCAL_CHAIN_ID
    node_url: str = ""
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    signed: list[dict[str, Any]] = field(default_factory=list)
    others_sign: dict[str, str] = field(default_factory=dict)
    strays: bool = False
    """Its owner goes to another chain after each transaction, and is asked back by the page."""
    connected: bool = False
    while_signing: Callable[[], Awaitable[None]] | None = None
    """What happens while its owner reads what is to be signed."""

    @property
    def address(self) -> str:
        return str(Account.from_key(self.key).address)

    async def inject(self, context: BrowserContext) -> None:
        """Have every page of this context find it."""
        await context.expose_binding("__wallet", self._answer)
        await context.add_init_script(_PROVIDER)

    async def emit(self, page: Page, name: str, told: Any) -> None:
        """An event of the wallet's, as when its owner changes something there."""
        await page.evaluate("([name, told]) => window.__emit(name, told)", [name, told])

    async def _answer(self, _source: Any, method: str, params: list[Any]) -> Any:
        # A wallet that has not been connected shows no account: otherwise the page would connect by itself.
        if method == "eth_accounts":
            return [self.address] if self.connected else []
        self.asked.append(method)
        if method in self.refusals:
            return {"refusal": list(self.refusals[method])}
        if method == "eth_requestAccounts":
            self.connected = True
            return [self.address]
        if method == "eth_chainId":
            return hex(self.chain_id)
        if method == "wallet_switchEthereumChain":
            self.chain_id = int(params[0]["chainId"], 16)
            return None
        if method == "eth_sendTransaction" and self.node_url:
            sent = await self._send(params[0])
            self.chain_id += self.strays
            return sent
        if self.while_signing is not None and method == "eth_signTypedData_v4":
            await self.while_signing()
        return self._sign(method, params)

    async def ask_node(self, method: str, *params: Any) -> Any:
        """A question to the chain."""
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with httpx2.AsyncClient(timeout=10, trust_env=False) as http:
            told = (await http.post(self.node_url, json=message)).raise_for_status().json()
        assert "error" not in told, told
        return told["result"]

    async def _send(self, asked: dict[str, Any]) -> Any:
        signed = Account.sign_transaction(
            {
                "to": checksum_address(Address(asked["to"].lower())),
                "data": asked["data"],
                "gas": int(asked["gas"], 16),
                "gasPrice": int(await self.ask_node("eth_gasPrice"), 16),
                "nonce": int(await self.ask_node("eth_getTransactionCount", self.address, "pending"), 16),
                "chainId": self.chain_id,
                "value": 0,
            },
            self.key,
        )
        return await self.ask_node("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())

    def _sign(self, method: str, params: list[Any]) -> Any:
        key = self.key
        if method == "personal_sign":
            message = encode_defunct(hexstr=params[0])
        elif method == "eth_signTypedData_v4":
            told = json.loads(params[1])
            self.signed.append(told)
            key = self.others_sign.get(told["primaryType"], key)
            message = encode_typed_data(full_message=told)
        else:
            return {"refusal": [4200, f"unsupported {method}"]}
        signed = Account.sign_message(message, key)
        return "0x" + bytes(signed.signature).hex()


async def signed_in_with(wallet: TestWallet, browser: Browser, url: str, path: str = "/sign-in") -> Visit:
    """The console as the owner of this wallet has it once they have signed in."""
    visit = await look(browser, url)
    await wallet.inject(visit.page.context)
    await visit.open(path)
    await visit.press("Sign in with Test Wallet")
    await expect(visit.page.get_by_role("button", name="Account 0x")).to_be_visible()
    return visit
