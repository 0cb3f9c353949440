/** Wallets as browsers offer them: EIP-1193 to speak, EIP-6963 to be found, and what they refuse with. */

export interface Provider {
  request(asked: { method: string; params?: readonly unknown[] }): Promise<unknown>;
  on?(event: string, listener: (...told: never[]) => void): unknown;
  removeListener?(event: string, listener: (...told: never[]) => void): unknown;
}

export interface WalletOffer {
  /** The reverse domain name that the wallet announces; it says the same after a reload. */
  readonly id: string;
  readonly name: string;
  readonly icon: string;
  readonly provider: Provider;
  /** A demo wallet of the local stack: its key is known to everybody here. */
  readonly demo?: { readonly title: string; readonly can: string };
}

export type WalletFace = "rejected" | "wrong-chain" | "switched" | "absent" | "busy" | "failed";

export class WalletProblem extends Error {
  override readonly name = "WalletProblem";

  constructor(
    readonly face: WalletFace,
    message: string,
  ) {
    super(message);
  }
}

const MESSAGES: Readonly<Record<number, readonly [WalletFace, string]>> = {
  4001: ["rejected", "You declined in the wallet. Nothing was sent."],
  4100: ["rejected", "The wallet has not allowed this page to ask. Nothing was sent."],
  4900: ["failed", "The wallet is not connected to any chain."],
  4901: ["wrong-chain", "The wallet is not connected to this chain."],
  4902: ["wrong-chain", "The wallet does not know this chain. Add it there, then try again."],
  [-32002]: ["busy", "The wallet is waiting for you already: open it and finish what it asks."],
};

/** What a wallet threw, as ours. */
export function walletProblem(error: unknown): WalletProblem {
  if (error instanceof WalletProblem) return error;
  const told = error as { code?: unknown; message?: unknown } | null;
  const known = typeof told?.code === "number" ? MESSAGES[told.code] : undefined;
  if (known) return new WalletProblem(...known);
  const message = typeof told?.message === "string" ? told.message.slice(0, 200) : "it gave no reason";
  return new WalletProblem("failed", `The wallet could not do it: ${message}`);
}

interface Announcement {
  readonly info: { readonly rdns: string; readonly name: string; readonly icon: string };
  readonly provider: Provider;
}

/** Tells each wallet that announces itself, now and later. Ends when the answer is called. */
export function discover(found: (offer: WalletOffer) => void): () => void {
  const listener = (event: Event): void => {
    const { info, provider } = (event as CustomEvent<Announcement>).detail;
    found({ id: info.rdns, name: info.name, icon: safeIcon(info.icon), provider });
  };
  window.addEventListener("eip6963:announceProvider", listener);
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  return () => window.removeEventListener("eip6963:announceProvider", listener);
}

/** An older wallet that announces nothing. */
export function injected(): WalletOffer | null {
  const provider = (window as { ethereum?: Provider }).ethereum;
  return provider ? { id: "injected", name: "Browser wallet", icon: "", provider } : null;
}

/** Pictures come as data alone: anything else would be fetched, and tell somebody who looks. */
function safeIcon(icon: string): string {
  return /^data:image\/(svg\+xml|png|webp|jpeg|gif)[;,]/.test(icon) ? icon : "";
}
