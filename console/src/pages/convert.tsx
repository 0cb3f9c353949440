import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { pairs } from "../api/queries.ts";
import { ConvertForm } from "../features/swaps/convert_form.tsx";
import { MySwaps, OneSwap } from "../features/swaps/my_swaps.tsx";
import { useSession } from "../state/session.ts";
import { EmptyState, Loaded, PageTitle, Panel } from "../ui/index.ts";

/** One token for another through the book, for at least what was signed or not at all. */
export default function Convert() {
  const { session } = useSession();
  const known = useQuery(pairs);
  const [followed, setFollowed] = useState<string | null>(null);
  return (
    <>
      <PageTitle title="Convert" about="One token for another at the prices of the book: for at least what you sign, or not at all." />
      <div className="mb-4 grid items-start gap-4 lg:grid-cols-2">
        <Panel title="What for what">
          <Loaded of={known}>
            {(found) =>
              found.some(({ status }) => status !== "closed") ? (
                <ConvertForm pairs={found} onPlaced={({ id }) => setFollowed(id)} />
              ) : (
                <EmptyState title="There is nothing to convert yet">When a market goes live, its token can be had for dollars here.</EmptyState>
              )
            }
          </Loaded>
        </Panel>
        <Panel title="Your swap">
          {followed ? (
            <OneSwap key={followed} id={followed} onClose={() => setFollowed(null)} />
          ) : (
            <EmptyState title="Followed to its end">Once you have signed, its steps are shown here until the chain has delivered it.</EmptyState>
          )}
        </Panel>
      </div>
      <Panel title="Swaps" flush>
        {session ? (
          <MySwaps userId={session.userId} onLook={setFollowed} />
        ) : (
          <EmptyState title="Your swaps stand here">Sign in to see what you have converted, and where it stands.</EmptyState>
        )}
      </Panel>
    </>
  );
}
