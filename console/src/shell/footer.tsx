import { useQuery } from "@tanstack/react-query";
import { exchangeInfo } from "../api/queries.ts";

export function Footer() {
  const info = useQuery(exchangeInfo);
  return (
    <footer className="no-print flex flex-wrap gap-x-4 gap-y-1 border-t border-line px-4 py-2 max-[1099px]:pb-16 text-[13px] text-muted">
      <span>Deedbook {info.data?.version}</span>
      {info.data ? <span>Chain {info.data.chainId}</span> : null}
      <a className="rounded underline-offset-2 hover:text-text hover:underline" href="https://www.tradingview.com/" rel="noreferrer" target="_blank">
        Charts: TradingView Lightweight Charts™
      </a>
      <a className="rounded underline-offset-2 hover:text-text hover:underline" href="/openapi.json">
        OpenAPI
      </a>
      <a className="rounded underline-offset-2 hover:text-text hover:underline" href="/docs/errors">
        Error codes
      </a>
    </footer>
  );
}
