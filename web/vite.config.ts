// Builds the page into `dist/`, from where the server embeds it. Nothing is inlined: the server's
// Content-Security-Policy allows scripts, styles and images from its own origin only.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env.SYMPOSIA_SERVER ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
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
    },
  },
  test: {
    environment: "node",
    include: ["src/**/*.test.{ts,tsx}"],
  },
});
