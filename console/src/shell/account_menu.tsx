import { useMutation } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useMe } from "../api/queries.ts";
import { shortHex } from "../domain/words.ts";
import { signOut } from "../features/session/sign_in.ts";
import { sameAccount, useConnection } from "../features/wallet/wallets.ts";
import { useSession } from "../state/session.ts";
import { tell } from "../state/toasts.ts";
import { Badge, Button, Hex, Notice } from "../ui/index.ts";
import { Menu } from "./navigation.tsx";
import { SignInLink } from "../features/session/sign_in_link.tsx";

export function AccountMenu() {
  const { session } = useSession();
  const who = useMe();
  const connection = useConnection();
  const navigate = useNavigate();
  const leaving = useMutation({
    mutationFn: signOut,
    onSettled: () => {
      tell("Signed out");
      void navigate({ to: "/markets" });
    },
  });
  if (!session) {
    return (
      <SignInLink className="rounded-md bg-accent px-3 py-1.5 font-medium whitespace-nowrap text-on-accent hover:brightness-110">
        Sign in
      </SignInLink>
    );
  }
  const switched = connection !== null && !sameAccount(connection.account, session.account);
  return (
    <Menu right label={<AccountName account={session.account} />}>
      <div className="flex w-72 flex-col gap-3 p-2">
        <div>
          <p className="text-[13px] text-muted">Signed in as</p>
          <Hex value={session.account} whole />
        </div>
        <div className="flex flex-wrap gap-1">
          <Badge>investor</Badge>
          {(who?.roles ?? []).map((role) => (
            <Badge key={role} tone="accent">
              {role}
            </Badge>
          ))}
        </div>
        {switched ? (
          <Notice tone="warn" title="The wallet is on another account">
            It signs for {shortHex(connection.account)}. Switch back, or sign in again.
          </Notice>
        ) : null}
        <Link to="/access" className="rounded px-2 py-1 text-accent hover:bg-raised">
          What lets me in
        </Link>
        <SignInLink className="rounded px-2 py-1 text-accent hover:bg-raised">
          Sign in as somebody else
        </SignInLink>
        <Button busy={leaving.isPending} onClick={() => leaving.mutate()}>
          Sign out
        </Button>
      </div>
    </Menu>
  );
}

/** Cut for the eye, whole for the ear: no label that would say something else than what is seen. */
function AccountName({ account }: { account: string }) {
  return (
    <>
      <span className="sr-only">Account {account}</span>
      <code aria-hidden="true" className="font-mono text-[13px]">
        {shortHex(account)}
      </code>
    </>
  );
}
