/**
 * Light or dark: as the system says, until somebody says otherwise.
 *
 * @module theme
 */
import { byId, say } from "./dom.js";

const KEY = "busbar.theme";

/** Wires the button, and shows what was chosen before. */
export function theme() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem(KEY);
  const isDark = () => (chosen() ?? (system.matches ? "dark" : "light")) === "dark";
  const show = () => {
    document.documentElement.dataset.theme = isDark() ? "dark" : "light";
    say(byId("theme"), isDark() ? "Light" : "Dark");
    byId("theme").setAttribute("aria-label", `Change to ${isDark() ? "light" : "dark"} colours`);
  };
  byId("theme").onclick = () => {
    localStorage.setItem(KEY, isDark() ? "light" : "dark");
    show();
  };
  system.addEventListener("change", show);
  show();
}
