"""The clients' port with TLS: handshakes that are none, stop in the middle, or belong to another age."""
import atexit
import os
import socket
import ssl
import subprocess
import tempfile

from peer import ANY_CERTIFICATE, CLOSE, TEXT, Gone, frame, upgrade
from row import Counter, Row, clients, failed_handshakes, messages
from stage import CONFIG as USUAL

FOLDER = tempfile.TemporaryDirectory()
atexit.register(FOLDER.cleanup)
CERTIFICATE, KEY = os.path.join(FOLDER.name, "cert.pem"), os.path.join(FOLDER.name, "key.pem")
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-keyout", KEY, "-out", CERTIFICATE], check=True, capture_output=True)

CONFIG = USUAL.replace("{workers: 2}", f"{{workers: 2, tls: {{enabled: true, cert_file: {CERTIFICATE}, key_file: {KEY}}}}}"
                       ) + "limits: {handshake_timeout: 300ms}\n"
RELAY = {"config": CONFIG, "tls": True}


def client_hello():
    """What a client of TLS sends first."""
    sent = ssl.MemoryBIO()
    session = ANY_CERTIFICATE.wrap_bio(ssl.MemoryBIO(), sent)
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return sent.read()


HELLO = client_hello()


def is_no_handshake(name, sent, reason="tls"):
    def deed(stage):
        peer = stage.peer()
        peer.send(sent)
        stage.innocents.exchange()
        peer.rest()
    return Row(name, "a connection without TLS never becomes a client", deed, failed_handshakes(reason))


def leaves_within_the_handshake(stage):
    for _ in range(20):
        peer = stage.peer()
        peer.send(HELLO)
        peer.reset()
    stage.innocents.exchange()


def old_versions(stage):
    """TLS 1.1 and before, which OpenSSL speaks only when it is asked to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", stage.relay.port), timeout=30) as plain:
        try:
            context.wrap_socket(plain)
        except (ssl.SSLError, ConnectionError):
            return
    raise AssertionError("TLS 1.1 was accepted")


def garbage_records(stage):
    """Below an established session: bytes that no session made."""
    peer = stage.peer(tls=True).join("hostile/tls")
    os.write(peer.socket.fileno(), b"\x17\x03\x03\x00\x20" + bytes(32))
    stage.innocents.exchange()
    try:
        peer.close_frame()
    except (Gone, ssl.SSLError):
        pass


def cut_off(stage):
    """The end of the connection without the end of the session: what was whole before it counts."""
    member = stage.peer(tls=True).join("hostile/tls")
    peer = stage.peer(tls=True).join("hostile/tls")
    peer.send(frame(TEXT, b"whole"), frame(TEXT, b"half")[:-1])
    assert member.frame() == (TEXT, b"whole")
    peer.socket.shutdown(socket.SHUT_WR)
    stage.innocents.exchange()
    member.send(frame(CLOSE, b"\x03\xe8"))
    assert member.close_frame()[0] == 1000


ROWS = [
    is_no_handshake("HTTP without TLS", upgrade("/hostile/tls")),
    is_no_handshake("random bytes", bytes(range(128, 256)) * 100),
    is_no_handshake("half a greeting", HELLO[:len(HELLO) // 2], reason="timeout"),
    is_no_handshake("a greeting, and then nothing", HELLO, reason="timeout"),
    Row("gone within the handshake", "what a vanished client had begun is forgotten", leaves_within_the_handshake,
        failed_handshakes("tls", 20)),
    Row("TLS 1.1", "only TLS 1.2 and later is spoken", old_versions, failed_handshakes("tls")),
    Row("records that no session made", "the client is gone, and nobody else", garbage_records, clients(1006)),
    Row("a session that is cut off", "what was whole is relayed, and no more", cut_off,
        clients(1006) + clients(1000) + messages(1) + Counter({"relay_deliveries_total": 2})),
]
