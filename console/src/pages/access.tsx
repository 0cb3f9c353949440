import { Link } from "@tanstack/react-router";
import { SignIns } from "../features/access/sign_ins.tsx";
import { useSession } from "../state/session.ts";
import { Hex, PageTitle, Panel } from "../ui/index.ts";

export default function Access() {
  const { session } = useSession();
  return (
    <div className="mx-auto max-w-4xl">
      <PageTitle title="What lets me in" about="Whoever is signed in as you now. What you do not know, end: it lets nobody in any more." />
      <Panel className="mb-4" title="My account">
        <p>
          <Hex value={session?.account ?? ""} whole />
        </p>
        <p className="text-muted">
          What moves money is signed by this wallet alone. Programs have keys of their own, which you revoke among the{" "}
          <Link to="/developers" className="text-accent underline underline-offset-2">
            API keys
          </Link>
          .
        </p>
      </Panel>
      <Panel flush title="Sign-ins">
        <SignIns />
      </Panel>
    </div>
  );
}
