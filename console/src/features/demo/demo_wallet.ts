/**
 * Demo wallets: people of a local stack whose keys everybody who opens this page knows. They speak EIP-1193 like any
 * wallet, so that nothing else on the screens knows of them. A server in production has none.
 */

import { offer } from "../wallet/wallets.ts";
import { type Provider } from "../wallet/provider.ts";

export interface DemoPerson {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  readonly can: string;
  readonly address: `0x${string}`;
  readonly privateKey: `0x${string}`;
  readonly chainId: number;
}

export const DEMO_PREFIX = "demo.deedbook.";

/** Offer the local stack's people as wallets, where this server has any. */
export async function offerDemoWallets(): Promise<readonly DemoPerson[]> {
  const people = await demoPeople();
  for (const person of people) {
    offer({
      id: DEMO_PREFIX + person.id,
      name: person.name,
      icon: "",
      provider: demoProvider(person),
      demo: { title: person.title, can: person.can },
    });
  }
  return people;
}

async function demoPeople(): Promise<readonly DemoPerson[]> {
  try {
    const response = await fetch("/app/demo-people", { cache: "no-store" });
    return response.ok ? ((await response.json()) as { people: DemoPerson[] }).people : [];
  } catch {
    return [];
  }
}

function demoProvider(person: DemoPerson): Provider {
  return {
    async request({ method, params = [] }) {
      switch (method) {
        case "eth_accounts":
        case "eth_requestAccounts":
          return [person.address];
        case "eth_chainId":
          return `0x${person.chainId.toString(16)}`;
        case "personal_sign":
          return (await signer(person)).signMessage({ message: { raw: params[0] as `0x${string}` } });
        case "eth_signTypedData_v4":
          return (await signer(person)).signTypedData(JSON.parse(params[1] as string) as never);
        default:
          throw Object.assign(new Error(`a demo wallet does not do ${method}`), { code: 4200 });
      }
    },
  };
}

/** Loaded when it is first needed: who brings a wallet never downloads the curve. */
async function signer(person: DemoPerson) {
  const { privateKeyToAccount } = await import("viem/accounts");
  return privateKeyToAccount(person.privateKey);
}
