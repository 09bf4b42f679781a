/**
 * Questions in front of the page.
 *
 * @module dialogs
 */
import { byId, say } from "./dom.js";

/**
 * Asks whether to go on.
 *
 * @param {string} title
 * @param {Node[]} body
 * @param {string} ok what the button says that goes on
 * @returns {Promise<boolean>}
 */
export function confirmed(title, body, ok) {
  const dialog = byId("dialog");
  say(byId("dialog-title"), title);
  say(byId("dialog-ok"), ok);
  byId("dialog-body").replaceChildren(...body);
  return new Promise((resolve) => {
    const end = (answer) => () => {
      dialog.onclose = null;
      dialog.close();
      resolve(answer);
    };
    byId("dialog-cancel").onclick = end(false);
    dialog.onclose = end(false); // Escape
    byId("dialog-form").onsubmit = (event) => {
      event.preventDefault();
      end(true)();
    };
    dialog.showModal();
  });
}

/**
 * Asks for a token, until there is one.
 *
 * @param {string} problem why the last one was not taken; empty at first
 * @returns {Promise<string>}
 */
export function askToken(problem) {
  const dialog = byId("token-dialog");
  const input = byId("token");
  input.value = "";
  say(byId("token-error"), problem);
  dialog.oncancel = (event) => event.preventDefault();
  if (!dialog.open) dialog.showModal();
  input.focus();
  return new Promise((resolve) => {
    byId("token-form").onsubmit = (event) => {
      event.preventDefault();
      if (input.value.trim() === "") return;
      dialog.close();
      resolve(input.value.trim());
      input.value = "";
    };
  });
}
