import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { ALL_PAGES } from "./src/pages/registry.ts";

/** What `make demo` serves: an API on its usual port. For `npm run dev` alone. */
const API = process.env.DEEDBOOK_API ?? "http://localhost:3000";

/** The list of pages beside the pages, for whoever visits them all. */
const listed: Plugin = {
  name: "deedbook-pages",
  generateBundle() {
    this.emitFile({ type: "asset", fileName: "pages.json", source: `${JSON.stringify(ALL_PAGES, null, 2)}\n` });
  },
};

export default defineConfig({
  base: "/app/",
  plugins: [react(), tailwindcss(), listed],
  build: {
    outDir: "../src/deedbook/console/static",
    emptyOutDir: true,
    // Everything is a file of its own: the content security policy knows no inline code and no other place.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
  },
  server: { proxy: { "/api": { target: API, ws: true }, "/app/demo-people": API } },
});
