import { useNavigate } from "@tanstack/react-router";
import { SignInChoices } from "../features/session/sign_in_choices.tsx";
import { PageTitle } from "../ui/index.ts";

export default function SignIn() {
  const navigate = useNavigate();
  return (
    <div className="mx-auto max-w-4xl">
      <PageTitle title="Sign in" about="With your wallet. There is no password, and nothing to remember." />
      <SignInChoices onDone={() => void navigate({ to: "/markets" })} />
    </div>
  );
}
