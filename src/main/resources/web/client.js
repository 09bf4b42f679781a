/**
 * Busbar's client for JavaScript: one module without dependencies, for browsers and Node.
 *
 * ```js
 * import { connect } from "/client.js"; // as a node serves it; or a copy of this file
 *
 * const busbar = connect(); // the page's own origin; in Node: connect("http://127.0.0.1:8080")
 * const calc = busbar.instance("calc");
 * await calc.call("sum", 50, -8); // 42
 * ```
 *
 * Everything goes over one WebSocket, except modules, which are sent and fetched by HTTP. When the connection
 * breaks, what is under way fails with `CONNECTION_LOST` and is never repeated: whether it ran is
 * unknown. The client connects again by itself, subscribes and serves again, and what is asked
 * meanwhile waits, up to its own timeout.
 *
 * @module busbar
 */

const INSTANCE_TIMEOUT = 5_000; // what a node gives an operation on an instance
const COMMON_TIMEOUT = 300_000; // and one at a common address, which may have to compile
const GRACE = 10_000; // an answer so long overdue says that the connection is dead
const UNAUTHENTICATED = 4010;
const POLICY_VIOLATION = 1008; // a socket that is closed so before it is let in never will be

const STANDARD = {
  token: undefined,
  WebSocket: undefined,
  timeout: undefined,
  inFlight: 200,
  messageBytes: 1 << 20,
  waiting: 1000,
  retry: { first: 200, most: 10_000 },
  prefix: "wasm",
};

/**
 * What an operation failed with: the node's structured error, or one of the client's own, which
 * have the code 0: `CONNECTION_LOST` and `CLOSED`.
 */
export class BusbarError extends Error {
  /** @param {{code?: number, name?: string, message?: string}} details as the node told it */
  constructor(details) {
    super(details.message ?? "failed");
    /** The failure's name, such as `TRAP`. */
    this.name = details.name ?? "INTERNAL";
    /** Its number, such as 4220. */
    this.code = details.code ?? 0;
    /** All that was told: `trap`, `frames`, `instance`, `node`, … */
    this.details = details;
  }
}

/**
 * A client of the node there. It connects at once, and again whenever the connection breaks.
 *
 * @param {string | URL} [url] the node, such as `http://127.0.0.1:8080`; without it, the page's own
 * @param {object} [options]
 * @param {string | (() => string | Promise<string>)} [options.token] who asks, or what tells it
 *     each time the client connects
 * @param {typeof WebSocket} [options.WebSocket] the class to use, where there is none built in
 * @param {number} [options.timeout] milliseconds an operation may take unless it says otherwise
 * @param {number} [options.inFlight] the most operations without an answer that a node is sent;
 *     standard 200, as a node refuses more than its `http.maxInFlight`
 * @param {number} [options.messageBytes] the most bytes of one message; standard 1 MiB, as a node
 *     takes no more than its `http.maxMessageBytes`
 * @param {number} [options.waiting] the most operations that wait for that, or for a connection;
 *     standard 1000
 * @param {{first: number, most: number}} [options.retry] milliseconds until it connects again: at
 *     first, doubled each time, and at most
 * @param {string} [options.prefix] of the node's addresses; standard `wasm`
 * @returns {Busbar}
 */
export function connect(url, options = {}) {
  return new Busbar(apiOf(url ?? globalThis.location?.origin), { ...STANDARD, ...options });
}

/** The node's `…/api/v1`, as HTTP. */
function apiOf(url) {
  const api = new URL(url);
  const path = api.pathname.replace(/(\/api\/v1)?(\/ws)?\/?$/, "/api/v1");
  return new URL(api.protocol.replace(/^ws/, "http") + "//" + api.host + path);
}

/**
 * @typedef {object} CallOptions
 * @property {number} [timeout] milliseconds, from its arrival at the instance's node
 * @property {number} [fuel] the most it may use
 * @property {AbortSignal} [signal] aborting it cancels the operation on the node as well
 */

/** A node, or a cluster by one of its nodes. {@link connect} makes it. */
class Busbar {
  #api;
  #options;
  #link;

  constructor(api, options) {
    this.#api = api;
    this.#options = options;
    this.#link = new Link(api, options);
  }

  /** @returns {"connecting" | "open" | "closed"} */
  get status() {
    return this.#link.status;
  }

  /** What the node said to the token: `tenant` (absent for the operator) and `session`. */
  get session() {
    return this.#link.session;
  }

  /** Done when the connection is open, and the token taken; fails once it is closed for good. */
  opened() {
    return this.#link.opened();
  }

  /**
   * @param {(status: "connecting" | "open" | "closed", error?: BusbarError) => void} handler told
   *     of each change and each attempt that failed, and why
   * @returns {() => void} ends it
   */
  onStatus(handler) {
    return this.#link.onStatus(handler);
  }

  /** Closes the connection for good; what is under way fails with `CLOSED`. */
  close() {
    this.#link.close(failure("CLOSED", "the client is closed"));
  }

  /**
   * An instance, on whichever node it lives. Nothing is asked yet.
   *
   * @param {string} id
   * @param {CallOptions} [options] for all it is asked
   * @returns {Instance}
   */
  instance(id, options) {
    return new Instance(new Asker(this.#link, { instance: id }, options));
  }

  /**
   * Starts an instance.
   *
   * @param {object} spec as in the protocol; `module` may also be the bytes of one
   * @param {CallOptions} [options]
   * @returns {Promise<Instance>} with `about`: `id`, `module`, `node`, `address`
   */
  async start(spec, options) {
    const body = isBytes(spec.module) ? { ...spec, module: { bytes: toBase64(spec.module) } } : spec;
    const about = await this.#ask("instances", "start", body, options);
    return new Instance(new Asker(this.#link, { instance: about.id }), about);
  }

  /** @returns {Promise<object[]>} all instances: `id`, `module`, `node`, … */
  async instances(options) {
    return (await this.#ask("instances", "list", {}, options)).instances;
  }

  /** @returns {Promise<object[]>} all nodes: `node`, `instances`, `memory`, … */
  async nodes(options) {
    return (await this.#ask("nodes", "list", {}, options)).nodes;
  }

  /** Moves all that a node has to others, with `fresh` also what loses its memory by that. */
  drain(node, { fresh, ...options } = {}) {
    return this.#ask("nodes", "drain", { node, fresh }, options);
  }

  /**
   * Puts a module on all nodes.
   *
   * @param {Uint8Array | ArrayBuffer | Blob | string} bytes wasm, or wat
   * @param {string} [name] `name` or `name:version`
   * @param {(sent: number, total: number) => void} [onProgress] told in browsers, while it is sent
   * @returns {Promise<object>} what {@link Busbar#describeModule} says, and whether it is `new`
   */
  async put(bytes, name, onProgress) {
    const url = new URL(`${this.#api}/modules`);
    for (const [key, value] of Object.entries(tag(name))) {
      if (value !== undefined) url.searchParams.set(key, value);
    }
    const send = typeof XMLHttpRequest === "undefined" ? post : postWithProgress;
    const { ok, text } = await send(url, bytes, await tokenOf(this.#options), onProgress);
    if (!ok) throw failed(text);
    return parsed(text);
  }

  /** @returns {Promise<object[]>} all modules: `module`, `size`, `tags`, `instances` */
  async modules(options) {
    return (await this.#ask("modules", "list", {}, options)).modules;
  }

  /**
   * @param {string} module `sha256:…`, `name` or `name:version`
   * @returns {Promise<object>} also its `exports` and `imports` with their types
   */
  describeModule(module, options) {
    return this.#ask("modules", "describe", { module }, options);
  }

  /** @returns {Promise<Uint8Array>} the module's binary */
  async getModule(module) {
    const url = `${this.#api}/modules/${encodeURIComponent(module)}/wasm`;
    const answer = await fetch(url, { headers: authorization(await tokenOf(this.#options)) });
    if (!answer.ok) throw failed(await answer.text());
    return new Uint8Array(await answer.arrayBuffer());
  }

  /** Gives a module one more name, `name` or `name:version`. */
  tagModule(module, name, options) {
    return this.#ask("modules", "tag", { module, ...tag(name) }, options);
  }

  removeModule(module, options) {
    return this.#ask("modules", "remove", { module }, options);
  }

  /**
   * Subscribes to what nodes publish, and again after each reconnect.
   *
   * @param {string} what `events`, or `stdio.<id>`
   * @param {(event: object, missed: number) => void} handler `missed`: how many were dropped before
   *     this one, as they were not read in time
   * @returns {Promise<() => void>} done when the node has agreed; what it gives ends it
   */
  on(what, handler) {
    return this.#link.subscribe(`${this.#options.prefix}.${what}`, handler);
  }

  /**
   * Answers an import for guests whose spec names this address, and again after each reconnect.
   *
   * @param {string} address such as `my.sum3`
   * @param {(caller: Caller, ...params: any[]) => any} handler its result, or a promise of it:
   *     nothing, a value, or an array of several; what it throws fails the guest's call
   * @returns {Promise<() => void>} done when the node has agreed; what it gives ends it
   */
  serve(address, handler) {
    return this.#link.serve(address, handler);
  }

  #ask(address, action, body, options) {
    const target = { address: `${this.#options.prefix}.${address}` };
    return new Asker(this.#link, target, options, COMMON_TIMEOUT).body(action, body);
  }
}

/** What is asked, of whom, and with which options. */
class Asker {
  #link;
  #options;
  #standard;

  constructor(link, target, options = {}, standard = INSTANCE_TIMEOUT) {
    this.#link = link;
    this.target = target;
    this.#options = options;
    this.#standard = standard;
  }

  with(options) {
    return new Asker(this.#link, this.target, { ...this.#options, ...options }, this.#standard);
  }

  /** The same asker, for what instances are asked at their common address. */
  common() {
    return new Asker(this.#link, {}, this.#options, COMMON_TIMEOUT);
  }

  ask(action, body = {}) {
    return this.#link.ask({ action, ...this.target, body }, this.#options, this.#standard);
  }

  async body(action, body) {
    return (await this.ask(action, body)).body;
  }

  /** Its standard output and error, as they are published. */
  onStdio(handler) {
    return this.#link.subscribe(`${this.#link.prefix}.stdio.${this.target.instance}`, handler);
  }
}

/** What can be asked of a guest: of an {@link Instance}, or of a {@link Caller} that waits. */
class Exports {
  #asker;

  constructor(asker, about) {
    this.#asker = asker;
    /** An instance: what was answered when it was started here. A caller: who it is. */
    this.about = about;
  }

  /**
   * The same with these options: `calc.with({ timeout: 1000 }).call("sum", 1, 2)`.
   *
   * @param {CallOptions} options
   * @returns {this}
   */
  with(options) {
    return new this.constructor(this.#asker.with(options), this.about);
  }

  /**
   * Any operation of the protocol, with all that is answered.
   *
   * @param {string} action
   * @param {object} [body]
   * @returns {Promise<{body: object, fuel?: number}>} `fuel`: what it used, if it is metered
   */
  ask(action, body) {
    return this.#asker.ask(action, body);
  }

  /**
   * Calls a function. Params may be BigInts. In results an i64 beyond ±2⁵³ is a decimal string, and
   * what JSON has no number for comes as `"NaN"`, `"Infinity"`, `"-Infinity"`.
   *
   * @returns {Promise<any>} nothing, the result, or an array of several
   */
  async call(name, ...params) {
    return single((await this.#asker.body("call", callOf(name, params))).results);
  }

  /**
   * Several calls in one message, in order, each on its own.
   *
   * @param {Array<[name: string, ...params: any[]]>} calls
   * @returns {Promise<any[]>} of each its result, or the {@link BusbarError} it failed with
   */
  async calls(calls) {
    const body = { calls: calls.map(([name, ...params]) => callOf(name, params)) };
    const { answers } = await this.#asker.body("calls", body);
    return answers.map(({ results, error }) => (error ? new BusbarError(error) : single(results)));
  }

  /** The functions as methods: `calc.exports.sum(1, 2)`. */
  get exports() {
    const get = (_, name) =>
      typeof name === "symbol" || name === "then" // or `await` would call it
        ? undefined
        : (...params) => this.call(name, ...params);
    return new Proxy(Object.create(null), { get });
  }

  /** @returns {Promise<boolean>} whether there is an exported function of this name */
  async exists(name) {
    return (await this.#asker.body("exists", { function: name })).exists;
  }

  async global(name) {
    return (await this.#asker.body("get-global", { global: name })).value;
  }

  /** @returns {Promise<any>} the value it has now */
  async setGlobal(name, value) {
    return (await this.#asker.body("set-global", { global: name, value: toJson(value) })).value;
  }

  /**
   * @param {string} [memory] an exported memory; without it, here and below, the first
   * @returns {Promise<{memory: string, pages: number, bytes: number}>}
   */
  memory(memory) {
    return this.#asker.body("memory", { memory });
  }

  /** @returns {Promise<Uint8Array>} */
  async read(offset, length, memory) {
    return fromBase64((await this.#asker.body("read-memory", { offset, length, memory })).bytes);
  }

  /** @returns {Promise<string>} of UTF-8; other bytes are an error */
  async readText(offset, length, memory) {
    const slice = { offset, length, memory, as: "utf8" };
    return (await this.#asker.body("read-memory", slice)).text;
  }

  /**
   * @param {number} offset
   * @param {Uint8Array | ArrayBuffer | string} data bytes, or text that is written as UTF-8
   * @returns {Promise<number>} how many bytes were written: all of them
   */
  async write(offset, data, memory) {
    return (await this.#asker.body("write-memory", { offset, ...payload(data), memory })).written;
  }

  /** @returns {Promise<number>} how many pages there were */
  async grow(pages, memory) {
    return (await this.#asker.body("grow-memory", { pages, memory })).previous;
  }

  /** @returns {Promise<number>} what is left */
  async fuel() {
    return (await this.#asker.body("get-fuel")).fuel;
  }

  async setFuel(fuel) {
    return (await this.#asker.body("set-fuel", { fuel: toJson(fuel) })).fuel;
  }

  /**
   * Bytes in, bytes out, for guests with an allocator and for WASI commands.
   *
   * @param {string} name
   * @param {Uint8Array | ArrayBuffer | string | object} input bytes, text, or what becomes JSON
   * @returns {Promise<Uint8Array | string | any>} of the same kind
   */
  async invoke(name, input) {
    if (isBytes(input)) {
      const body = { function: name, input: toBase64(input) };
      return fromBase64((await this.#asker.body("invoke", body)).output);
    }
    const kind = typeof input === "string" ? "text" : "json";
    return (await this.#asker.body("invoke", { function: name, [kind]: input }))[kind];
  }
}

/** An instance, on whichever node it lives. */
class Instance extends Exports {
  #asker;

  constructor(asker, about) {
    super(asker, about);
    this.#asker = asker;
  }

  get id() {
    return this.#asker.target.instance;
  }

  /** Its spec, module, node, exports with types, memory, queue and counters. */
  describe() {
    return this.#asker.body("describe");
  }

  async stop() {
    await this.#asker.common().body("stop", { id: this.id });
  }

  /**
   * @param {string} [node] where to; without it the node that suits best
   * @param {{fresh?: boolean}} [how] `fresh`: even if what is in its memory is lost
   */
  move(node, { fresh } = {}) {
    return this.#asker.common().body("move", { id: this.id, node, fresh });
  }

  /**
   * @param {Uint8Array | ArrayBuffer | string} data
   * @returns {Promise<number>} how many bytes were taken
   */
  async writeStdin(data) {
    return (await this.#asker.body("write-stdin", payload(data))).written;
  }

  async closeStdin() {
    await this.#asker.body("close-stdin");
  }

  /**
   * What a WASI guest has written and nobody has read; it does not wait.
   *
   * @param {{stream?: "stdout" | "stderr", max?: number}} [what]
   * @returns {Promise<{bytes: Uint8Array, more: boolean, truncated: boolean, closed: boolean}>}
   */
  async readStdout(what = {}) {
    const answer = await this.#asker.body("read-stdout", what);
    return { ...answer, bytes: fromBase64(answer.bytes) };
  }

  /**
   * What a WASI guest writes, while it does, if its spec says `publish`.
   *
   * @param {(chunk: {stream: "stdout" | "stderr", bytes: Uint8Array}) => void} handler
   * @returns {Promise<() => void>} as {@link Busbar#on}
   */
  onStdio(handler) {
    return this.#asker.onStdio((chunk) => handler({ ...chunk, bytes: fromBase64(chunk.bytes) }));
  }
}

/**
 * The guest that called an import served here, and waits: `about` has the import's `name`
 * (`env.sum3`) and the `instance`. It can be asked until the import is answered.
 */
class Caller extends Exports {}

/** The connection, over as many sockets as it takes, and all that has to be told on each of them. */
class Link {
  #url;
  #options;
  #socket;
  #status = "connecting";
  #error; // why it is closed
  #session;
  #attempts = 0; // since the node last answered
  #isLetIn = false; // the socket that there is
  #timer;
  #ids = 0;
  #sent = new Map(); // questions by id
  #waiting = new Map(); // the same, until there is a connection
  #standing = new Map(); // subscriptions and imports served, by what they ask for
  #statusHandlers = new Set();

  constructor(api, options) {
    this.#url = `${api}/ws`.replace(/^http/, "ws");
    this.#options = options;
    this.#open();
  }

  get status() {
    return this.#status;
  }

  get session() {
    return this.#session;
  }

  get prefix() {
    return this.#options.prefix;
  }

  onStatus(handler) {
    this.#statusHandlers.add(handler);
    return () => this.#statusHandlers.delete(handler);
  }

  opened() {
    if (this.#status === "open") return Promise.resolve();
    if (this.#status === "closed") return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      const end = this.onStatus((status, error) => {
        if (status === "connecting") return;
        end();
        if (status === "open") resolve();
        else reject(error);
      });
    });
  }

  close(error) {
    if (this.#status === "closed") return;
    clearTimeout(this.#timer);
    this.#error = error;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    this.#fail(this.#sent, error);
    this.#fail(this.#waiting, error);
    this.#standing.forEach((standing) => standing.agreement.reject(error));
    this.#standing.clear();
    this.#become("closed", error);
  }

  #become(status, error) {
    this.#status = status;
    this.#tell(status, error);
  }

  #tell(status, error) {
    [...this.#statusHandlers].forEach((handler) => guarded(handler, status, error));
  }

  #fail(questions, error) {
    [...questions.values()].forEach((question) => question.reject(error));
    questions.clear();
  }

  // connecting

  async #open() {
    let token;
    try {
      token = await tokenOf(this.#options);
    } catch (e) {
      if (this.#status !== "closed") this.#lost(1006, `no token: ${e?.message ?? e}`); // later there may be one
      return;
    }
    if (this.#status === "closed") return;
    try {
      const Socket = this.#options.WebSocket ?? globalThis.WebSocket;
      if (Socket === undefined) throw new TypeError("pass a WebSocket class: none is built in");
      this.#listen(new Socket(this.#url), token);
    } catch (e) {
      this.close(e);
    }
  }

  #listen(socket, token) {
    const ours = (action) => (event) => this.#socket === socket && action(event);
    this.#socket = socket;
    this.#isLetIn = false;
    let opened = false;
    socket.onopen = ours(() => {
      opened = true;
      this.#enter(token);
    });
    socket.onmessage = ours(({ data }) => typeof data === "string" && this.#receive(parsed(data)));
    socket.onclose = ours(({ code, reason }) => this.#lost(code, String(reason ?? "")));
    // next it is closed; but not in each version of Node, where it was never open
    socket.onerror = ours(() => opened || this.#lost(1006, ""));
  }

  /** Says who we are, if we are anybody, and then all that stands. */
  async #enter(token) {
    const socket = this.#socket;
    try {
      if (token !== undefined) {
        const answer = await this.#authenticate(token);
        this.#session = answer.body;
      }
      if (this.#socket !== socket) return;
      this.#standing.forEach((standing) => this.#ask(standing));
      this.#become("open");
      this.#next();
    } catch {
      socket.close(); // a bad token has closed all of it by now
    }
  }

  #authenticate(token) {
    return new Promise((resolve, reject) => {
      const frame = { action: "authenticate", body: { token } };
      this.#send(new Question(`${++this.#ids}`, frame, {}, INSTANCE_TIMEOUT, resolve, reject));
    });
  }

  #lost(code, reason) {
    this.#socket = undefined;
    this.#session = undefined;
    if (code === POLICY_VIOLATION && !this.#isLetIn) {
      const text = reason || "the node wants to know who asks";
      this.close(failure("UNAUTHENTICATED", text, { code: UNAUTHENTICATED }));
      return;
    }
    const error = failure("CONNECTION_LOST", lostText(code, reason), { close: { code, reason } });
    this.#fail(this.#sent, error);
    const { first, most } = this.#options.retry;
    const pause = Math.min(most, first * 2 ** this.#attempts++);
    this.#timer = setTimeout(() => this.#open(), pause * (0.5 + Math.random() / 2));
    this.#become("connecting", error);
  }

  /** A connection that owes an answer for too long is none, whatever the network thinks. */
  #abandon() {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#lost(1006, "no answer came");
    socket.close();
  }

  // asking

  ask(frame, { timeout = this.#options.timeout, fuel, signal }, standard) {
    return new Promise((resolve, reject) => {
      if (this.#status === "closed") throw this.#error;
      signal?.throwIfAborted();
      const options = { timeout, fuel, signal };
      const id = `${++this.#ids}`;
      const question = new Question(id, frame, options, standard, resolve, reject);
      question.onAbort(() => this.#cancel(question));
      if (this.#mayBeSent(question)) this.#send(question);
      else this.#wait(question);
    });
  }

  /** What a callback asks goes ahead: the calls in flight may be waiting for it. */
  #mayBeSent({ frame }) {
    const isFree = frame.caller !== undefined || this.#sent.size < this.#options.inFlight;
    return this.#status === "open" && isFree;
  }

  #next() {
    for (const question of this.#waiting.values()) {
      if (!this.#mayBeSent(question)) return;
      this.#waiting.delete(question.id);
      this.#send(question);
    }
  }

  #send(question) {
    let text;
    try {
      text = JSON.stringify(question.message());
    } catch (e) {
      question.reject(e); // circular, or with a BigInt
      return;
    }
    const bytes = text.length > this.#options.messageBytes / 3 ? utf8Length(text) : 0;
    if (bytes > this.#options.messageBytes) {
      const most = `a message may have ${this.#options.messageBytes} bytes, not ${bytes}`;
      question.reject(failure("TOO_LARGE", most, { code: 4130 })); // a node would close the socket
      return;
    }
    this.#sent.set(question.id, question);
    question.sent(() => this.#abandon());
    this.#socket.send(text);
  }

  #write(frame) {
    this.#socket?.send(JSON.stringify(frame));
  }

  #wait(question) {
    if (this.#waiting.size >= this.#options.waiting) {
      const text = `${this.#options.waiting} operations wait to be sent`;
      question.reject(failure("OVERLOADED", text, { code: 4290 }));
      return;
    }
    this.#waiting.set(question.id, question);
    question.waits(() => {
      this.#waiting.delete(question.id);
      const text = "timed out before it was sent";
      question.reject(failure("DEADLINE", text, { code: 5040, ran: "never" }));
    });
  }

  #cancel(question) {
    if (this.#waiting.delete(question.id) || !this.#sent.delete(question.id)) return;
    const { instance, caller } = question.frame;
    if (instance === undefined && caller === undefined) return;
    const body = { id: question.id };
    this.#write({ id: `${++this.#ids}`, action: "cancel", instance, caller, body });
  }

  // being told

  #receive(frame) {
    if (typeof frame !== "object" || frame === null) return;
    if (frame.action === "import") this.#import(frame);
    else if (frame.event !== undefined) this.#publish(frame);
    else this.#settle(frame);
  }

  #settle({ id, status, body, fuel, error }) {
    const question = this.#sent.get(id);
    this.#sent.delete(id);
    this.#settled(question, status, body, fuel, error);
    this.#next();
  }

  #settled(question, status, body, fuel, error) {
    if (status === "ok") {
      this.#attempts = 0;
      this.#isLetIn = true;
      question?.resolve(fuel === undefined ? { body } : { body, fuel });
      return;
    }
    const told = new BusbarError(error ?? {});
    question?.reject(told);
    if (told.code !== UNAUTHENTICATED) return;
    if (this.#isLetIn) this.#socket.close(); // its time is over, and a new token may be had
    else this.close(told);
  }

  #publish({ address, event, missed = 0 }) {
    const handlers = this.#standing.get(`subscribe ${address}`)?.handlers ?? [];
    [...handlers].forEach((handler) => guarded(handler, event, missed));
  }

  async #import({ id, import: address, caller, name, instance, body }) {
    const socket = this.#socket;
    const [handler] = this.#standing.get(`serve ${address}`)?.handlers ?? [];
    let answer;
    try {
      if (handler === undefined) throw new Error(`\`${address}\` is not served here`);
      const guest = new Caller(new Asker(this, { caller }), { name, instance });
      const result = await handler(guest, ...body.params);
      answer = { id, status: "ok", body: { results: several(result) } };
    } catch (e) {
      answer = { id, status: "error", error: { message: String(e?.message ?? e) } };
    }
    if (socket !== this.#socket) return;
    try {
      this.#write(answer);
    } catch (e) {
      this.#write({ id, status: "error", error: { message: `no answer that JSON can hold: ${e.message}` } });
    }
  }

  // what stands

  subscribe(address, handler) {
    return this.#stand({ action: "subscribe", address }, "unsubscribe", handler);
  }

  serve(address, handler) {
    if (this.#standing.has(`serve ${address}`)) {
      const text = `\`${address}\` is served already`;
      return Promise.reject(failure("CONFLICT", text, { code: 4090 }));
    }
    return this.#stand({ action: "serve", import: address }, "unserve", handler);
  }

  async #stand(frame, ending, handler) {
    if (this.#status === "closed") throw this.#error;
    const standing = this.#standing.get(keyOf(frame)) ?? this.#begin(frame);
    const entry = (...args) => handler(...args); // the same handler may come twice
    standing.handlers.add(entry);
    await standing.agreement.promise;
    return () => {
      if (standing.handlers.delete(entry) && standing.handlers.size === 0) this.#end(frame, ending);
    };
  }

  #begin(frame) {
    const standing = new Standing(frame);
    this.#standing.set(keyOf(frame), standing);
    if (this.#status === "open") this.#ask(standing);
    return standing;
  }

  #end(frame, ending) {
    this.#standing.delete(keyOf(frame));
    if (this.#status !== "open") return;
    // at once, as what begins is sent: one must not overtake the other
    const ignored = () => {};
    this.#send(new Question(`${++this.#ids}`, { ...frame, action: ending }, {}, INSTANCE_TIMEOUT, ignored, ignored));
  }

  /** What is refused at first is over; what is refused later may be agreed to again. */
  async #ask(standing) {
    const id = `${++this.#ids}`;
    try {
      await new Promise((resolve, reject) =>
        this.#send(new Question(id, standing.frame, {}, INSTANCE_TIMEOUT, resolve, reject)),
      );
      standing.agreed = true;
      standing.agreement.resolve();
    } catch (e) {
      if (e.name === "CONNECTION_LOST") return;
      if (standing.agreed) this.#tell(this.#status, e);
      else if (this.#standing.delete(keyOf(standing.frame))) standing.agreement.reject(e);
    }
  }
}

/** One question on its way to its answer. */
class Question {
  #options;
  #standard;
  #asked = Date.now();
  #settlers;
  #timer;
  #unlisten = () => {};

  constructor(id, frame, options, standard, resolve, reject) {
    this.id = id;
    this.frame = frame;
    this.#options = options;
    this.#standard = standard;
    this.#settlers = { resolve, reject };
  }

  /** As it goes out now: what it has waited is part of its time. */
  message() {
    const { timeout, fuel } = this.#options;
    const left = timeout > 0 ? Math.max(1, timeout - (Date.now() - this.#asked)) : timeout;
    return { id: this.id, ...this.frame, timeout: left, fuel: toJson(fuel) };
  }

  waits(onEnd) {
    this.#timer = setTimeout(onEnd, this.#options.timeout || this.#standard);
  }

  sent(onOverdue) {
    clearTimeout(this.#timer);
    const time = this.#options.timeout ?? this.#standard;
    if (time > 0) this.#timer = setTimeout(onOverdue, Math.min(time + GRACE, 2 ** 31 - 1));
  }

  onAbort(cancel) {
    const { signal } = this.#options;
    if (signal === undefined) return;
    const abort = () => {
      cancel();
      this.reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    this.#unlisten = () => signal.removeEventListener("abort", abort);
  }

  resolve(answer) {
    this.#end();
    this.#settlers.resolve(answer);
  }

  reject(error) {
    this.#end();
    this.#settlers.reject(error);
  }

  #end() {
    clearTimeout(this.#timer);
    this.#unlisten();
  }
}

/** What is to be said on every new connection, until it is ended. */
class Standing {
  handlers = new Set();
  agreement = deferred();
  agreed = false;

  constructor(frame) {
    this.frame = frame;
    this.agreement.promise.catch(() => {}); // who waits for it is told
  }
}

const keyOf = ({ action, address, import: served }) => `${action} ${address ?? served}`;

function deferred() {
  const settlers = {};
  const promise = new Promise((resolve, reject) => Object.assign(settlers, { resolve, reject }));
  return { promise, ...settlers };
}

function failure(name, message, more = {}) {
  return new BusbarError({ code: 0, name, message, ...more });
}

function lostText(code, reason) {
  const why = reason === "" ? `${code}` : `${code}, ${reason}`;
  return `the connection was lost (${why}): whether the operation ran is unknown`;
}

/** A handler's failure is its own. */
function guarded(handler, ...args) {
  try {
    handler(...args);
  } catch (e) {
    console.error(e);
  }
}

async function tokenOf({ token }) {
  return typeof token === "function" ? await token() : token;
}

// values

/** A value as a param: JSON has no BigInt, no NaN and no infinities. */
function toJson(value) {
  if (typeof value === "bigint") return value.toString();
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

const callOf = (name, params) => ({ function: name, params: params.map(toJson) });

const single = (results) => (results.length > 1 ? results : results[0]);

function several(result) {
  if (result === undefined) return [];
  return (Array.isArray(result) ? result : [result]).map(toJson);
}

function tag(name) {
  if (name === undefined) return {};
  const colon = name.indexOf(":");
  if (colon < 0) return { name };
  return { name: name.slice(0, colon), version: name.slice(colon + 1) };
}

const isBytes = (data) => data instanceof ArrayBuffer || ArrayBuffer.isView(data);

const payload = (data) => (isBytes(data) ? { bytes: toBase64(data) } : { text: data });

function toBase64(data) {
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return btoa(binary);
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

const utf8Length = (text) => new TextEncoder().encode(text).length;

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// HTTP

const authorization = (token) => (token === undefined ? {} : { Authorization: `Bearer ${token}` });

const failed = (text) => new BusbarError(parsed(text) ?? { message: text });

async function post(url, body, token) {
  const answer = await fetch(url, { method: "POST", headers: authorization(token), body });
  return { ok: answer.ok, text: await answer.text() };
}

function postWithProgress(url, body, token, onProgress = () => {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    Object.entries(authorization(token)).forEach((header) => request.setRequestHeader(...header));
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded, total);
    request.onload = () => resolve({ ok: request.status < 300, text: request.responseText });
    request.onerror = () => reject(failure("CONNECTION_LOST", "the module could not be sent"));
    request.send(body);
  });
}
