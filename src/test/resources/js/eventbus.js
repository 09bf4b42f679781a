// Does with the standard client of the event-bus bridge what it reads, line by line, and tells what
// comes of it.
const EventBus = require('@vertx/eventbus-bridge-client.js');
const lines = require('readline').createInterface({ input: process.stdin });

const [url, options] = process.argv.slice(2);
const bus = new EventBus(url, JSON.parse(options));
const handlers = {};

function tell(what, value) {
  process.stdout.write(JSON.stringify({ [what]: value }) + '\n');
}

bus.defaultHeaders = JSON.parse(options).headers;
bus.onopen = () => tell('open', true);
bus.onreconnect = () => tell('reconnected', true);
bus.onclose = (e) => tell('closed', e.code);
bus.onunhandled = (json) => tell('unhandled', json);

const commands = {
  send: ({ address, body, headers }) =>
    bus.send(address, body, headers, (failure, message) =>
      failure ? tell('failure', failure) : tell('reply', message)),
  register: ({ address }) => {
    handlers[address] = (failure, message) => tell('heard', failure || message);
    bus.registerHandler(address, {}, handlers[address]);
  },
  unregister: ({ address }) => bus.unregisterHandler(address, {}, handlers[address]),
  reconnect: () => bus.enableReconnect(true),
  close: () => bus.close(),
};

lines.on('line', (line) => {
  const command = JSON.parse(line);
  commands[command.do](command);
});
lines.on('close', () => process.exit(0));
