/** Signing in with Ethereum (EIP-4361): the server's nonce, a text that the wallet shows, its signature. */

import { getAddress } from "viem";
import { api, newKey } from "../../api/client.ts";
import { queryClient } from "../../api/query_client.ts";
import { credentials } from "../../api/transport.ts";
import { sessions, signedIn, signedOut } from "../../state/session.ts";
import { tellEnded } from "../../state/shared_tabs.ts";
import { walletProblem, type WalletOffer } from "../wallet/provider.ts";
import { connect, disconnect, offers, sameAccount } from "../wallet/wallets.ts";

const STATEMENT = "Sign in to Deedbook.";

interface Offer {
  readonly nonce: string;
  readonly domain: string;
  readonly uri: string;
  readonly chainId: number;
  readonly version?: string;
}

export function signInText(account: string, offer: Offer, issuedAt: Date): string {
  return [
    `${offer.domain} wants you to sign in with your Ethereum account:`,
    account,
    "",
    STATEMENT,
    "",
    `URI: ${offer.uri}`,
    `Version: ${offer.version ?? "1"}`,
    `Chain ID: ${offer.chainId}`,
    `Nonce: ${offer.nonce}`,
    `Issued At: ${issuedAt.toISOString()}`,
  ].join("\n");
}

/**
 * Connect a wallet and sign in as its account. Whoever was signed in before is not any more; where it is the same
 * person whose session had expired, everything on the screen stays.
 *
 * @throws WalletProblem · ApiProblem
 */
export async function signIn(wallet: WalletOffer): Promise<void> {
  const before = sessions.get().session;
  const made = await connect(wallet);
  if (!made) return;
  const account = getAddress(made.account);
  const offer = await api.post("/api/v1/auth/nonce", {});
  const message = signInText(account, offer, new Date());
  const signature = await signText(wallet, message, account);
  const told = await api.post("/api/v1/auth/siwe", { body: { message, signature } });
  if (before && !sameAccount(before.account, account)) queryClient.clear();
  signedIn({ userId: told.userId, account, walletId: wallet.id, ...credentials(told), sitting: newKey(), turn: 0 });
}

async function signText(wallet: WalletOffer, message: string, account: string): Promise<string> {
  const hex = `0x${[...new TextEncoder().encode(message)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  try {
    return (await wallet.provider.request({ method: "personal_sign", params: [hex, account] })) as string;
  } catch (error) {
    throw walletProblem(error);
  }
}

/** End the session here and at the server; where that does not answer, here at least. */
export async function signOut(): Promise<void> {
  const { session } = sessions.get();
  try {
    await api.post("/api/v1/auth/logout", {});
  } finally {
    if (session) tellEnded(session.sitting);
    signedOut();
    disconnect();
    queryClient.clear();
  }
}

/** After a reload: the wallet that signed in, without opening it. */
export function resumeWallet(): void {
  const { session } = sessions.get();
  const wallet = session && offers.get().find(({ id }) => id === session.walletId);
  if (wallet) void connect(wallet, { silently: true });
}
