import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { pairs, type Pair } from "../../api/queries.ts";
import { compact } from "../../domain/show.ts";
import { useTicker } from "../../live/hooks.ts";
import { Change, Money, Nothing, Select, Status } from "../../ui/index.ts";
import { useWide } from "../../ui/wide.ts";
import { LastPrice } from "./last_price.tsx";
import { LayoutMenu } from "./layout_menu.tsx";

/** Which pair, what it trades at, and how its last 24 hours were. */
export function PairHeader({ pair }: { pair: Pair }) {
  const ticker = useTicker(pair.symbol);
  const known = useQuery(pairs);
  const navigate = useNavigate();
  const stats = ticker?.stats;
  return (
    <div className="flex flex-wrap items-center gap-x-6 gap-y-2 rounded-lg border border-line bg-panel px-3 py-2">
      <div className="flex min-w-0 items-center gap-2">
        <h1 className="sr-only">Trade {pair.symbol}</h1>
        <Select label="Pair" hideLabel className="max-w-64 font-semibold" value={pair.symbol} onChange={(event) => void navigate({ to: `/trade/${event.target.value}` })}>
          {(known.data ?? [pair]).map(({ id, symbol }) => (
            <option key={id} value={symbol}>
              {symbol}
            </option>
          ))}
        </Select>
        {pair.status === "active" ? null : <Status of={pair.status} />}
      </div>
      <dl className="flex flex-wrap gap-x-6 gap-y-1 text-[13px]">
        <Entry name="Last">
          <LastPrice pair={pair} unit={pair.quote.symbol} />
        </Entry>
        <Entry name="24 h">
          <Change bps={stats?.changeBps24h} />
        </Entry>
        <Entry name="High">
          <Money value={stats?.high24h} />
        </Entry>
        <Entry name="Low">
          <Money value={stats?.low24h} />
        </Entry>
        <Entry name="Volume">{stats ? <span title={stats.quoteVolume24h}>{compact(stats.quoteVolume24h)}</span> : <Nothing />}</Entry>
        {ticker?.reference ? (
          <Entry name="Reference">
            <Money value={ticker.reference.price} />
          </Entry>
        ) : null}
      </dl>
      <div className="ml-auto flex items-center gap-3">
        {pair.marketId ? (
          <Link to={`/markets/${pair.marketId}`} className="rounded text-[13px] text-accent underline underline-offset-2">
            About this asset
          </Link>
        ) : null}
        {useWide() ? <LayoutMenu /> : null}
      </div>
    </div>
  );
}

function Entry({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt className="text-[12px] text-muted">{name}</dt>
      <dd className="figures font-medium">{children}</dd>
    </div>
  );
}
