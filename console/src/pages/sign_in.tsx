import { useRouter, useSearch } from "@tanstack/react-router";
import { wayBack } from "../domain/way_back.ts";
import { SignInChoices } from "../features/session/sign_in_choices.tsx";
import { PageTitle } from "../ui/index.ts";

const BASE = import.meta.env.BASE_URL.replace(/\/$/, "");

export default function SignIn() {
  const { history } = useRouter();
  const { back } = useSearch({ strict: false }) as { back?: string };
  return (
    <div className="mx-auto max-w-4xl">
      <PageTitle title="Sign in" about="With your wallet. There is no password, and nothing to remember." />
      <SignInChoices onDone={() => history.push(BASE + wayBack(back))} />
    </div>
  );
}
