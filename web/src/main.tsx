// Puts the app on the page.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./pages/App";

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
