#pragma once

#include "channels/channel_options.h"

#include <QList>
#include <QSslConfiguration>
#include <QString>
#include <QStringList>

#include <chrono>
#include <optional>

namespace relay {

/// What a Hub is told once, at its construction. Defaults are those of relay.yaml; sizes are bytes.
struct HubOptions
{
    /// Address to listen on. Loopback, so that nothing outside the machine reaches a relay by
    /// default.
    QString address = QStringLiteral("127.0.0.1");
    /// TCP port; 0 lets the system choose (Hub::port() tells).
    quint16 port = 8443;
    /// Worker threads; 0 starts one a core. More than cores costs switches and gains nothing.
    int workers = 0;
    /// Origins of browsers that may connect besides the request's own host; `*` stands for any run of characters.
    /// Empty: only pages that this host itself serves. While `address` is loopback, only localhost and IP addresses count as
    /// this host (see OriginPolicy::OwnHost).
    QStringList origins;
    /// TLS for every connection, or none.
    std::optional<QSslConfiguration> tls;

    /// Options of channels by name: the first rule that matches holds. A name that none matches has
    /// ChannelOptions' defaults, with `echo`.
    QList<ChannelRule> channels;
    /// Whether a sender gets its own messages back, where no rule says otherwise.
    bool echo = true;

    struct History
    {
        /// What all channels' histories may take together, overhead included; past it the oldest
        /// messages of all go first.
        qint64 totalSize = qint64{64} << 20;
    } history;

    struct Limits
    {
        /// Connections at once, clients and handshakes; one more is answered 503. 0: what
        /// RLIMIT_NOFILE allows less a reserve.
        int connections = 0;
        /// The longest message, all fragments together; a longer one closes its sender with 1009.
        qint64 messageSize = qint64{1} << 20;
        /// Pings and pongs that a client may send in a second; one more closes it with 1008. Messages
        /// are not counted.
        int controlFrames = 100;
        /// The longest request head; a longer one is answered 431.
        int requestHeadSize = 16 * 1024;
        /// The most header fields in a request; one more is answered 431.
        int requestHeaderFields = 100;
        /// From accept to the end of the handshake, TLS included; then the connection is dropped.
        std::chrono::milliseconds handshakeTimeout = std::chrono::seconds(10);
        /// What may wait for one client; past it slowClients.policy applies. A message as long as
        /// messageSize must fit.
        qint64 queueSize = qint64{4} << 20;
        /// What may wait for one worker; past it senders are not read from until the worker has
        /// taken it in. Nothing is lost. Less than queueSize, so that what a worker takes in at
        /// once fits there.
        qint64 inboxSize = qint64{2} << 20;
    } limits;

    struct Keepalive
    {
        /// Silence after which a client is pinged. 0: never.
        std::chrono::milliseconds interval = std::chrono::seconds(30);
        /// Silence after a ping after which the connection is taken for dead.
        std::chrono::milliseconds timeout = std::chrono::seconds(10);
    } keepalive;

    struct Http
    {
        /// From a request's head to the end of its body; then it is answered 408.
        std::chrono::milliseconds bodyTimeout = std::chrono::seconds(30);
        /// Silence between two requests of a connection, and the longest that an answer may take to
        /// be taken by its client; then the connection is closed.
        std::chrono::milliseconds idleTimeout = std::chrono::seconds(60);
        /// The longest body of `POST /-/publish`; a longer one is answered 413.
        qint64 batchSize = qint64{4} << 20;
        /// The most messages in it; more are answered 413. They are published in one go, and other
        /// clients of the worker wait meanwhile.
        int batchMessages = 1000;
        /// How long the answer to a request with an Idempotency-Key is kept.
        std::chrono::milliseconds idempotencyAge = std::chrono::minutes(5);
        /// How many such answers are kept at most; past it the oldest are forgotten early.
        int idempotencyKeys = 100'000;
    } http;

    struct EventSource
    {
        /// Silence after which an EventSource is sent a comment. 0: never.
        std::chrono::milliseconds heartbeat = std::chrono::seconds(15);
        /// How long an EventSource that lost its connection waits before it tries again.
        std::chrono::milliseconds retry = std::chrono::seconds(2);
    } eventSource;

    enum class SlowClientPolicy {
        Disconnect, ///< close with 1008 "slow consumer": the client knows, and can come back
        DropOldest, ///< keep the connection, leave out the oldest whole messages, count them
    };
    struct SlowClients
    {
        SlowClientPolicy policy = SlowClientPolicy::Disconnect;
        /// How long more than half of queueSize may wait before a client counts as slow.
        std::chrono::milliseconds grace = std::chrono::seconds(10);
    } slowClients;

    /// How long a closing handshake may take (a client that was sent a close frame has this long to
    /// answer).
    std::chrono::milliseconds closeTimeout = std::chrono::seconds(5);
};

} // namespace relay
