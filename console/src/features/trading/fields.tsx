import type { Pair } from "../../api/queries.ts";
import { canRest, IN_FORCE, inForce, takesPrice, takesStop, untilStep } from "../../domain/order_terms.ts";
import { FORCE_NAMES, SELF_TRADE_NAMES } from "../../domain/order_words.ts";
import type { Draft, Trigger, Wrong } from "../../domain/ticket.ts";
import { Check, Field, Select } from "../../ui/index.ts";

export interface PartProps {
  readonly draft: Draft;
  readonly change: (change: Partial<Draft>) => void;
}

interface FieldsProps extends PartProps {
  readonly pair: Pair;
  readonly wrong: Wrong;
}

/** What a kind of order needs of prices: its trigger, its limit, or the worst that it takes. */
export function PriceFields({ draft, change, pair, wrong }: FieldsProps) {
  const unit = pair.quote.symbol;
  return (
    <>
      {takesStop(draft) ? <TriggerFields draft={draft} change={change} pair={pair} wrong={wrong} /> : null}
      {takesPrice(draft) ? (
        <Field label="Price" inputMode="decimal" unit={unit} value={draft.price} error={wrong.price} onChange={(event) => change({ price: event.target.value })} />
      ) : (
        <Field
          label="Worst price"
          inputMode="decimal"
          unit={unit}
          placeholder="as the pair protects"
          value={draft.worstPrice}
          error={wrong.worstPrice}
          onChange={(event) => change({ worstPrice: event.target.value })}
        />
      )}
    </>
  );
}

const TRIGGERS: Readonly<Record<Trigger, string>> = {
  price: "At a price",
  amount: "Follows the market, by an amount",
  percent: "Follows the market, by percent",
};

function TriggerFields({ draft, change, pair, wrong }: FieldsProps) {
  return (
    <>
      <Select label="Trigger" value={draft.trigger} onChange={(event) => change({ trigger: event.target.value as Trigger, distance: "" })}>
        {Object.entries(TRIGGERS).map(([trigger, name]) => (
          <option key={trigger} value={trigger}>
            {name}
          </option>
        ))}
      </Select>
      {draft.trigger === "price" ? (
        <Field label="Trigger price" inputMode="decimal" unit={pair.quote.symbol} value={draft.stopPrice} error={wrong.stopPrice} onChange={(event) => change({ stopPrice: event.target.value })} />
      ) : (
        <Field
          label="Distance from the market"
          inputMode="decimal"
          unit={draft.trigger === "percent" ? "%" : pair.quote.symbol}
          help={draft.side === "SELL" ? "Rises with the market and never falls." : "Falls with the market and never rises."}
          value={draft.distance}
          error={wrong.distance}
          onChange={(event) => change({ distance: event.target.value })}
        />
      )}
    </>
  );
}

/** How long it is in force, and whether it only rests. */
export function ForceFields({ draft, change, wrong }: Omit<FieldsProps, "pair">) {
  const force = inForce(draft);
  return (
    <div className="flex flex-wrap items-end gap-3">
      <Select label="Time in force" className="flex-1" value={force} onChange={(event) => change({ timeInForce: event.target.value as Draft["timeInForce"] })}>
        {IN_FORCE[draft.orderType].map((each) => (
          <option key={each} value={each}>
            {FORCE_NAMES[each]}
          </option>
        ))}
      </Select>
      {canRest(draft) ? <Check label="Post only" className="pb-2" checked={draft.postOnly} onChange={(event) => change({ postOnly: event.target.checked })} /> : null}
      {force === "GTD" ? (
        <Field label="Good until" type="datetime-local" step={untilStep(draft.until)} className="w-full" value={draft.until} error={wrong.until} onChange={(event) => change({ until: event.target.value })} />
      ) : null}
    </div>
  );
}

/** What few need: how two orders of one owner meet, and a name of one's own. */
export function MoreFields({ draft, change, wrong }: Omit<FieldsProps, "pair">) {
  return (
    <details>
      <summary className="cursor-pointer rounded text-[13px] text-muted">More{draft.reference ? `: ${draft.reference}` : ""}</summary>
      <div className="flex flex-col gap-3 pt-2">
        <Select label="If it meets an order of your own" value={draft.selfTrade} onChange={(event) => change({ selfTrade: event.target.value as Draft["selfTrade"] })}>
          {Object.entries(SELF_TRADE_NAMES).map(([mode, name]) => (
            <option key={mode} value={mode}>
              {name}
            </option>
          ))}
        </Select>
        <Field label="Your own name for it" placeholder="none" help="Unique among all your orders, for ever." value={draft.reference} error={wrong.reference} onChange={(event) => change({ reference: event.target.value })} />
      </div>
    </details>
  );
}
