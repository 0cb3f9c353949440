import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { differences } from "../../domain/free_form.ts";
import { earlierOf, submitted } from "../../domain/submissions.ts";
import { Loaded, Panel, SkeletonRows, Time } from "../../ui/index.ts";
import { Differences } from "../staff/differences.tsx";
import { historyOf, issuedBy, looked, type Details } from "./queries.ts";

/** What the issuer has changed since this was last rejected. Nothing where it never was. */
export function SinceEarlier({ details }: { details: Details }) {
  const issued = useQuery(issuedBy(details.market.issuerId));
  const earlier = issued.data ? earlierOf(details.market, issued.data) : null;
  return earlier ? <Compared id={earlier.id} details={details} /> : null;
}

function Compared({ id, details }: { id: string; details: Details }) {
  const asked = useQuery(looked(id));
  const history = useQuery(historyOf(id));
  const rejected = history.data?.findLast(({ eventType }) => eventType === "market.rejected");
  return (
    <Panel
      title="Since it was last rejected"
      className="mb-4"
      actions={
        <Link to={`/approvals/${id}`} className="text-[13px] text-accent underline-offset-2 hover:underline">
          The earlier one
        </Link>
      }
    >
      <Loaded of={asked} waiting={<SkeletonRows rows={3} />}>
        {(before) => (
          <div className="flex flex-col gap-3">
            {rejected ? (
              <p dir="auto">
                <span className="text-muted">
                  Rejected <Time at={rejected.createdAt} shape="relative" />:{" "}
                </span>
                {rejected.reason || "no reason was given"}
              </p>
            ) : null}
            <Differences of={differences(submitted(before), submitted(details))} />
          </div>
        )}
      </Loaded>
    </Panel>
  );
}
