/*
 * A complete client of one channel, to copy from. It works without the page.
 *
 * A message's position is "<epoch>-<offset>". Offsets count 1, 2, 3 … without gaps; an epoch is one life of that
 * count. A client that reconnects with the last position it saw (?since=) receives every later message exactly once, or is
 * told which are no longer available.
 */

export const FIRST_VISIT = 50; // messages to begin with
const BACKOFF = { first: 500, most: 30_000 }; // ms between attempts, doubled each time
const SETTLED = 10_000; // ms of connection after which the first wait is short again
const ANSWER_TIMEOUT = 8_000; // ms

/** The relay's root. This file is <root>/-/client.js, also where a proxy serves the relay under a path prefix. */
export const ROOT = new URL('../', import.meta.url);

/** The channel that a URL names. */
export class Channel {
  #url;

  constructor(href) {
    this.#url = new URL(href);
    this.#url.hash = '';
    for (const place of ['last', 'since']) this.#url.searchParams.delete(place);
    this.name = decodeURIComponent(this.#url.pathname.slice(ROOT.pathname.length)) || '/';
    this.isRoot = this.name === '/';
    // A pattern listens to many channels. It cannot be sent to, and has no members to count.
    this.isPattern = this.name.split('/').some((segment) => segment === '*' || segment === '**');
  }

  /** Its address for 'http' or 'ws', with TLS if the page uses TLS. */
  url(scheme, parameters = {}) {
    const url = new URL(this.#url);
    url.protocol = url.protocol.replace('http', scheme);
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.href;
  }

  /** Its last messages: {epoch, offset, clients, messages}. */
  ask(last) {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT);
    return this.#fetch({ last }, { headers: { Accept: 'application/json' }, cache: 'no-store', signal });
  }

  /**
   * Publishes; returns {epoch, offset, clients}. It uses POST because POST has an answer: whether the message was
   * accepted, and its offset. Sending the same key again after a lost answer does not publish twice.
   */
  publish(text, key) {
    const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Idempotency-Key': key };
    return this.#fetch({}, { method: 'POST', headers, body: text });
  }

  /** Throws the relay's own sentence when it refuses, with `status`. Without a `status` there was no answer. */
  async #fetch(parameters, options) {
    const response = await fetch(this.url('http', parameters), options);
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const error = new Error(answer.message ?? `The relay answered with status ${response.status}.`);
    throw Object.assign(error, { status: response.status });
  }
}

export const positionOf = ({ epoch, offset }) => `${epoch}-${offset}`;

export function parsePosition(text) {
  const [, epoch, offset] = /^([0-9a-f]{12})-(\d+)$/.exec(text) ?? [];
  return epoch ? { epoch, offset: Number(offset) } : null;
}

/** Decodes a frame of the subprotocol relay.meta: a JSON head line, then the payload exactly as it was sent. */
function decode(frame) {
  if (typeof frame === 'string') {
    const end = frame.indexOf('\n');
    return { ...JSON.parse(frame.slice(0, end)), text: frame.slice(end + 1) };
  }
  const all = new Uint8Array(frame);
  const end = all.indexOf(10);
  return { ...JSON.parse(new TextDecoder().decode(all.subarray(0, end))), bytes: all.subarray(end + 1) };
}

/**
 * A WebSocket that reconnects by itself and continues where it stopped. It calls on.first(head) and
 * on.message(message), each with a `gap` {from, to} when messages before it are missing, and
 * on.state({name, reason, until}). States: connecting, live, waiting (until that time), refused (for good).
 */
export function makeConnection(channel, position, on) {
  let [socket, timer, attempts, liveSince] = [null, 0, 0, 0];

  function connect() {
    if (socket) return;
    clearTimeout(timer);
    on.state({ name: 'connecting' });
    socket = new WebSocket(channel.url('ws', position ? { since: position } : { last: FIRST_VISIT }), 'relay.meta');
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => receive(decode(data));
    socket.onclose = ({ reason }) => lost(reason);
  }

  function receive(message) {
    const last = parsePosition(position);
    if (liveSince && last?.epoch === message.epoch && last.offset + 1 < message.offset) {
      // A relay can be configured to skip messages that a slow client does not take in time.
      message.gap = { from: position, to: `${message.epoch}-${message.offset - 1}` };
    }
    position = message.position ??= positionOf(message);
    if (liveSince) return on.message(message);
    liveSince = performance.now();
    on.first(message);
    on.state({ name: 'live' });
  }

  async function lost(reason) {
    const wasLive = liveSince > 0;
    if (wasLive && performance.now() - liveSince > SETTLED) attempts = 0;
    [socket, liveSince] = [null, 0];
    // Half of the wait is random: a thousand pages must not all reconnect in the same moment.
    const wait = Math.min(BACKOFF.most, BACKOFF.first * 2 ** attempts++) * (0.5 + Math.random() / 2);
    timer = setTimeout(connect, wait);
    on.state({ name: 'waiting', reason, until: Date.now() + wait });
    if (wasLive) return;
    // A browser does not say why a WebSocket could not be opened. A plain request is answered in words.
    const refusal = await channel.ask(0).catch((error) => error);
    if (socket || ![401, 403, 404].includes(refusal.status)) return;
    clearTimeout(timer);
    on.state({ name: 'refused', reason: refusal.message });
  }

  /** For a connection that is dead without having noticed: after sleep, or in another network. */
  function drop(reason) {
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
    lost(reason);
  }

  return { connect, drop, isLive: () => liveSince > 0 };
}
