/*
 * How a program takes part in a channel: code to copy, in six languages. Each needs nothing but the language's standard
 * library (Qt: its own WebSocket). Lines are short, so that the URL is in view.
 */

const curl = ({ http }, canSend) => [
  ['Listen', `curl -N -H 'Accept: text/event-stream' \\
  '${http}'`],
  canSend && ['Send', `curl -d 'hello' \\
  '${http}'`],
  ['Read the history as JSON', `curl '${http}'`],
];

const js = ({ http, ws }, canSend) => [
  ['WebSocket', `const socket = new WebSocket(
  '${ws}');
socket.onmessage = ({ data }) => {
  console.log(data);
};${canSend ? `
socket.onopen = () => {
  socket.send('hello');
};` : ''}`],
  ['EventSource: reconnects and resumes by itself', `const events = new EventSource(
  '${http}');
events.onmessage = ({ data }) => {
  console.log(data);
};`],
];

const python = ({ http }, canSend) => [
  ['Listen and resume', `from http.client import HTTPException
from time import sleep
from urllib.request import urlopen, Request

url = '${http}'
position = ''
while True:
    request = Request(url, headers={
        'Accept': 'text/event-stream',
        'Last-Event-ID': position})
    try:
        stream = urlopen(request, timeout=60)
        for line in stream:
            text = line[:-1].decode()
            if text.startswith('id: '):
                position = text[4:]
            if text.startswith('data: '):
                print(text[6:], flush=True)
    except (OSError, HTTPException) as e:
        print(e, flush=True)
    sleep(2)`],
  canSend && ['Send', `from urllib.request import urlopen

urlopen(
    '${http}',
    'hello'.encode())`],
];

const go = ({ http }, canSend) => [
  ['Listen and resume', `package main

import (
\t"bufio"
\t"fmt"
\t"net/http"
\t"strings"
\t"time"
)

const url =
\t"${http}"

func main() {
\tposition := ""
\tfor {
\t\tposition = listen(position)
\t\ttime.Sleep(2 * time.Second)
\t}
}

// listen returns the position it came to.
func listen(position string) string {
\treq, _ := http.NewRequest("GET", url, nil)
\treq.Header = http.Header{
\t\t"Accept":        {"text/event-stream"},
\t\t"Last-Event-ID": {position},
\t}
\tres, err := http.DefaultClient.Do(req)
\tif err != nil {
\t\tfmt.Println(err)
\t\treturn position
\t}
\tdefer res.Body.Close()
\tlines := bufio.NewScanner(res.Body)
\tlines.Buffer(nil, 8<<20)
\tfor lines.Scan() {
\t\tfield, value, _ := strings.Cut(
\t\t\tlines.Text(), ": ")
\t\tswitch field {
\t\tcase "id":
\t\t\tposition = value
\t\tcase "data":
\t\t\tfmt.Println(value)
\t\t}
\t}
\treturn position
}`],
  canSend && ['Send', `http.Post(
\t"${http}",
\t"text/plain",
\tstrings.NewReader("hello"))`],
];

const sh = ({ http }, canSend) => [
  ['Run a command for each message', `curl -sN -H 'Accept: text/event-stream' \\
  '${http}' |
while IFS= read -r line; do
  case $line in
    data:*) echo "got \${line#data: }" ;;
  esac
done`],
  canSend && ['Send the output of a command', `uptime | curl --data-binary @- \\
  '${http}'`],
  canSend && ['Send each line of a log', `tail -n 0 -F /var/log/syslog |
while IFS= read -r line; do
  curl -s --data-raw "$line" \\
    '${http}'
done`],
];

const qt = ({ ws }, canSend) => [
  ['QWebSocket', `auto *socket = new QWebSocket;
connect(socket,
        &QWebSocket::textMessageReceived,
        this, [](const QString &text) {
    qInfo() << text;
});${canSend ? `
connect(socket, &QWebSocket::connected,
        this, [socket] {
    socket->sendTextMessage("hello");
});` : ''}
socket->open(QUrl(
    "${ws}"));`],
];

const LANGUAGES = { curl, js, python, go, sh, qt };

/** [title, code] for each thing that a program of this language does in the channel. A pattern only listens. */
export function snippetsFor(channel, language) {
  // These would end a quoted string, or be a range to curl.
  const quotable = (url) => url.replace(/['[\]]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  const urls = { http: quotable(channel.url('http')), ws: quotable(channel.url('ws')) };
  return LANGUAGES[language](urls, !channel.isPattern).filter(Boolean);
}
