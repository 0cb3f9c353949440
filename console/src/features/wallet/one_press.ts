import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

interface Sending<Wish, Answer> {
  readonly send: (wish: Wish) => Promise<Answer>;
  /** What a page that was left in the middle had begun; `null` where there is nothing of the kind. */
  readonly finish: () => Promise<Answer | null>;
  /** Of each that was sent, those too that another page had begun. */
  readonly onSent: (answer: Answer) => void;
  /** Of what was sent from here alone. */
  readonly onOwnSent?: () => void;
}

/** One press, one order or swap; what an earlier page had begun is finished first. `underWay` is what the wallet is asked
 * to sign just now: while it is open, that is what has to stand on the page. */
export function useOnePress<Wish, Answer>({ send, finish, onSent, onOwnSent }: Sending<Wish, Answer>) {
  const client = useQueryClient();
  const isUnderWay = useRef(false);
  const told = (answer: Answer): void => {
    for (const room of ["orders", "balances"]) void client.invalidateQueries({ queryKey: [room] });
    onSent(answer);
  };
  const sending = useMutation({
    mutationFn: send,
    onSuccess: (answer) => {
      told(answer);
      onOwnSent?.();
    },
    onSettled: () => {
      isUnderWay.current = false;
    },
  });
  const finishing = useMutation({ mutationFn: finish, onSuccess: (answer) => (answer === null ? undefined : told(answer)) });
  const begin = finishing.mutate;
  useEffect(() => begin(), [begin]);
  const place = (wish: Wish): void => {
    // The second press of a double click comes before the button is grey.
    if (isUnderWay.current) return;
    isUnderWay.current = true;
    sending.mutate(wish);
  };
  const underWay = sending.isPending ? sending.variables : undefined;
  return { place, underWay, busy: sending.isPending, error: sending.error ?? finishing.error };
}
