import { useQuery } from "@tanstack/react-query";
import { Navigate } from "@tanstack/react-router";
import { allStats, pairs } from "../api/queries.ts";
import { EmptyState, Loaded, PageTitle } from "../ui/index.ts";

/** To the pair that is traded most; where there is none, how one comes to be. */
export default function TradeStart() {
  const known = useQuery(pairs);
  const stats = useQuery(allStats);
  return (
    <Loaded of={known}>
      {(found) => {
        const active = found.filter(({ status }) => status === "active");
        const busiest = stats.data?.pairs.find(({ tradingPairId }) => active.some(({ id }) => id === tradingPairId));
        const symbol = busiest?.pair ?? active[0]?.symbol ?? found[0]?.symbol;
        if (symbol && !stats.isPending) return <Navigate to={`/trade/${symbol}`} replace />;
        return (
          <>
            <PageTitle title="Trade" />
            {symbol ? null : (
              <EmptyState title="There is nothing to trade yet">
                When a market goes live its pair opens by itself, and stands here.
              </EmptyState>
            )}
          </>
        );
      }}
    </Loaded>
  );
}
