// The plain node hub, as the README of `ws` shows it: each message goes to every open client, the sender too.
//
//   node server.js PORT
'use strict';

const { WebSocketServer, WebSocket } = require('ws');

const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(process.argv[2]),
  perMessageDeflate: false,
  backlog: 4096,
});

server.on('connection', (client) => {
  client.on('error', () => {}); // a client that breaks off is none of the others' business
  client.on('message', (data, isBinary) => {
    for (const other of server.clients) {
      if (other.readyState === WebSocket.OPEN) {
        other.send(data, { binary: isBinary });
      }
    }
  });
});
