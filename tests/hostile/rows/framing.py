"""WebSocket frames that break a rule of RFC 6455."""
from peer import BINARY, CLOSE, CONTINUATION, FIN, PING, TEXT, frame
from row import Row, clients, messages, violations

PROMISE = "the client is told which rule it broke, and nobody else notices"


def breaks(name, sent, code, rule, more=None, promise=PROMISE):
    """Sends these bytes as a client; the close frame has this code, and the metrics name the rule."""
    def deed(stage):
        peer = stage.peer().join("hostile/framing")
        peer.send(sent)
        stage.innocents.exchange()
        seen, reason = peer.close_frame()
        assert (seen, bool(reason)) == (code, True), (seen, reason)
        assert peer.rest() == b"", "nothing follows a close frame"
    return Row(name, promise, deed, clients(code) + violations(rule) + (more or messages(0)))


def unmasked(opcode, payload):
    return bytes([FIN | opcode, len(payload)]) + payload


ROWS = [
    breaks("a reserved bit", frame(TEXT, b"x", FIN | 0x40), 1002, "reserved_bits"),
    breaks("an unknown opcode", frame(0x3, b"x"), 1002, "unknown_opcode"),
    breaks("an unknown control opcode", frame(0xB), 1002, "unknown_opcode"),
    breaks("a frame without a mask", unmasked(TEXT, b"x"), 1002, "not_masked"),
    breaks("a length of 16 bits that needs 7", bytes([FIN | TEXT, 0xFE, 0, 5]) + b"\0\0\0\0hello", 1002,
           "non_minimal_length"),
    breaks("a length of 64 bits that needs 16", bytes([FIN | TEXT, 0xFF, *bytes(6), 0, 200]) + bytes(204), 1002,
           "non_minimal_length"),
    breaks("a negative length", bytes([FIN | BINARY, 0xFF, 0xFF, *bytes(7)]) + bytes(4), 1002,
           "non_minimal_length"),
    breaks("a ping in fragments", frame(PING, b"x", first=0), 1002, "fragmented_control"),
    breaks("a ping of 126 bytes", frame(PING, bytes(126)), 1002, "oversized_control"),
    breaks("a continuation of nothing", frame(CONTINUATION, b"x"), 1002, "unexpected_continuation"),
    breaks("a message within a message", frame(TEXT, b"x", first=0) + frame(TEXT, b"y"), 1002, "interrupted_message"),
    breaks("a close frame of one byte", frame(CLOSE, b"\x03"), 1002, "invalid_close_payload"),
    breaks("a close code that nobody may send", frame(CLOSE, b"\x03\xed"), 1002, "invalid_close_payload"),
    breaks("text that is not UTF-8", frame(TEXT, b"\xc0\x80"), 1007, "invalid_utf8"),
    breaks("half a character at the end of a fragmented text",
           frame(TEXT, b"gr\xc3", first=0) + frame(CONTINUATION, b""), 1007, "invalid_utf8"),
    breaks("good messages before a bad frame", frame(TEXT, b"x") * 3 + frame(0x3), 1002, "unknown_opcode",
           messages(3, receivers=1), promise="what was whole before the mistake is relayed"),
]
