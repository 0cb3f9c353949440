import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { pairs } from "../../api/queries.ts";
import { asCurl, asPython, CopyButton, Panel, Tabs } from "../../ui/index.ts";

/** Nothing of it does anything: a newcomer runs them as they stand. */
function requests(pair: string) {
  const order = { tradingPairId: pair, side: "BUY", orderType: "LIMIT", quantity: "1", price: "25" };
  return [
    { title: "Who am I", request: { method: "GET", path: "/api/v1/me" } },
    { title: "The book of a pair", request: { method: "GET", path: `/api/v1/trading/pairs/${pair}/orderbook` } },
    { title: "Have an order looked at, without sending it", request: { method: "POST", path: "/api/v1/trading/orders/preview", body: order } },
  ] as const;
}

const LINKS = [
  ["/openapi.json", "OpenAPI", "every route, with types, access and examples"],
  ["/asyncapi.json", "AsyncAPI", "the WebSocket: channels, messages, checksums"],
  ["/docs/errors", "Error codes", "what each means and what to do"],
] as const;

type Language = "curl" | "Python";

/** How a program begins: the contract, and requests that run as they stand with a token in the environment. */
export function Examples() {
  const [language, setLanguage] = useState<Language>("curl");
  const known = useQuery(pairs);
  const write = language === "curl" ? asCurl : asPython;
  const panel = (
    <div className="flex flex-col gap-4">
      {requests(known.data?.[0]?.symbol ?? "LUXAPT-USDC").map(({ title, request }) => (
        <section key={title} className="min-w-0">
          <h3 className="flex items-center gap-1 font-medium">
            {title} <CopyButton text={write(request)} label={`Copy: ${title}`} />
          </h3>
          <pre tabIndex={0} aria-label={`${title}, ${language}`} className="mt-1 overflow-x-auto rounded border border-line bg-bg p-2 font-mono text-[12px]">
            {write(request)}
          </pre>
        </section>
      ))}
    </div>
  );
  return (
    <Panel title="Begin" flush>
      <ul className="flex flex-col gap-1 border-b border-line p-4">
        {LINKS.map(([href, name, about]) => (
          <li key={href}>
            <a href={href} className="text-accent underline underline-offset-2 hover:no-underline">
              {name}
            </a>{" "}
            <span className="text-muted">{about}</span>
          </li>
        ))}
      </ul>
      <Tabs<Language>
        label="Language of the examples"
        active={language}
        onChange={setLanguage}
        tabs={[
          { name: "curl", label: "curl", panel },
          { name: "Python", label: "Python", panel },
        ]}
      />
    </Panel>
  );
}
