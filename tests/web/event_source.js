// Listens to a URL with the EventSource of Debian's node-eventsource (NODE_PATH=/usr/share/nodejs) and prints what
// happens, a JSON line each: {"type":"open"}, {"type":"message","id":"5f2c9a11c07b-17","data":"…"}, likewise "binary"
// and "gap", {"type":"error","status":404,"final":true}. Reconnects until it is ended, or refused for good.
//
//     node event_source.js http://127.0.0.1:8443/chat/42 ['{"Last-Event-ID":"5f2c9a11c07b-17"}']
'use strict';

const EventSource = require('eventsource');

const [url, headers = '{}'] = process.argv.slice(2);
if (!url) {
    console.error('usage: node event_source.js <url> [<request headers as JSON>]');
    process.exit(2);
}

const print = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const source = new EventSource(url, { headers: JSON.parse(headers) });

source.onopen = () => print({ type: 'open' });
source.onerror = ({ status, message }) => {
    print({ type: 'error', status, message, final: source.readyState === EventSource.CLOSED });
};
for (const type of ['message', 'binary', 'gap']) {
    source.addEventListener(type, ({ data, lastEventId }) => print({ type, id: lastEventId, data }));
}
