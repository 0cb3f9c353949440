/** The wallets of this browser, and the one in use: connected for the account that is signed in, and no other. */

import { createStore, useStore } from "../../state/store.ts";
import { discover, injected, walletProblem, WalletProblem, type Provider, type WalletOffer } from "./provider.ts";

export const offers = createStore<readonly WalletOffer[]>([]);

/** What the wallet in use says of itself. */
export interface Connection {
  readonly offer: WalletOffer;
  readonly account: string;
  readonly chainId: number;
}

export const connection = createStore<Connection | null>(null);

export function offer(found: WalletOffer): void {
  offers.set((before) => (before.some(({ id }) => id === found.id) ? before : [...before, found]));
}

export function lookForWallets(): void {
  discover(offer);
  const older = injected();
  // Those that announce themselves often inject themselves too.
  if (older && offers.get().length === 0) offer(older);
}

/** Ask the wallet for its account. `silently` never opens it: for coming back after a reload. */
export async function connect(chosen: WalletOffer, { silently = false } = {}): Promise<Connection | null> {
  try {
    const method = silently ? "eth_accounts" : "eth_requestAccounts";
    const [account] = (await chosen.provider.request({ method })) as string[];
    if (!account) {
      if (silently) return null;
      throw new WalletProblem("absent", "The wallet shows no account to this page.");
    }
    const made = { offer: chosen, account, chainId: await chainOf(chosen.provider) };
    connection.set(made);
    follow(chosen.provider);
    return made;
  } catch (error) {
    if (silently) return null;
    throw walletProblem(error);
  }
}

async function chainOf(provider: Provider): Promise<number> {
  return Number(await provider.request({ method: "eth_chainId" }));
}

let unfollow = (): void => undefined;

function follow(provider: Provider): void {
  unfollow();
  const accounts = (told: string[]): void =>
    connection.set((before) => {
      const [account] = told;
      return before && account ? { ...before, account } : null;
    });
  const chain = (told: string): void =>
    connection.set((before) => (before ? { ...before, chainId: Number(told) } : null));
  provider.on?.("accountsChanged", accounts);
  provider.on?.("chainChanged", chain);
  unfollow = () => {
    provider.removeListener?.("accountsChanged", accounts);
    provider.removeListener?.("chainChanged", chain);
  };
}

export function disconnect(): void {
  unfollow();
  connection.set(null);
}

/** The same account, whichever way its letters are written. */
export function sameAccount(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Have the wallet on this chain; it is asked to change where it is on another. */
export async function requireChain(provider: Provider, chainId: number): Promise<void> {
  if ((await chainOf(provider)) === chainId) return;
  const params = [{ chainId: `0x${chainId.toString(16)}` }];
  try {
    await provider.request({ method: "wallet_switchEthereumChain", params });
  } catch (error) {
    throw walletProblem(error);
  }
  if ((await chainOf(provider)) !== chainId) {
    throw new WalletProblem("wrong-chain", `The wallet is on another chain than this exchange (${chainId}).`);
  }
}

export function useOffers(): readonly WalletOffer[] {
  return useStore(offers);
}

export function useConnection(): Connection | null {
  return useStore(connection);
}
