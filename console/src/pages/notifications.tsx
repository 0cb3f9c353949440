import { useState } from "react";
import { Browsers } from "../features/notifications/browsers.tsx";
import { Contacts } from "../features/notifications/contacts.tsx";
import { Feed } from "../features/notifications/feed.tsx";
import { Preferences } from "../features/notifications/preferences.tsx";
import { PageTitle, Panel, Tabs } from "../ui/index.ts";

type TabName = "feed" | "preferences" | "contacts" | "browsers";

export default function Notifications() {
  const [tab, setTab] = useState<TabName>("feed");
  return (
    <div className="mx-auto max-w-4xl">
      <PageTitle title="Notifications" about="What has happened to what is yours." />
      <Panel flush>
        <Tabs
          label="Notifications"
          flush
          active={tab}
          onChange={setTab}
          tabs={[
            { name: "feed", label: "Feed", panel: <Feed /> },
            { name: "preferences", label: "Where I hear of what", panel: <Preferences /> },
            { name: "contacts", label: "Contacts", panel: <Contacts /> },
            { name: "browsers", label: "Browsers", panel: <Browsers /> },
          ]}
        />
      </Panel>
    </div>
  );
}
