"""A browser wallet whose key stays in the test's process: EIP-6963 to be found, EIP-1193 to speak."""

import json
from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from playwright.async_api import BrowserContext, Page

from deedbook.infra.settings import LOCAL_CHAIN_ID

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
    """A key, a chain, and what it refuses: by method, with code and message."""

    __test__ = False

    key: str = field(default_factory=lambda: "0x" + bytes(Account.create().key).hex())
    chain_id: int = LOCAL_CHAIN_ID
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    signed: list[dict[str, Any]] = field(default_factory=list)
    connected: bool = False

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
        return self._sign(method, params)

    def _sign(self, method: str, params: list[Any]) -> Any:
        if method == "personal_sign":
            message = encode_defunct(hexstr=params[0])
        elif method == "eth_signTypedData_v4":
            told = json.loads(params[1])
            self.signed.append(told)
            message = encode_typed_data(full_message=told)
        else:
            return {"refusal": [4200, f"unsupported {method}"]}
        signed = Account.sign_message(message, self.key)
        return "0x" + bytes(signed.signature).hex()
