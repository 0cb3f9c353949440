import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, useEffect } from "react";
import { signIn } from "../features/session/sign_in.ts";
import { useOffers } from "../features/wallet/wallets.ts";
import { signedOut, useSession } from "../state/session.ts";
import { tell } from "../state/toasts.ts";
import { Button, Dialog, ErrorState } from "../ui/index.ts";

/** The session has run out while somebody was at work: the page behind stays as it is, with what was typed. */
export function SessionEnded() {
  const { standing, session } = useSession();
  const wallet = useOffers().find(({ id }) => id === session?.walletId);
  const [looking, setLooking] = useState(false);
  const client = useQueryClient();
  useEffect(() => setLooking(false), [standing]);
  const returning = useMutation({
    mutationFn: async () => {
      if (wallet) await signIn(wallet);
    },
    onSuccess: () => {
      tell("Signed in again", "Nothing that you typed was lost.");
      // What was refused meanwhile is asked again.
      void client.invalidateQueries();
    },
  });
  return (
    <Dialog open={standing === "expired" && !looking} title="Your session has ended" onClose={() => setLooking(true)}>
      <div className="flex flex-col gap-3">
        <p>Sign in again with the same wallet and go on: everything on this page is as you left it.</p>
        {returning.error ? <ErrorState error={returning.error} /> : null}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={signedOut}>Leave</Button>
          <Button
            tone="primary"
            busy={returning.isPending}
            reason={wallet ? null : "The wallet that signed in is not in this browser any more"}
            onClick={() => returning.mutate()}
          >
            Sign in again
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
