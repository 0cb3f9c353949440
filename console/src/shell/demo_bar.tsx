import { useOffers } from "../features/wallet/wallets.ts";
import { useSession } from "../state/session.ts";
import { SignInLink } from "../features/session/sign_in_link.tsx";

/** Says, as long as one plays somebody, who that is and what they can do. */
export function DemoBar() {
  const { session } = useSession();
  const person = useOffers().find(({ id }) => id === session?.walletId);
  if (!person?.demo) return null;
  return (
    <div role="note" className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 border-t border-line bg-warn-soft px-3 py-1 text-[13px] sm:px-4">
      <strong className="text-warn">Demo</strong>
      <span>
        You are <strong>{person.name}</strong>, {inSentence(person.demo.title)}.
      </span>
      <span className="text-muted max-md:hidden">{person.demo.can}</span>
      <SignInLink className="ml-auto rounded font-medium text-accent underline underline-offset-2">
        Be somebody else
      </SignInLink>
    </div>
  );
}

function inSentence(title: string): string {
  return title.charAt(0).toLowerCase() + title.slice(1);
}
