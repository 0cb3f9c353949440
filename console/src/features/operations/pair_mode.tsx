import { useQuery } from "@tanstack/react-query";
import { api } from "../../api/client.ts";
import { ask, type Pair } from "../../api/queries.ts";
import { Dialog, Loaded, SkeletonRows, type ButtonTone } from "../../ui/index.ts";
import { ReasonDialog } from "../staff/reason_dialog.tsx";

export type Mode = "active" | "paused" | "closed";

interface Step {
  readonly title: string;
  readonly what: string;
  readonly done: string;
  readonly effect: string;
  readonly tone: ButtonTone;
}

export const STEPS: Readonly<Record<Mode, Step>> = {
  active: {
    title: "Let this pair trade again?",
    what: "Resume",
    done: "The pair trades",
    effect: "New orders are taken from now on. Orders that rest have kept their place.",
    tone: "primary",
  },
  paused: {
    title: "Only cancels for this pair?",
    what: "Cancels only",
    done: "The pair takes cancels alone",
    effect: "New orders are refused. Orders that rest stay and can be cancelled, and what was traded settles.",
    tone: "danger",
  },
  closed: {
    title: "Close this pair for good?",
    what: "Close for good",
    done: "The pair is closed",
    effect: "Orders that rest are cancelled and released. It cannot be opened again.",
    tone: "danger",
  },
};

interface Props {
  readonly pair: Pair;
  readonly mode: Mode;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

/** A market's pair is changed with its market, of the version that was seen and with a reason; another by itself. */
export function ChangeMode({ pair, mode, onDone, onClose }: Props) {
  const { effect, ...said } = STEPS[mode];
  if (pair.marketId !== null) return <WithMarket pair={pair} marketId={pair.marketId} mode={mode} onDone={onDone} onClose={onClose} />;
  return (
    <ReasonDialog
      {...said}
      reason="none"
      onDo={(_, key) => api.patch("/api/v1/trading/pairs/{id}", { path: { id: pair.id }, body: { status: mode }, key })}
      onDone={onDone}
      onClose={onClose}
    >
      <p>
        <strong>{pair.symbol}</strong>: {effect}
      </p>
    </ReasonDialog>
  );
}

function versionOf(marketId: string) {
  return ask({
    queryKey: ["markets", "version", marketId],
    queryFn: ({ signal }) => api.get("/api/v1/markets/{id}", { path: { id: marketId }, signal }),
    refetchOnWindowFocus: false,
  });
}

function WithMarket({ pair, marketId, mode, onDone, onClose }: Props & { marketId: string }) {
  const asked = useQuery({ ...versionOf(marketId), staleTime: 0, gcTime: 0 });
  const { effect, ...said } = STEPS[mode];
  return (
    <Loaded of={asked} waiting={<Dialog open title={said.title} onClose={onClose}><SkeletonRows rows={2} /></Dialog>}>
      {(market) => (
        <ReasonDialog
          {...said}
          reason="required"
          onDo={(reason, key) => changeMarket(mode, marketId, reason, key, market.version)}
          onDone={onDone}
          onClose={onClose}
          onLookAgain={() => void asked.refetch()}
        >
          <p dir="auto">
            <strong>{pair.symbol}</strong>, {market.name}, version {market.version}: {effect}
          </p>
        </ReasonDialog>
      )}
    </Loaded>
  );
}

function changeMarket(mode: Mode, id: string, reason: string, key: string, seen: number) {
  const options = { path: { id }, body: { reason }, key, seen };
  switch (mode) {
    case "active":
      return api.post("/api/v1/markets/{id}/resume", options);
    case "paused":
      return api.post("/api/v1/markets/{id}/pause", options);
    case "closed":
      return api.post("/api/v1/markets/{id}/archive", options);
  }
}
