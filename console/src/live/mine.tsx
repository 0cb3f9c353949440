/** What is mine, kept fresh on every page: events of the socket have the questions asked again that they concern, and
 * fills and settlements are told, to the eye and to the ear. */

import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { grouped } from "../domain/show.ts";
import { useSession } from "../state/session.ts";
import { tellNews } from "../state/toasts.ts";
import { useEvents, useMarketEvents } from "./hooks.ts";
import type { FeedMessage } from "./topics.ts";

/** What follows from an event, such as a pair that is paused with its market, is done by a job right after it. */
const FOLLOWS_MS = 1_500;

function again(client: QueryClient, ...rooms: readonly string[]): void {
  for (const room of rooms) void client.invalidateQueries({ queryKey: [room] });
}

export function MyEvents() {
  const client = useQueryClient();
  const { standing } = useSession();
  const signedIn = standing === "signed-in";
  const onMarkets = useCallback(() => {
    const rooms = ["markets", "market", "pairs", "work"] as const;
    again(client, ...rooms);
    setTimeout(() => again(client, ...rooms), FOLLOWS_MS);
  }, [client]);
  const onOrders = useCallback(() => again(client, "orders"), [client]);
  const onBalances = useCallback(() => again(client, "balances", "ledger"), [client]);
  const onFills = useCallback(
    (message: FeedMessage) => {
      again(client, "fills", "orders");
      if (message.type === "event") tellNews(...fillText(message.data ?? {}));
    },
    [client],
  );
  const onSettlements = useCallback(
    (message: FeedMessage) => {
      again(client, "fills", "settlements");
      if (message.eventType === "trade.settled") tellNews("A trade has settled", "Delivered against payment, on the chain.");
      if (message.eventType === "trade.settlement_failed") {
        tellNews("A trade could not be settled", "It is undone: what you gave is yours again.");
      }
    },
    [client],
  );
  useMarketEvents(onMarkets);
  useEvents("orders", onOrders, signedIn);
  useEvents("balances", onBalances, signedIn);
  useEvents("fills", onFills, signedIn);
  useEvents("settlements", onSettlements, signedIn);
  return null;
}

function fillText(data: Readonly<Record<string, unknown>>): [string, string] {
  const { side, quantity, price, pair } = data as Readonly<Record<string, string | undefined>>;
  if (!quantity || !price) return ["An order was filled", ""];
  const [base = "", quote = ""] = (pair ?? "").split(/-(?=[^-]+$)/);
  return [
    side === "SELL" ? `Sold ${grouped(quantity)} ${base}` : `Bought ${grouped(quantity)} ${base}`,
    `at ${grouped(price)} ${quote}`.trim(),
  ];
}
