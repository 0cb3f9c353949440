import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useSession } from "../../state/session.ts";
import { Notice } from "../../ui/index.ts";
import { myStanding } from "./questions.ts";

/** An issuer needs a record of their own: without it they can neither offer their token nor be minted more of it. */
export function OwnStanding({ tokenId, symbol, marketId }: { tokenId: string; symbol: string; marketId: string }) {
  const { session } = useSession();
  const standing = useQuery({ ...myStanding(session?.userId ?? ""), enabled: session !== null });
  const record = standing.data?.records.find((found) => found.tokenId === tokenId);
  if (!standing.data || (record?.kycStatus === "APPROVED" && record.whitelisted)) return null;
  return (
    <Notice tone="warn" title="You cannot hold your own token yet">
      Compliance has no approved record of you for {symbol}. Until it has, you can neither offer {symbol} nor have more of it
      minted.{" "}
      <Link to={`/markets/${marketId}`} hash="eligibility" className="text-accent underline underline-offset-2">
        See what is missing
      </Link>
      , or ask the officer.
    </Notice>
  );
}
