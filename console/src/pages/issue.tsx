import { useMe } from "../api/queries.ts";
import { useDraft } from "../features/issuance/drafts.ts";
import { Wizard } from "../features/issuance/wizard.tsx";
import { useSession } from "../state/session.ts";
import { Notice, PageTitle } from "../ui/index.ts";

export default function Issue() {
  const { session } = useSession();
  const who = useMe();
  const kept = useDraft(session?.userId ?? "");
  return (
    <div className="mx-auto max-w-5xl">
      <PageTitle title="Issue an asset" about="You describe it and prove it; compliance approves it; its token is then deployed by itself and its market opens." />
      {who && !who.entityId ? (
        <div className="mb-4">
          <Notice tone="warn" title="You act for no issuer yet">
            An operator binds your account to your issuer's legal entity. You can write the draft meanwhile.
          </Notice>
        </div>
      ) : null}
      <Wizard kept={kept} />
    </div>
  );
}
