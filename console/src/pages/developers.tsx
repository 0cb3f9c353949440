import { Examples } from "../features/developers/examples.tsx";
import { Keys } from "../features/developers/keys.tsx";
import { Webhooks } from "../features/developers/webhooks.tsx";
import { PageTitle } from "../ui/index.ts";

export default function Developers() {
  return (
    <>
      <PageTitle title="Developers" about="Keys for programs, messages to them, and how they begin. A key never signs: what moves money is signed by your wallet." />
      <div className="flex flex-col gap-4">
        <Keys />
        <Webhooks />
        <Examples />
      </div>
    </>
  );
}
