import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { ask } from "../../api/queries.ts";
import { splitPair } from "../../domain/holdings.ts";
import { sentence } from "../../domain/words.ts";
import { EmptyState, Loaded, Quantity, Status, Table, Time } from "../../ui/index.ts";

interface Holding {
  readonly id: string;
  readonly what: string;
  readonly amount: string;
  readonly unit: string;
  readonly status: string;
  readonly at: string;
}

const OPEN_ORDERS = ["PENDING_MATCH", "OPEN", "PARTIAL"];
const OPEN_WITHDRAWALS = ["PENDING_APPROVAL", "APPROVED", "PROCESSING", "SUBMITTED", "UNKNOWN"];

function holdingsOf(userId: string, symbol: string) {
  return ask({
    queryKey: ["orders", "holding", userId, symbol],
    queryFn: async ({ signal }): Promise<readonly Holding[]> => {
      const [orders, withdrawals] = await Promise.all([
        api.get("/api/v1/trading/users/{userId}/orders", { path: { userId }, query: { limit: 200 }, signal }),
        api.get("/api/v1/withdrawals", { query: { limit: 200 }, signal }),
      ]);
      const fromOrders = orders.data
        .filter((order) => OPEN_ORDERS.includes(order.status) && splitPair(order.pair)[order.side === "SELL" ? 0 : 1] === symbol)
        .map((order) => ({
          id: order.id,
          what: `${sentence(order.side)} order at ${order.price ?? "any price"}`,
          amount: order.remainingQuantity,
          unit: splitPair(order.pair)[0],
          status: order.status,
          at: order.createdAt,
        }));
      const fromWithdrawals = withdrawals.data
        .filter((withdrawal) => OPEN_WITHDRAWALS.includes(withdrawal.status) && withdrawal.symbol === symbol)
        .map((withdrawal) => ({
          id: withdrawal.id,
          what: "Withdrawal",
          amount: withdrawal.amount,
          unit: symbol,
          status: withdrawal.status,
          at: withdrawal.createdAt,
        }));
      return [...fromOrders, ...fromWithdrawals];
    },
  });
}

/** What some of a token is set aside for: a hold is no line of the ledger, it has not moved. */
export function LockedFor({ userId, symbol }: { userId: string; symbol: string }) {
  const asked = useQuery(holdingsOf(userId, symbol));
  return (
    <Loaded of={asked}>
      {(rows) => (
        <Table
          caption={`What holds ${symbol}`}
          rows={rows}
          rowKey={(row) => row.id}
          empty={<EmptyState title={`Nothing holds ${symbol}`}>Open orders and withdrawals set aside what they may need.</EmptyState>}
          columns={[
            { head: "What", primary: true, cell: (row) => <span className="font-medium">{row.what}</span> },
            { head: "For", right: true, cell: (row) => <Quantity value={row.amount} unit={row.unit} /> },
            { head: "Status", cell: (row) => <Status of={row.status} /> },
            { head: "Since", right: true, cell: (row) => <Time at={row.at} /> },
          ]}
        />
      )}
    </Loaded>
  );
}
