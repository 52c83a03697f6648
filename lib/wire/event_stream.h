#pragma once

#include <QByteArray>
#include <QByteArrayView>

namespace relay {

/// The text/event-stream format (WHATWG HTML, section 9.2.6): what EventSource reads.
///
/// Line ends in data (LF, CR, CR LF) part it into several `data:` lines, which the reader joins
/// with LF again.

/// An event: its id (not written when empty), its type (not written when empty: "message"), and its
/// data, which may be empty: the reader dispatches it all the same. At worst (data of line ends
/// alone) seven times as long as the data.
/// Precondition: id and type hold no line end and no NUL; data is UTF-8.
QByteArray toEvent(QByteArrayView id, QByteArrayView type, QByteArrayView data);

/// Sets the reader's last event id (unless it is empty), and how long it waits before it reconnects,
/// without an event.
QByteArray toEventPreamble(QByteArrayView id, qint64 retryMilliseconds);

/// A comment, between two events: keeps connections alive through proxies, and tells a dead one.
QByteArray eventHeartbeat();

} // namespace relay
