import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./api/query_client.ts";
import { offerDemoWallets } from "./features/demo/demo_wallet.ts";
import { resumeWallet } from "./features/session/sign_in.ts";
import { lookForWallets } from "./features/wallet/wallets.ts";
import { router } from "./router.tsx";
import { applyTheme } from "./state/theme.ts";
import "./styles.css";

applyTheme();
lookForWallets();
void offerDemoWallets().then(resumeWallet);
// A new version was put in place of the one that this page came from: its parts are gone.
window.addEventListener("vite:preloadError", () => location.reload());

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
