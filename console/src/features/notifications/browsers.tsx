import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, newKey, type Schemas } from "../../api/client.ts";
import { browserName } from "../../domain/browsers.ts";
import { tell } from "../../state/toasts.ts";
import { Badge, Button, EmptyState, ErrorState, Loaded, Notice, Table, Time, type Column } from "../../ui/index.ts";
import { browsers } from "./questions.ts";
import { idHere, NotShown, rememberId, subscribeHere, unsubscribeHere, whyNot } from "./this_browser.ts";

type Subscription = Schemas["PushSubscriptionAnswer"];

/** Which browsers show what happens to me, this one among them where I want it. */
export function Browsers() {
  const asked = useQuery(browsers);
  return (
    <Loaded of={asked}>
      {({ applicationServerKey, subscriptions }) => (
        <>
          {applicationServerKey ? (
            <Here applicationServerKey={applicationServerKey} isOn={subscriptions.some(({ id }) => id === idHere())} />
          ) : (
            <EmptyState title="This installation pushes nothing">Its operator has named nobody whom push services could turn to. Everything stands in the feed.</EmptyState>
          )}
          {subscriptions.length > 0 ? <Subscribed all={subscriptions} /> : null}
        </>
      )}
    </Loaded>
  );
}

function Here({ applicationServerKey, isOn }: { applicationServerKey: string; isOn: boolean }) {
  const client = useQueryClient();
  const [obstacle, setObstacle] = useState(whyNot);
  const switching = useMutation({
    mutationFn: async () => {
      const offer = await subscribeHere(applicationServerKey);
      const body = { ...offer, description: browserName(navigator.userAgent) };
      return api.post("/api/v1/me/push-subscriptions", { body, key: newKey() });
    },
    onSuccess: ({ id }) => {
      rememberId(id);
      tell("Switched on", "This browser shows what is ticked under Push, also while no page of ours is open.");
    },
    onSettled: () => {
      setObstacle(whyNot());
      return client.invalidateQueries({ queryKey: browsers.queryKey });
    },
  });
  if (isOn) return null;
  return (
    <section className="flex flex-col items-start gap-3 p-4">
      <p>Have this browser show what happens to what is yours, also while no page of ours is open.</p>
      {obstacle ? <Notice tone="warn">{obstacle}</Notice> : null}
      <Button tone="primary" busy={switching.isPending} reason={obstacle} onClick={() => switching.mutate()}>
        Switch on in this browser
      </Button>
      {switching.error instanceof NotShown ? (
        obstacle ? null : (
          <div role="alert">
            <Notice tone="warn">{switching.error.message}</Notice>
          </div>
        )
      ) : switching.error ? (
        <ErrorState error={switching.error} />
      ) : null}
    </section>
  );
}

function Subscribed({ all }: { all: readonly Subscription[] }) {
  const client = useQueryClient();
  const ending = useMutation({
    mutationFn: async (id: string) => {
      await api.delete("/api/v1/me/push-subscriptions/{id}", { path: { id }, key: newKey() });
      if (id === idHere()) await unsubscribeHere();
    },
    onSettled: () => client.invalidateQueries({ queryKey: browsers.queryKey }),
  });
  const columns: readonly Column<Subscription>[] = [
    {
      head: "Browser",
      primary: true,
      cell: ({ id, description, service }) => (
        <span className="flex flex-wrap items-center gap-2">
          {description || service} {id === idHere() ? <Badge tone="good">This one</Badge> : null}
        </span>
      ),
    },
    { head: "By the service", wide: true, cell: ({ service }) => <span className="text-muted">{service}</span> },
    { head: "Since", cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      head: "",
      right: true,
      cell: ({ id, description, service }) => (
        <Button
          small
          tone="quiet"
          aria-label={`Switch off in ${description || service}`}
          busy={ending.isPending && ending.variables === id}
          onClick={() => ending.mutate(id)}
        >
          Switch off
        </Button>
      ),
    },
  ];
  return (
    <>
      <Table caption="Browsers that are told" dense rows={all} rowKey={({ id }) => id} columns={columns} />
      {ending.error ? <ErrorState error={ending.error} /> : null}
    </>
  );
}
