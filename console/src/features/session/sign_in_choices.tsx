import { useMutation } from "@tanstack/react-query";
import { useSession } from "../../state/session.ts";
import { announce } from "../../state/announcements.ts";
import { Badge, Button, EmptyState, ErrorState, Notice, Panel } from "../../ui/index.ts";
import type { WalletOffer } from "../wallet/provider.ts";
import { useOffers } from "../wallet/wallets.ts";
import { signIn } from "./sign_in.ts";

/** The wallets of this browser, and on a demo stack the people to try it as. One press signs in. */
export function SignInChoices({ onDone }: { onDone?: () => void }) {
  const offers = useOffers();
  const entering = useMutation({
    mutationFn: signIn,
    onSuccess: () => {
      announce("Signed in");
      onDone?.();
    },
  });
  const own = offers.filter(({ demo }) => !demo);
  const demo = offers.filter((offer) => offer.demo);
  const choose = (offer: WalletOffer): void => entering.mutate(offer);
  const busy = entering.isPending ? entering.variables.id : null;
  return (
    <div className="flex max-w-4xl flex-col gap-4">
      {entering.error ? <ErrorState error={entering.error} /> : null}
      {demo.length > 0 ? <DemoPeople people={demo} busy={busy} onChoose={choose} /> : null}
      <Panel title="Your wallet">
        {own.length > 0 ? (
          <ul className="flex flex-col gap-2">
            {own.map((offer) => (
              <li key={offer.id}>
                <Button tone="primary" className="w-full sm:w-auto" busy={busy === offer.id} onClick={() => choose(offer)}>
                  {offer.icon ? <img src={offer.icon} alt="" className="size-5 rounded" /> : null}
                  Sign in with {offer.name}
                </Button>
              </li>
            ))}
          </ul>
        ) : (
          <EmptyState title="No wallet was found in this browser">
            Install one that supports EIP-6963, such as MetaMask or Rabby, and load this page again.
          </EmptyState>
        )}
        <p className="mt-3 text-[13px] text-muted">
          You sign a short text (EIP-4361). It moves nothing and costs nothing; your key stays in the wallet.
        </p>
      </Panel>
    </div>
  );
}

interface DemoProps {
  readonly people: readonly WalletOffer[];
  readonly busy: string | null;
  readonly onChoose: (offer: WalletOffer) => void;
}

function DemoPeople({ people, busy, onChoose }: DemoProps) {
  const { session } = useSession();
  return (
    <Panel
      title={
        <span className="flex items-center gap-2">
          Try it <Badge tone="warn">Demo wallets</Badge>
        </span>
      }
    >
      <Notice tone="warn">
        These people exist on this machine's local chain only. Their keys are known to everybody who opens this page, and
        their money is play money. Open a second tab to be two of them at once.
      </Notice>
      <ul className="mt-3 grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {people.map((person) => (
          <li key={person.id} className="flex flex-col gap-2 rounded-md border border-line p-3">
            <p className="font-semibold">
              {person.name} <span className="font-normal text-muted">· {person.demo?.title}</span>
            </p>
            <p className="flex-1 text-[13px] text-muted">{person.demo?.can}</p>
            <Button
              tone={session?.walletId === person.id ? "plain" : "primary"}
              busy={busy === person.id}
              onClick={() => onChoose(person)}
            >
              Be {person.name}
            </Button>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
