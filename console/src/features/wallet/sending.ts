/** Transactions that a wallet sends itself, in their order. */

import type { QueryClient } from "@tanstack/react-query";
import { exchangeInfo } from "../../api/queries.ts";
import { walletProblem } from "./provider.ts";
import { signer } from "./signing.ts";
import { requireChain } from "./wallets.ts";

export interface CallToSend {
  readonly to: string;
  readonly data: string;
  readonly gas: number;
}

/**
 * Have the wallet send them one after the other. Its owner may go to another chain or account between two of them: each
 * is asked for only where it belongs.
 *
 * @throws WalletProblem declined, on another account or chain, or gone. What was sent before stays sent.
 */
export async function sendAll(client: QueryClient, calls: readonly CallToSend[]): Promise<readonly string[]> {
  const { chainId } = await client.fetchQuery(exchangeInfo);
  const hashes: string[] = [];
  for (const { to, data, gas } of calls) {
    const { wallet, account } = await signer();
    await requireChain(wallet.provider, chainId);
    const params = [{ from: account, to, data, gas: `0x${gas.toString(16)}` }];
    try {
      hashes.push((await wallet.provider.request({ method: "eth_sendTransaction", params })) as string);
    } catch (error) {
      throw walletProblem(error);
    }
  }
  return hashes;
}
