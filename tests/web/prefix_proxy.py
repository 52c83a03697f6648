"""A reverse proxy that serves one server under a path prefix, for tests. It takes the prefix away and changes nothing
else of what a browser sends."""
import socket
import socketserver
import threading
import urllib.parse


class PrefixProxy:
    """Use as a context manager. `url` is its root; only what is below the prefix is served."""

    def __init__(self, prefix, target):
        parts = urllib.parse.urlsplit(target)

        class Connection(socketserver.BaseRequestHandler):
            def handle(self):
                forward(self.request, prefix.encode(), (parts.hostname, parts.port))

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Connection)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = "http://127.0.0.1:%d" % self._server.server_address[1]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


def forward(browser, prefix, target):
    """One request of the browser's, or all of a WebSocket."""
    head = b""
    while b"\r\n\r\n" not in head:
        received = browser.recv(65536)
        if not received:
            return
        head += received
    method, path, rest = head.split(b" ", 2)
    if not path.startswith(prefix + b"/"):
        browser.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return
    fields, body = rest.split(b"\r\n\r\n", 1)
    if b"\r\nupgrade:" not in fields.lower():
        # One request a connection: the next would have to lose its prefix, too.
        lines = [line for line in fields.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        fields = b"\r\n".join(lines + [b"Connection: close"])
    with socket.create_connection(target) as server:
        server.sendall(method + b" " + path[len(prefix):] + b" " + fields + b"\r\n\r\n" + body)
        back = threading.Thread(target=pump, args=(server, browser), daemon=True)
        back.start()
        pump(browser, server)
        back.join()


def pump(source, sink):
    """Bytes from one to the other until one of them ends."""
    try:
        while received := source.recv(65536):
            sink.sendall(received)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # it has ended on the other side
