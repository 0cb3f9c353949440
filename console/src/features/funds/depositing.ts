/** A deposit as it is signed and sent: brought by the platform with an approval that is signed too (ERC-2612), or by the
 * wallet's own transactions. */

import type { QueryClient } from "@tanstack/react-query";
import { api, type Schemas } from "../../api/client.ts";
import { compare, isPositive, toUnits } from "../../domain/decimal.ts";
import { WalletProblem } from "../wallet/provider.ts";
import { sendAll } from "../wallet/sending.ts";
import { signAction, signTyped } from "../wallet/signing.ts";

export type Terms = Schemas["DepositTermsAnswer"];
export type Way = "relay" | "own";

/** What the `Deposit` structure has, for one intention: signed again after a lost answer it is the same. */
export interface Announced {
  readonly trader: string;
  readonly token: string;
  readonly amount: string;
  readonly nonce: string;
  readonly expiry: number;
}

/** The approval to sign beside it, field by field; `null` where enough is allowed already, or the token takes none. */
export function permitFields({ trader, amount, expiry }: Announced, terms: Terms, decimals: number) {
  const units = toUnits(amount, decimals);
  if (!terms.permit || units === null || isAllowed(terms, amount)) return null;
  return { owner: trader, spender: terms.spender, value: String(units), nonce: terms.permit.nonce, deadline: expiry };
}

export function isAllowed(terms: Terms, amount: string): boolean {
  return terms.allowed !== null && isPositive(terms.allowed) && compare(terms.allowed, amount) >= 0;
}

/** By which ways so much can come in. The platform's costs its owner nothing, and comes first. */
export function waysOf(terms: Terms | undefined, amount: string, sends: boolean): readonly Way[] {
  const relay: readonly Way[] = terms && (terms.permit || isAllowed(terms, amount)) ? ["relay"] : [];
  return sends ? [...relay, "own"] : relay;
}

/**
 * Sign and announce; where the wallet brings it itself, have it send.
 *
 * @throws WalletProblem · ApiProblem
 */
export async function deposit(client: QueryClient, fields: Announced, way: Way, terms: Terms | undefined, decimals: number): Promise<Schemas["DepositAnswer"]> {
  const signature = await signAction(client, "Deposit", { ...fields });
  if (way === "own") {
    const announced = await api.post("/api/v1/deposits", { body: { ...fields, signature, relay: false }, key: fields.nonce });
    await sendAll(client, announced.send ?? []);
    return announced;
  }
  const approval = terms ? permitFields(fields, terms, decimals) : null;
  const permit = approval && terms?.permit ? { permit: await signPermit(terms.permit, approval) } : {};
  return api.post("/api/v1/deposits", { body: { ...fields, signature, relay: true, ...permit }, key: fields.nonce });
}

/** Some wallets count from 0. */
const LAST_BYTE: Readonly<Record<string, 27 | 28>> = { "00": 27, "01": 28, "1b": 27, "1c": 28 };

type Approval = NonNullable<ReturnType<typeof permitFields>>;

async function signPermit({ domain, types }: NonNullable<Terms["permit"]>, approval: Approval): Promise<Schemas["PermitBody"]> {
  const members = (types as Readonly<Record<string, { name: string; type: string }[]>>)["Permit"] ?? [];
  const signature = await signTyped(domain as { chainId: number }, "Permit", members, approval);
  const [, r, s, last = ""] = /^0x([0-9a-fA-F]{64})([0-9a-fA-F]{64})([0-9a-fA-F]{2})$/.exec(signature) ?? [];
  const v = LAST_BYTE[last.toLowerCase()];
  if (!r || !s || !v) {
    throw new WalletProblem("failed", "This wallet signs as a contract, and the token takes a key's signature alone. Have it send the transactions itself.");
  }
  return { value: approval.value, deadline: approval.deadline, v, r: `0x${r}`, s: `0x${s}` };
}
