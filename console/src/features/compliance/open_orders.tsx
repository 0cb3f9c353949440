import { Quantity } from "../../ui/index.ts";
import type { OpenOrders } from "./queries.ts";

const SHOWN = 5;

/** How many orders would end, and the first of them. */
export function OrdersThatEnd({ of: { orders, hasMore } }: { of: OpenOrders }) {
  const count = `${orders.length}${hasMore ? " or more" : ""}`;
  const isOne = orders.length === 1 && !hasMore;
  return (
    <>
      <p>{orders.length === 0 ? "No order is open." : `${count} open ${isOne ? "order ends" : "orders end"}:`}</p>
      <ul className="list-disc pl-5">
        {orders.slice(0, SHOWN).map((order) => (
          <li key={order.id}>
            {order.side.toLowerCase()} <Quantity value={order.remainingQuantity} /> {order.pair} at <Quantity value={order.price ?? order.worstPrice} />
          </li>
        ))}
      </ul>
    </>
  );
}
