/** Signed actions: what the API publishes as typed data, filled in, shown by the wallet, and signed by the account that
 * is signed in. Nothing of the structures is written down here. */

import type { QueryClient } from "@tanstack/react-query";
import { exchangeInfo } from "../../api/queries.ts";
import { sessions } from "../../state/session.ts";
import { walletProblem, WalletProblem, type WalletOffer } from "./provider.ts";
import { connect, connection, offers, requireChain, sameAccount } from "./wallets.ts";

export type Struct = "Order" | "Deposit" | "Withdrawal" | "Transfer" | "Swap";
export type Fields = Readonly<Record<string, string | number | boolean>>;
type Members = readonly { readonly name: string; readonly type: string }[];

const DOMAIN_TYPE = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
];

/** The wallet of the account that is signed in, found again and on the account that it was. */
export async function signer(): Promise<{ wallet: WalletOffer; account: string }> {
  const { session } = sessions.get();
  if (!session) throw new WalletProblem("absent", "Sign in first.");
  const wallet = connection.get()?.offer ?? offers.get().find(({ id }) => id === session.walletId);
  if (!wallet) throw new WalletProblem("absent", "The wallet that signed in is not in this browser any more.");
  const made = connection.get() ?? (await connect(wallet));
  if (!made || !sameAccount(made.account, session.account)) {
    throw new WalletProblem(
      "switched",
      `The wallet is on another account than the one that is signed in (${session.account}). Switch back there.`,
    );
  }
  return { wallet, account: session.account };
}

/**
 * Have an action signed. The fields are the structure's, by name; those that are missing are a mistake of ours.
 *
 * @throws WalletProblem declined, on another account or chain, or gone.
 */
export async function signAction(client: QueryClient, struct: Struct, fields: Fields): Promise<string> {
  const told = await client.fetchQuery(exchangeInfo);
  const types = told.eip712Types as Record<string, { name: string; type: string }[]>;
  return signTyped(told.eip712Domain as { chainId: number }, struct, types[struct] ?? [], fields);
}

/**
 * Have any typed data signed that the API has published, such as a token's own.
 *
 * @throws WalletProblem declined, on another account or chain, or gone.
 */
export async function signTyped(domain: { readonly chainId: number }, struct: string, members: Members, fields: Fields): Promise<string> {
  const { wallet, account } = await signer();
  await requireChain(wallet.provider, domain.chainId);
  const message = Object.fromEntries(members.map(({ name }) => [name, required(fields, name)]));
  const document = { domain, types: { EIP712Domain: DOMAIN_TYPE, [struct]: members }, primaryType: struct, message };
  const params = [account, JSON.stringify(document)];
  try {
    return (await wallet.provider.request({ method: "eth_signTypedData_v4", params })) as string;
  } catch (error) {
    throw walletProblem(error);
  }
}

function required(fields: Fields, name: string): string | number | boolean {
  const value = fields[name];
  if (value === undefined) throw new Error(`the signed structure has a field ${name}, which nobody filled in`);
  return value;
}
