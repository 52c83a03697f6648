/*
 * The page of a channel: its messages, a box to send, and code to connect a program.
 */

import { Channel, FIRST_VISIT, makeConnection, parsePosition, positionOf, ROOT } from './client.js';
import { snippetsFor } from './snippets.js';

const POLL_EVERY = 10_000; // ms
const MOST_ROWS = 1000; // a page that stays open for a week must not grow for a week
const MOST_BYTES = 16 << 20; // a few long messages must not make it grow either
const MOST_HEX = 4096; // bytes shown of a binary message

const $ = (id) => document.getElementById(id);

/** Always text: what strangers send never becomes HTML. */
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

/** Indented lines in a text look wrong in a proportional face. */
const isCode = (text) => /^(?: {4}|\t)/m.test(text) || isJson(text);

/** Formats JSON. It moves tokens and changes none: parsed and printed again, big numbers would differ. */
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

/** The beginning of a long text. It never ends in half a surrogate pair. */
function fold(text, lines) {
  const end = text.split('\n', lines).join('\n').length;
  return text.slice(0, Math.min(end, 1200)).replace(/[\uD800-\uDBFF]$/, '');
}

/** A payload: folded when long, JSON formatted on demand, in a monospaced face only where columns matter. */
function makeBody({ text, bytes, size }) {
  const plain = bytes ? hexDump(bytes) : text;
  const body = make('pre', bytes ? 'hex' : isCode(text) ? 'text code' : 'text');
  body.dir = bytes ? 'ltr' : 'auto';
  let isFull = false;
  let isPretty = false;
  const full = makeButton('', () => { isFull = !isFull; show(); });
  const json = makeButton('Format JSON', () => { isPretty = !isPretty; show(); });
  function show() {
    const whole = isPretty ? prettyJson(text) : plain;
    const start = fold(whole, bytes ? 4 : isPretty ? 40 : 12);
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
  const isNotable = message.bytes || message.size >= 1024;
  const size = make('span', 'size', isNotable ? (message.bytes ? 'binary, ' : '') + sizeText(message.size) : '');
  row.title = count(message.size, 'byte');
  const meta = make('p', 'meta');
  meta.append(offset, time, make('bdi', '', message.channel), size);
  row.append(meta, ...makeBody(message));
  return row;
}

/**
 * The rows. Arrivals are drawn once a frame, however many they are. Rows and bytes are bounded, drawn or not. The view
 * follows the newest message while that is in view, also when the view itself becomes smaller. `onShown` is told the
 * last position on the screen.
 */
function makeMessageList(onShown) {
  const [list, viewport, newer, pause] = ['messages', 'viewport', 'newer', 'pause'].map($);
  const letGoRow = make('li', 'note');
  const entries = []; // {message or note, size, row once it is drawn}
  const mine = new Set(); // positions of own messages that are not drawn yet
  let [bytes, undrawn, unseen, letGo, isPaused, isScheduled, isFollowing] = [0, 0, 0, 0, false, false, true];

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
    pause.textContent = isPaused ? `Resume${undrawn ? ` (${undrawn.toLocaleString()})` : ''}` : 'Pause';
  }

  function drawRows(added) {
    const messages = added.flatMap(({ message }) => message ?? []);
    undrawn = 0;
    for (const entry of added) entry.row = entry.note ?? makeMessage(entry.message);
    list.append(...added.map(({ row }) => row));
    for (const message of messages) if (mine.delete(positionOf(message))) markMine(message);
    if (letGo) {
      list.prepend(letGoRow);
      letGoRow.textContent =
        `${count(letGo, 'older row')} removed. This page keeps the newest ${MOST_ROWS.toLocaleString()}.`;
    }
    $('empty').hidden = true;
    if (messages.length) onShown(messages.at(-1).position);
    if (isFollowing) follow();
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
  let height = 0;
  viewport.onscroll = () => {
    if (viewport.clientHeight !== height) return; // the reader did not scroll: the view was resized
    isFollowing = isAtEnd();
    if (isFollowing) tellUnseen(0);
  };
  // A keyboard on the screen or an opened panel takes its room from the view.
  new ResizeObserver(() => {
    height = viewport.clientHeight;
    if (isFollowing) follow();
  }).observe(viewport);
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

/**
 * What to say about a gap, or null when nothing can have been missed. A pattern's positions are places in the order of
 * all messages, which mean nothing to a reader.
 */
function gapText({ from, to }, { isPattern }) {
  const [asked, given] = [parsePosition(from), parsePosition(to)];
  if (!asked || !given || isPattern) return 'Earlier messages are no longer available.';
  if (asked.epoch === given.epoch) {
    const [first, last] = [asked.offset + 1, given.offset];
    return last > first ? `Messages #${first} to #${last} are no longer available.`
      : `Message #${first} is no longer available.`;
  }
  if (asked.offset) return `Messages after #${asked.offset}, if there were any, are no longer available.`;
  return given.offset ? `Messages up to #${given.offset} are no longer available.` : null;
}

/** The relay skipped these to keep up with a slow client. They may still be in the history. */
function skippedText({ from, to }) {
  const skipped = parsePosition(to).offset - parsePosition(from).offset;
  return `${count(skipped, 'message')} after #${parsePosition(from).offset} skipped: this page could not keep up.`;
}

/** The state of the connection: a word and a colour, and a sentence while something is wrong. */
function makeStateView() {
  let ticking = 0;
  return ({ name, reason, until }) => {
    const tick = () => {
      const wait = `in ${Math.max(1, Math.ceil((until - Date.now()) / 1000))} s`;
      const waiting = navigator.onLine ? `Reconnecting ${wait}` : `Offline, next attempt ${wait}`;
      $('state-text').textContent = { connecting: 'Connecting', live: 'Live', waiting, refused: 'Refused' }[name];
    };
    clearInterval(ticking);
    if (until) ticking = setInterval(tick, 250);
    tick();
    $('state').dataset.state = name;
    $('retry').hidden = !until && name !== 'refused';
    if (name === 'connecting') return; // the previous sentence is still true
    const why = reason ? ` (${reason})` : '';
    const waiting = `Connection lost${why}. The page reconnects by itself and continues where it stopped.`;
    $('notice').textContent = { live: 'Connected.', waiting, refused: reason }[name];
    $('notice').className = name === 'live' ? 'unseen' : '';
  };
}

/** The box to send. Its text stays until the relay has accepted it. */
function startComposer(channel, onSent) {
  const [form, box] = [$('composer'), $('text')];
  box.placeholder = `Message to ${channel.isRoot ? 'this channel' : channel.name}`;
  let isSending = false;
  let attempt = {};

  async function send(text) {
    isSending = true;
    // A failed attempt may have been accepted: the same text is sent with the same key.
    if (attempt.text !== text) attempt = { text, key: crypto.getRandomValues(new Uint32Array(4)).join('-') };
    try {
      const answer = await channel.publish(text, attempt.key);
      attempt = {};
      box.value = box.value.replace(text, () => ''); // keeps what was typed in the meantime
      $('sent').textContent = `Sent as #${answer.offset} to ${count(answer.clients, 'client')}.`;
      onSent(answer);
    } catch (error) {
      $('sent').textContent = `Not sent. ${error.status ? error.message : 'The relay cannot be reached. Try again.'}`;
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

function showSnippets(channel) {
  const choice = $('languages');
  const language = () => choice.querySelector(':checked').value;
  choice.onchange = () => $('snippets').replaceChildren(...snippetsFor(channel, language()).flatMap(([title, code]) => {
    const [head, pre] = [make('p', '', title), make('pre', '', code)];
    const button = makeButton('Copy', () => copy(pre, button));
    head.append(button);
    return [head, pre];
  }));
  choice.onchange();
  $('connect').open = matchMedia('(min-width: 60rem)').matches;
}

/** On the root's page: what this is, and a way to any other channel. */
function startOpener(channel) {
  const [form, box] = [$('opener'), $('channel')];
  $('welcome').hidden = !channel.isRoot;
  const segments = () => box.value.trim().split('/').filter((each) => !['', '.', '..'].includes(each));
  box.oninput = () => {
    box.setCustomValidity(segments()[0] === '-' ? 'Names that begin with -/ are reserved for the relay.' : '');
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    const path = segments().map(encodeURIComponent).join('/');
    if (path) location.assign(new URL(path, ROOT));
    else box.focus();
  };
}

/** After a reload: shows what was shown before, and how many messages have come since. */
async function showBefore(channel, position, list) {
  const seen = parsePosition(position);
  if (!seen || channel.isPattern) return;
  const { epoch, offset, messages } = await channel.ask(FIRST_VISIT);
  if (epoch !== seen.epoch) return;
  for (const message of messages.filter((each) => each.offset <= seen.offset)) {
    if ('base64' in message) message.bytes = Uint8Array.from(atob(message.base64), (c) => c.charCodeAt(0));
    list.message({ ...message, epoch, position });
  }
  if (offset > seen.offset) list.note(`${count(offset - seen.offset, 'message')} since your last visit:`);
}

const awayText = (since) => clock.formatRange(since, new Date());

/** Where a tab keeps things for a reload. Where that is forbidden, they last as long as the page. */
function tabStorage() {
  try { return sessionStorage; } catch { return {}; }
}

async function main() {
  const channel = new Channel(location.href);
  const [storage, bookmark] = [tabStorage(), `relay:${location.pathname}`]; // the last position shown
  const list = makeMessageList((position) => { storage[bookmark] = position; });
  const showState = makeStateView();
  let lostAt = null;

  const showCount = (clients) => { $('count').textContent = `${clients.toLocaleString()} connected`; };
  const connection = makeConnection(channel, storage[bookmark], {
    state(state) {
      if (state.name === 'waiting') lostAt ??= new Date();
      showState(state);
    },
    first({ clients, gap, position }) {
      if (!channel.isPattern) showCount(clients);
      const missing = gap && gapText(gap, channel);
      if (missing) list.note(missing, 'gap');
      else if (lostAt && !gap) list.note(`Disconnected ${awayText(lostAt)}. No messages were missed.`);
      // A page that has shown nothing keeps no place: when it is reloaded, it begins as on a first visit.
      if (gap && storage[bookmark]) storage[bookmark] = position;
      lostAt = null;
      poll();
    },
    message(message) {
      if (message.gap) list.note(skippedText(message.gap), 'gap');
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
  // After a sleep nobody should wait for a timer, or trust the old connection.
  const wake = () => { if (!document.hidden) connection.isLive() ? poll() : connection.connect(); };

  document.title = `${channel.name} · Relay`;
  $('name').textContent = $('name').title = channel.name;
  startOpener(channel);
  $('pattern').hidden = !channel.isPattern;
  $('composer').hidden = channel.isPattern;
  startComposer(channel, (answer) => { list.markMine(answer); showCount(answer.clients); });
  showSnippets(channel);
  await showBefore(channel, storage[bookmark], list).catch(() => { /* connecting reports it better */ });
  connection.connect();

  setInterval(poll, POLL_EVERY);
  $('retry').onclick = () => connection.connect();
  for (const event of ['online', 'offline']) addEventListener(event, wake);
  addEventListener('pagehide', () => connection.drop('')); // a page in the browser's history is no member
  document.addEventListener('visibilitychange', wake);
}

main();
