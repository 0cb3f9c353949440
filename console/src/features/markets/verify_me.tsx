import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, newKey } from "../../api/client.ts";
import { tell } from "../../state/toasts.ts";
import { Button, Dialog, ErrorState, Field } from "../../ui/index.ts";

interface Props {
  readonly userId: string;
  readonly tokenId: string;
  readonly onClose: () => void;
}

const TWO_LETTERS = "Its code of two letters, such as PT.";

/** Have the KYC provider look at me, for one token. What is told goes to the provider, and is erased with its answer. */
export function VerifyMe({ userId, tokenId, onClose }: Props) {
  const client = useQueryClient();
  const key = useRef(newKey());
  const [name, setName] = useState("");
  const [country, setCountry] = useState("");
  const [papers, setPapers] = useState("");
  const documentIds = papers.split(/[,\n]/).map((paper) => paper.trim()).filter(Boolean);
  const checking = useMutation({
    mutationFn: () => api.post("/api/v1/tokens/compliance/{userId}/verify", { path: { userId }, body: { tokenId, legalName: name.trim(), country, documentIds }, key: key.current }),
    onSuccess: () => {
      tell("Asked for", "The provider's answer comes by itself, and stands here as soon as it is there.");
      void client.invalidateQueries({ queryKey: ["market"] });
      onClose();
    },
    onError: () => {
      key.current = newKey();
    },
  });
  const reason = !name.trim() ? "Enter your name" : /^[A-Z]{2}$/.test(country) ? null : TWO_LETTERS;
  return (
    <Dialog open title="Have your identity checked" onClose={onClose}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (reason === null) checking.mutate();
        }}
      >
        <Field label="Your name, as in your papers" maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />
        <Field label="Country" help="Two letters (ISO 3166): PT for Portugal, DE for Germany." error={country.length > 2 ? TWO_LETTERS : null} value={country} onChange={(event) => setCountry(event.target.value.toUpperCase())} />
        <Field label="Papers" help="The numbers of your passport or identity card, with commas between. Without any, a compliance officer has to decide." value={papers} onChange={(event) => setPapers(event.target.value)} />
        {checking.error ? <ErrorState error={checking.error} /> : null}
        <p className="text-[13px] text-muted">This goes to the KYC provider, and is erased here with its answer.</p>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Not now</Button>
          <Button type="submit" tone="primary" busy={checking.isPending} reason={reason}>
            Ask for the check
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
