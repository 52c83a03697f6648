/*
 * The page of a channel, and a complete client to copy from: down to the line, nothing knows of the page.
 *
 * A message's position is "<epoch>-<offset>": offsets count 1, 2, 3 … without holes, an epoch is one life of that
 * count. Who comes back with the last one it saw (?since=) misses nothing, or is told what cannot be given.
 */

const FIRST_VISIT = 50; // messages to begin with
const BACKOFF = { first: 500, most: 30_000 }; // ms between attempts, doubled each time
const SETTLED = 10_000; // ms after which a loss is a new one, and the first wait is short again
const POLL = { every: 10_000, timeout: 8_000 };

/** The channel that a URL names. */
class Channel {
  #url;

  constructor(href) {
    this.#url = new URL(href);
    this.#url.hash = '';
    for (const place of ['last', 'since']) this.#url.searchParams.delete(place);
    this.name = decodeURIComponent(this.#url.pathname.slice(1)) || '/';
    // Listens to many channels, and is none that could be sent to or counted.
    this.isPattern = this.name.split('/').some((segment) => segment === '*' || segment === '**');
  }

  /** Its address for 'http' or 'ws', with TLS if the page has it. */
  url(scheme, parameters = {}) {
    const url = new URL(this.#url);
    url.protocol = url.protocol.replace('http', scheme);
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.href;
  }

  /** Its last messages: {epoch, offset, clients, messages}. */
  ask(last) {
    const signal = AbortSignal.timeout(POLL.timeout);
    return this.#fetch({ last }, { headers: { Accept: 'application/json' }, cache: 'no-store', signal });
  }

  /**
   * Publishes; gives {epoch, offset, clients}. By POST, because that is answered: accepted, and as which message. The
   * same key again, after an answer that got lost, publishes nothing twice.
   */
  publish(text, key) {
    const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Idempotency-Key': key };
    return this.#fetch({}, { method: 'POST', headers, body: text });
  }

  /** Throws what the relay refuses as its own sentence, with `status`; without one, nobody answered. */
  async #fetch(parameters, options) {
    const response = await fetch(this.url('http', parameters), options);
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const error = new Error(answer.message ?? `The relay answers ${response.status}.`);
    throw Object.assign(error, { status: response.status });
  }
}

const positionOf = ({ epoch, offset }) => `${epoch}-${offset}`;

function parsePosition(text) {
  const [, epoch, offset] = /^([0-9a-f]{12})-(\d+)$/.exec(text) ?? [];
  return epoch ? { epoch, offset: Number(offset) } : null;
}

/** A frame of the subprotocol relay.meta: a JSON head line, then the payload exactly as it was sent. */
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
 * A WebSocket that comes back by itself and goes on where it was. Calls on.first(head), on.message(message), each with
 * a `gap` {from, to} when something is missing before it, and on.state({name, reason, until}); names: connecting, live,
 * waiting (until then), refused (for good).
 */
function makeConnection(channel, position, on) {
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
      // A relay can be told to leave out what a slow client does not take in time.
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
    // Half of the wait is chance: a thousand pages must not all come back at once.
    const wait = Math.min(BACKOFF.most, BACKOFF.first * 2 ** attempts++) * (0.5 + Math.random() / 2);
    timer = setTimeout(connect, wait);
    on.state({ name: 'waiting', reason, until: Date.now() + wait });
    if (wasLive) return;
    // A browser does not tell why a WebSocket could not be opened; a plain request is answered in words.
    const refusal = await channel.ask(0).catch((error) => error);
    if (socket || ![401, 403, 404].includes(refusal.status)) return;
    clearTimeout(timer);
    on.state({ name: 'refused', reason: refusal.message });
  }

  /** For a connection that is dead without knowing it: after sleep, or in another network. */
  function drop(reason) {
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
    lost(reason);
  }

  return { connect, drop, isLive: () => liveSince > 0 };
}

// ---- The page ----

const MOST_ROWS = 1000; // a page that is left open for a week must not grow for a week
const MOST_BYTES = 16 << 20; // nor by a few long messages
const MOST_HEX = 4096; // bytes shown of a binary message

const $ = (id) => document.getElementById(id);

/** Text only, ever: what strangers send never becomes HTML. */
function make(tag, className = '', textContent = '') {
  return Object.assign(document.createElement(tag), { className, textContent });
}

function makeButton(textContent, onclick) {
  return Object.assign(make('button', '', textContent), { type: 'button', onclick });
}

const count = (n, noun) => `${n.toLocaleString()} ${noun}${n === 1 ? '' : 's'}`;
const clock = new Intl.DateTimeFormat([], { timeStyle: 'medium' }); // made once: they are slow to make

const sizeText = (bytes) => (bytes < 1024 ? `${bytes} B` : `${(bytes / 1024).toFixed(1)} KiB`);

function isJson(text) {
  try { return /^\s*[{[]/.test(text) && JSON.parse(text) !== null; } catch { return false; }
}

/** JSON in lines. Moves tokens and changes none: parsed and printed again, big numbers would differ. */
function prettyJson(json) {
  let depth = 0;
  const line = (step) => `\n${'  '.repeat(depth += step)}`;
  return json.match(/"(?:[^"\\]|\\.)*"|[{[]\s*[}\]]|[{}[\],:]|[^\s"{}[\],:]+/g).map((token) => {
    if (/^[{[]$/.test(token)) return token + line(1);
    if (/^[}\]]$/.test(token)) return line(-1) + token;
    return token === ',' ? token + line(0) : token === ':' ? ': ' : token;
  }).join('');
}

/** Lines of offset, hexadecimal and ASCII. */
function hexDump(bytes) {
  const lines = [];
  for (let at = 0; at < Math.min(bytes.length, MOST_HEX); at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ').padEnd(48);
    const ascii = row.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '·')).join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hex} ${ascii}`);
  }
  if (bytes.length > MOST_HEX) lines.push(`… (the first ${sizeText(MOST_HEX)})`);
  return lines.join('\n');
}

/** The beginning of a long text; never half a surrogate pair. */
function fold(text, lines) {
  const end = text.split('\n', lines).join('\n').length;
  return text.slice(0, Math.min(end, 1200)).replace(/[\uD800-\uDBFF]$/, '');
}

/** A payload: folded when long, JSON in lines on demand. */
function makeBody({ text, bytes, size }) {
  const plain = bytes ? hexDump(bytes) : text;
  const body = make('pre', bytes ? 'hex' : 'text');
  body.dir = bytes ? 'ltr' : 'auto';
  let isFull = false;
  let isPretty = false;
  const full = makeButton('', () => { isFull = !isFull; show(); });
  const json = makeButton('JSON in lines', () => { isPretty = !isPretty; show(); });
  function show() {
    const whole = isPretty ? prettyJson(text) : plain;
    const start = fold(whole, bytes ? 4 : 12);
    full.hidden = start === whole;
    full.textContent = isFull ? 'Show less' : `Show all ${sizeText(size)}`;
    full.ariaExpanded = isFull;
    json.ariaPressed = isPretty;
    body.textContent = isFull || full.hidden ? whole : `${start}\n…`;
  }
  show();
  const more = make('p', 'more');
  more.append(full, ...(isJson(text) ? [json] : []));
  return [body, more];
}

function makeMessage(message) {
  const row = make('li', 'message');
  row.dataset.position = positionOf(message);
  const offset = make('span', 'offset', `#${message.offset}`);
  offset.title = row.dataset.position;
  const date = new Date(message.time);
  const isToday = date.toDateString() === new Date().toDateString();
  const time = make('time', '', isToday ? clock.format(date) : date.toLocaleString());
  time.title = date.toISOString();
  const size = make('span', 'size', (message.bytes ? 'binary, ' : '') + sizeText(message.size));
  size.title = count(message.size, 'byte');
  const meta = make('p', 'meta');
  meta.append(offset, time, make('bdi', '', message.channel), size);
  row.append(meta, ...makeBody(message));
  return row;
}

/**
 * The rows. What arrives is drawn once a frame, however much it is; bounded in rows and bytes, drawn or not. Follows
 * the newest only while that is in view. Tells `onShown` the last position on the screen.
 */
function makeMessageList(onShown) {
  const [list, viewport, newer, pause] = ['messages', 'viewport', 'newer', 'pause'].map($);
  const letGoRow = make('li', 'note');
  const entries = []; // {message or note, size, row once it is drawn}
  const mine = new Set(); // positions of own messages that are not drawn yet
  let [bytes, undrawn, unseen, letGo, isPaused, isScheduled] = [0, 0, 0, 0, false, false];

  const isAtEnd = () => viewport.scrollHeight - viewport.scrollTop - viewport.clientHeight < 30;
  const follow = () => { viewport.scrollTop = viewport.scrollHeight; };

  function add(entry) {
    entries.push(entry);
    bytes += entry.size;
    undrawn++;
    while (entries.length > MOST_ROWS || (bytes > MOST_BYTES && entries.length > 1)) {
      const oldest = entries.shift();
      bytes -= oldest.size;
      oldest.row?.remove();
      letGo++;
    }
    undrawn = Math.min(undrawn, entries.length);
    schedule();
  }

  function schedule() {
    if (!isScheduled) requestAnimationFrame(draw);
    isScheduled = true;
  }

  function draw() {
    isScheduled = false;
    if (!isPaused && undrawn) drawRows(entries.slice(-undrawn));
    pause.textContent = isPaused ? `Go on${undrawn ? ` (${undrawn.toLocaleString()})` : ''}` : 'Pause';
  }

  function drawRows(added) {
    const wasAtEnd = isAtEnd();
    const messages = added.flatMap(({ message }) => message ?? []);
    undrawn = 0;
    for (const entry of added) entry.row = entry.note ?? makeMessage(entry.message);
    list.append(...added.map(({ row }) => row));
    for (const message of messages) if (mine.delete(positionOf(message))) markMine(message);
    if (letGo) {
      list.prepend(letGoRow);
      letGoRow.textContent = `${count(letGo, 'older row')} dropped: this page keeps ${MOST_ROWS} at most.`;
    }
    $('empty').hidden = true;
    if (messages.length) onShown(messages.at(-1).position);
    if (wasAtEnd) follow();
    else tellUnseen(unseen + messages.length);
  }

  function tellUnseen(n) {
    unseen = n;
    newer.hidden = n === 0;
    newer.textContent = `↓ ${count(n, 'new message')}`;
  }

  /** The answer to publish() may be here before the message, or after it. */
  function markMine(answer) {
    const row = list.querySelector(`[data-position="${positionOf(answer)}"]`);
    if (row) row.classList.add('mine');
    else mine.add(positionOf(answer));
  }

  newer.onclick = follow;
  viewport.onscroll = () => { if (isAtEnd()) tellUnseen(0); };
  pause.onclick = () => {
    isPaused = !isPaused;
    schedule();
  };
  return {
    message(message) {
      message.size = (message.bytes ?? new TextEncoder().encode(message.text)).length;
      add({ message, size: message.size });
    },
    note: (text, className = '') => add({ note: make('li', `note ${className}`, text), size: 0 }),
    markMine,
  };
}

/** A pattern's positions are places in the order of all messages: they tell nothing to a reader. */
function gapText({ from, to }, { isPattern }) {
  const [asked, given] = [parsePosition(from), parsePosition(to)];
  if (!asked || isPattern) return 'What came before this cannot be given: the relay does not keep it.';
  if (asked.epoch !== given.epoch) return `What came after #${asked.offset} cannot be given: the relay began anew.`;
  const lost = count(given.offset - asked.offset, 'message');
  return `${lost} between #${asked.offset} and #${given.offset + 1} cannot be given: the relay does not keep them.`;
}

/** The state of the connection: always a word and a colour, and a sentence while something is wrong. */
function makeStateView() {
  let ticking = 0;
  return ({ name, reason, until }) => {
    const tick = () => {
      const wait = `in ${Math.max(1, Math.ceil((until - Date.now()) / 1000))} s`;
      const waiting = navigator.onLine ? `Reconnecting ${wait}` : `Offline, next try ${wait}`;
      $('state-text').textContent = { connecting: 'Connecting', live: 'Live', waiting, refused: 'Refused' }[name];
    };
    clearInterval(ticking);
    if (until) ticking = setInterval(tick, 250);
    tick();
    $('state').dataset.state = name;
    $('retry').hidden = !until && name !== 'refused';
    if (name === 'connecting') return; // the sentence before still holds
    const why = reason ? ` (${reason})` : '';
    const waiting = `No connection${why}. It comes back by itself and goes on where it was.`;
    $('notice').textContent = { live: 'Connected.', waiting, refused: reason }[name];
    $('notice').className = name === 'live' ? 'unseen' : '';
  };
}

/** The box to send. Its text stays until the relay has accepted it. */
function startComposer(channel, onSent) {
  const [form, box] = [$('composer'), $('text')];
  box.placeholder = `Message to ${channel.name}`;
  let isSending = false;
  let attempt = {};

  async function send(text) {
    isSending = true;
    // What failed may have been accepted all the same: the same text goes under the same key.
    if (attempt.text !== text) attempt = { text, key: crypto.getRandomValues(new Uint32Array(4)).join('-') };
    try {
      const answer = await channel.publish(text, attempt.key);
      attempt = {};
      box.value = box.value.replace(text, () => ''); // keeps what was typed meanwhile
      $('sent').textContent = `Sent as #${answer.offset} to ${count(answer.clients, 'client')}.`;
      onSent(answer);
    } catch (error) {
      $('sent').textContent = `Not sent. ${error.status ? error.message : 'The relay cannot be reached: try again.'}`;
    }
    isSending = false;
  }

  form.onsubmit = (event) => {
    event.preventDefault();
    if (box.value && !isSending) send(box.value);
  };
  box.onkeydown = (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  };
}

/** Where the clipboard is forbidden (plain http), at least the text is selected. */
async function copy(code, button) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = 'Copied';
  } catch {
    getSelection().selectAllChildren(code);
    button.textContent = document.execCommand('copy') ? 'Copied' : 'Selected';
  }
  setTimeout(() => { button.textContent = 'Copy'; }, 2000);
}

/** How a program takes part in this channel: language, what it does, code. A pattern only listens. */
function snippetsFor(channel) {
  // These would end a quoted string, or be a range to curl.
  const quotable = (url) => url.replace(/['[\]]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  const [http, ws] = [quotable(channel.url('http')), quotable(channel.url('ws'))];
  const sending = (code) => (channel.isPattern ? '' : code);
  return [
    ['curl', 'Listen', `curl -N -H 'Accept: text/event-stream' \\\n  '${http}'`],
    ['curl', 'Send', sending(`curl -d 'hello' \\\n  '${http}'`)],
    ['js', 'WebSocket', `const socket = new WebSocket('${ws}');
socket.onmessage = ({ data }) => console.log(data);${sending(`
socket.onopen = () => socket.send('hello');`)}`],
    ['js', 'EventSource: resumes by itself', `const events = new EventSource('${http}');
events.onmessage = ({ data, lastEventId }) =>
  console.log(lastEventId, data);`],
    ['qt', 'QWebSocket', `auto *socket = new QWebSocket;
connect(socket,
        &QWebSocket::textMessageReceived,
        this, [](const QString &text) {
    qInfo() << text;
});${sending(`
connect(socket, &QWebSocket::connected,
        this, [=] {
    socket->sendTextMessage("hello");
});`)}
socket->open(
    QUrl("${ws}"));`],
  ];
}

function showSnippets(channel) {
  const choice = $('languages');
  choice.onchange = () => $('snippets').replaceChildren(...snippetsFor(channel).flatMap(([language, title, code]) => {
    if (!code || language !== choice.querySelector(':checked').value) return [];
    const [head, pre] = [make('p', '', title), make('pre', '', code)];
    const button = makeButton('Copy', () => copy(pre, button));
    head.append(button);
    return [head, pre];
  }));
  choice.onchange();
  $('connect').open = matchMedia('(min-width: 60rem)').matches;
}

/** After a reload: what was shown before, so that the page is not empty, and how much came since. */
async function showBefore(channel, position, list) {
  const seen = parsePosition(position);
  if (!seen || channel.isPattern) return;
  const { epoch, offset, messages } = await channel.ask(FIRST_VISIT);
  if (epoch !== seen.epoch) return;
  for (const message of messages.filter((each) => each.offset <= seen.offset)) {
    if ('base64' in message) message.bytes = Uint8Array.from(atob(message.base64), (c) => c.charCodeAt(0));
    list.message({ ...message, epoch, position });
  }
  if (offset > seen.offset) list.note(`${count(offset - seen.offset, 'message')} since you were here:`);
}

/** Where a tab keeps things for a reload; where that is forbidden, they last as long as the page. */
function tabStorage() {
  try { return sessionStorage; } catch { return {}; }
}

async function main() {
  const channel = new Channel(location.href);
  const [storage, bookmark] = [tabStorage(), `relay:${channel.name}`]; // the last position that was shown
  const list = makeMessageList((position) => { storage[bookmark] = position; });
  const showState = makeStateView();
  let lostAt = null;

  const showCount = (clients) => { $('count').textContent = `${clients.toLocaleString()} here`; };
  const connection = makeConnection(channel, storage[bookmark], {
    state(state) {
      if (state.name === 'waiting') lostAt ??= new Date();
      showState(state);
    },
    first({ clients, gap, position }) {
      if (!channel.isPattern) showCount(clients);
      if (gap) list.note(gapText(gap, channel), 'gap');
      else if (lostAt) list.note(`Away ${clock.formatRange(lostAt, new Date())}: nothing is missing.`);
      if (gap) storage[bookmark] = position;
      storage[bookmark] ??= position;
      lostAt = null;
      poll();
    },
    message(message) {
      if (message.gap) list.note(gapText(message.gap, channel), 'gap');
      list.message(message);
    },
  });
  const poll = async () => {
    if (document.hidden || channel.isPattern || !connection.isLive()) return;
    try {
      showCount((await channel.ask(0)).clients);
    } catch (error) {
      if (error.status) $('empty').textContent = error.message; // such as: can only be published to
      else connection.drop('no answer');
    }
  };
  // Who comes back should neither wait for a timer nor trust a connection that slept.
  const wake = () => { if (!document.hidden) connection.isLive() ? poll() : connection.connect(); };

  document.title = `${channel.name} · Relay`;
  $('name').textContent = $('name').title = channel.name;
  $('pattern').hidden = !channel.isPattern;
  $('composer').hidden = channel.isPattern;
  startComposer(channel, (answer) => { list.markMine(answer); showCount(answer.clients); });
  showSnippets(channel);
  await showBefore(channel, storage[bookmark], list).catch(() => { /* connecting says it better */ });
  connection.connect();

  setInterval(poll, POLL.every);
  $('retry').onclick = () => connection.connect();
  for (const event of ['online', 'offline']) addEventListener(event, wake);
  addEventListener('pagehide', () => connection.drop('')); // in a browser's back list, nobody is here
  document.addEventListener('visibilitychange', wake);
}

main();
