// Builds the page into `dist/`, from where the server embeds it. Nothing is inlined: the server's
// Content-Security-Policy allows scripts, styles and images from its own origin only.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const server = process.env.SYMPOSIA_SERVER ?? "http://127.0.0.1:8080";

/** Below it a packed text saves nothing that anybody would notice. */
const WORTH_PACKING_BYTES = 2048;

/** Packs scripts and styles once, as hard as it goes; the server (`src/http/assets.rs`) gives out what a browser takes. */
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    writeBundle({ dir = "dist" }, bundle) {
      for (const name of Object.keys(bundle).filter((file) => /\.(?:js|css)$/u.test(file))) {
        const file = join(dir, name);
        const bytes = readFileSync(file);
        if (bytes.length < WORTH_PACKING_BYTES) continue;
        // Without further options: the hardest, which is brotli's default.
        writeFileSync(`${file}.br`, brotliCompressSync(bytes));
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), packed()],
  build: {
    target: ["chrome111", "firefox114", "safari16.4"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: {
    proxy: {
      "/api": { target: server, ws: true },
      "/whip": { target: server },
      "/whep": { target: server },
      "/hls": { target: server },
    },
  },
  test: {
    environment: "node",
    include: ["src/**/*.test.{ts,tsx}"],
    // On a machine that others use, reading all texts takes longer than the five seconds that are usual.
    testTimeout: 60_000,
  },
});
