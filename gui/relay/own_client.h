#pragma once

#include <QByteArray>

namespace relay::gui {

/// The User-Agent of this window's connections to the clients' port: "relay-dashboard/0.1.0 (window 5f2c9a11)".
///
/// It is the same while the program runs, and no other window's, so that a window can tell its own connections from
/// those of clients. Thread: any.
QByteArray ownUserAgent();

} // namespace relay::gui
