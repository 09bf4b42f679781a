/**
 * The console: one page that shows a cluster, and lets one do with it what the protocol can.
 *
 * @module console
 */
import { connect } from "./client.js";
import { askToken } from "./console/dialogs.js";
import { byId, el, repeated, say, shown } from "./console/dom.js";
import { eventList } from "./console/events.js";
import { alarm } from "./console/failures.js";
import { instanceView } from "./console/instance.js";
import { showLists } from "./console/lists.js";
import { moduleView, nameOf } from "./console/module.js";
import { theme } from "./console/theme.js";
import { uploads } from "./console/uploads.js";

const TOKEN = "busbar.token";
const REFRESH_MILLIS = 5000;
const EVENT_MILLIS = 150; // many events are one refresh
const UNAUTHENTICATED = 4010;
const LISTS = ["nodes", "modules", "instances"];

/** What the page knows, and what it shows of it. */
export class App {
  nodes = [];
  modules = [];
  instances = [];
  #refusals = {};
  #view;
  #shown; // the address that the view is for
  #timer;
  #addEvent = eventList();

  constructor() {
    this.#connect();
    uploads(this);
    byId("filter").oninput = () => showLists(this);
    byId("sign-out").onclick = () => this.#signOut();
    window.addEventListener("hashchange", () => this.#route(true));
    this.#skipLink();
    repeated(REFRESH_MILLIS, () => this.refresh()).start();
  }

  // connection

  #connect() {
    const token = sessionStorage.getItem(TOKEN) ?? undefined;
    this.busbar = connect(location.href.replace(/[?#].*/, ""), { token });
    const { busbar } = this;
    busbar.onStatus((status, error) => busbar === this.busbar && this.#status(status, error));
    busbar.on("events", (event, missed) => this.#event(event, missed)).catch(() => {}); // told by the status, or forbidden
    byId("sign-out").hidden = token === undefined;
    this.#status(busbar.status);
    this.refresh();
    this.#route(false);
  }

  #status(status, error) {
    const node = byId("connection");
    node.className = `connection ${status}`;
    const tenant = this.busbar.session?.tenant;
    say(node, status === "open" && tenant ? `connected as ${shown(tenant)}` : { open: "connected", closed: "closed" }[status] ?? "connecting");
    if (status === "open") this.refresh();
    if (status !== "closed") return;
    if (error?.code === UNAUTHENTICATED) this.#signIn(error);
    else if (error) alarm(error);
  }

  async #signIn(error) {
    const tried = sessionStorage.getItem(TOKEN) !== null;
    sessionStorage.removeItem(TOKEN);
    sessionStorage.setItem(TOKEN, await askToken(tried ? shown(error.message) : ""));
    this.#reconnect();
  }

  #signOut() {
    sessionStorage.removeItem(TOKEN);
    const old = this.busbar;
    this.#reconnect();
    old.close();
  }

  #reconnect() {
    LISTS.forEach((list) => (this[list] = []));
    this.#shown = undefined;
    this.#connect();
  }

  #event(event, missed) {
    this.#addEvent(event, missed);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.refresh();
    }, EVENT_MILLIS);
  }

  // lists

  /** Asks for all lists anew. */
  async refresh() {
    const { busbar } = this;
    if (busbar.status !== "open") return;
    await Promise.all(LISTS.map((list) => this.#read(busbar, list)));
    if (busbar === this.busbar) showLists(this);
  }

  async #read(busbar, list) {
    try {
      const items = await busbar[list]({ timeout: REFRESH_MILLIS * 2 });
      if (busbar !== this.busbar) return;
      this[list] = items;
      this.#refusals[list] = "";
    } catch (e) {
      if (e.name !== "CONNECTION_LOST" && e.name !== "CLOSED") this.#refusals[list] = shown(e.message);
    }
  }

  /** Why a list cannot be shown; mostly empty. */
  refusal(list) {
    return this.#refusals[list] ?? "";
  }

  /** What a module is called. */
  moduleName(ref) {
    return nameOf(this.modules.find(({ module }) => module === ref)?.tags, ref);
  }

  // selection

  /** The address of what is selected. */
  get selected() {
    return location.hash;
  }

  /** Shows what is at this address, `#/instance/…` or `#/module/…`; nothing for an empty one. */
  select(address) {
    if (address === "") history.pushState(null, "", location.pathname + location.search);
    else if (location.hash !== address) return void (location.hash = address);
    this.#route(false);
  }

  #route(moveFocus) {
    if (this.#shown === location.hash) return;
    this.#shown = location.hash;
    this.#view?.stop();
    this.#view = this.#viewOf(location.hash);
    byId("selection").replaceChildren(this.#view.node);
    this.#view.start();
    showLists(this);
    if (moveFocus) byId("selection-title")?.focus();
  }

  #viewOf(address) {
    const [, kind, name] = /^#\/(instance|module)\/(.+)$/.exec(address) ?? [];
    if (kind === "instance") return instanceView(this, decoded(name));
    if (kind === "module") return moduleView(this, decoded(name));
    return { node: welcome(), start: () => {}, stop: () => {} };
  }

  #skipLink() {
    document.querySelector(".skip").onclick = (event) => {
      event.preventDefault();
      (byId("selection-title") ?? byId("selection")).focus();
    };
  }
}

function decoded(name) {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function welcome() {
  return el(
    "div",
    { class: "welcome" },
    el("h2", {}, "Nothing is selected"),
    el("p", {}, "Put a module, start an instance of it, and call its functions. Whatever node you ask, you see all of them."),
  );
}

theme();
new App();
