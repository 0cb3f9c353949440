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
 * @throws WalletProblem declined, on another account or chain, or gone. What was sent before stays sent.
 */
export async function sendAll(client: QueryClient, calls: readonly CallToSend[]): Promise<readonly string[]> {
  const { chainId } = await client.fetchQuery(exchangeInfo);
  const { wallet, account } = await signer();
  await requireChain(wallet.provider, chainId);
  const hashes: string[] = [];
  for (const { to, data, gas } of calls) {
    const params = [{ from: account, to, data, gas: `0x${gas.toString(16)}` }];
    try {
      hashes.push((await wallet.provider.request({ method: "eth_sendTransaction", params })) as string);
    } catch (error) {
      throw walletProblem(error);
    }
  }
  return hashes;
}
