#include "config/schema.h"

#include "config/ops_token.h"
#include "config/setting_row.h"
#include "net/listen_address.h"

#include <QRegularExpression>

namespace relay {

namespace {

using Row = SettingRow<Settings>;

QString complainOfAddress(const SettingValue &value)
{
    const auto address = ListenAddress::fromText(std::get<QString>(value));
    return address ? QString() : address.error().message;
}

/// Browsers send scheme, host and port, never a path: a pattern with one could never match.
QString complainOfOrigin(const SettingValue &value)
{
    static const QRegularExpression kOrigin(
        QStringLiteral("\\A(?:\\*|null|[A-Za-z*][A-Za-z0-9+.*-]*://[^\\s/?#,@]+)\\z"));
    return kOrigin.match(std::get<QString>(value)).hasMatch()
               ? QString()
               : QStringLiteral(
                   "is not an origin: write scheme://host or scheme://host:port without "
                   "a path, such as https://*.example.com, or *");
}

QString complainOfToken(const SettingValue &value)
{
    const auto &token = std::get<QString>(value);
    return token.isEmpty() || isOpsToken(token.toUtf8())
               ? QString()
               : QStringLiteral(
                     "is not a token: write %1 or more letters, digits and signs, without "
                     "spaces (openssl rand -hex 16 makes one)")
                     .arg(kMinTokenBytes);
}

QString complainOfFileName(const SettingValue &value)
{
    return std::get<QString>(value).contains(QChar::Null) ? QStringLiteral("is not a file name")
                                                          : QString();
}

std::vector<SettingOf<Settings>> serverSettings()
{
    return {
        Row::checked(Row::plain(
                         "server.address", ValueType::Text,
                         "IP address to listen on. 127.0.0.1 is this machine only; 0.0.0.0 is all "
                         "IPv4 addresses, "
                         ":: all addresses.",
                         [](auto &s) -> auto & { return s.hub.address; }),
                     complainOfAddress),
        Row::number(
            "server.port", ValueType::Port, {0, 65535},
            "TCP port that clients connect to; 0 lets the system choose a free one.",
            [](auto &s) -> auto & { return s.hub.port; }),
        Row::number(
            "server.workers", ValueType::Integer, {0, 1024},
            "Threads that serve clients; 0 means one per core.",
            [](auto &s) -> auto & { return s.hub.workers; }),
        Row::checked(
            Row::plain(
                "server.origins", ValueType::TextList,
                "Origins of web pages that may connect, in addition to the relay's own host. * "
                "stands for "
                "any characters. While server.address is loopback, only localhost and IP addresses "
                "count as its own host: with a proxy in front of the relay, list the public name.",
                [](auto &s) -> auto & { return s.hub.origins; }),
            complainOfOrigin),
        Row::number(
            "server.shutdown_timeout", ValueType::Duration, {0, kHour},
            "How long clients have at shutdown to read what is queued for them and to answer the "
            "close "
            "frame.",
            [](auto &s) -> auto & { return s.shutdownTimeout; }),
        Row::number(
            "server.close_timeout", ValueType::Duration, {100, 10 * kMinute},
            "How long a client has to answer a close frame before its connection is dropped.",
            [](auto &s) -> auto & { return s.hub.closeTimeout; }),
        Row::plain(
            "server.tls.enabled", ValueType::Boolean,
            "Whether clients connect with wss:// and https:// (TLS 1.2 or later) instead of ws:// "
            "and "
            "http://.",
            [](auto &s) -> auto & { return s.tls.enabled; }),
        Row::checked(
            Row::plain(
                "server.tls.cert_file", ValueType::Text,
                "PEM file with the certificate, followed by its intermediate certificates.",
                [](auto &s) -> auto & { return s.tls.certFile; }),
            complainOfFileName),
        Row::checked(Row::plain(
                         "server.tls.key_file", ValueType::Text,
                         "PEM file with the certificate's private key, not encrypted.",
                         [](auto &s) -> auto & { return s.tls.keyFile; }),
                     complainOfFileName),
    };
}

std::vector<SettingOf<Settings>> historySettings()
{
    return {
        Row::plain(
            "hub.echo", ValueType::Boolean,
            "Whether a client receives its own messages, unless a channel rule says otherwise.",
            [](auto &s) -> auto & { return s.hub.echo; }),
        Row::number(
            "history.total_size", ValueType::Size, {0, 1024 * kGiB},
            "Memory for the histories of all channels together. When it is used up, the oldest "
            "messages across all channels are dropped first. 0 keeps none.",
            [](auto &s) -> auto & { return s.hub.history.totalSize; }),
        Row::number(
            "history.positions", ValueType::Integer, {0, 100'000'000},
            "How many channels keep their position after they have no clients and no messages any "
            "more, so that a client that missed nothing is not told about a gap. Each takes about "
            "200 bytes of memory and its name. If there are more, the oldest position is dropped.",
            [](auto &s) -> auto & { return s.hub.history.positions; }),
        Row::number(
            "history.position_age", ValueType::Duration, {kSecond, 8760 * kHour},
            "How long a channel without clients and messages keeps its position.",
            [](auto &s) -> auto & { return s.hub.history.positionAge; }),
    };
}

std::vector<SettingOf<Settings>> limitSettings()
{
    return {
        Row::number(
            "limits.connections", ValueType::Integer, {0, 10'000'000},
            "Connections at the same time; one more is answered 503. 0: as many as the limit of "
            "open "
            "files allows, less a reserve.",
            [](auto &s) -> auto & { return s.hub.limits.connections; }),
        Row::number(
            "limits.message_size", ValueType::Size, {1, kGiB},
            "The longest message. The sender of a longer one is disconnected with 1009.",
            [](auto &s) -> auto & { return s.hub.limits.messageSize; }),
        Row::number(
            "limits.control_frames", ValueType::Integer, {1, 1'000'000},
            "Pings and pongs that a client may send in a second; a client that sends more is "
            "closed "
            "with 1008. Messages are not counted.",
            [](auto &s) -> auto & { return s.hub.limits.controlFrames; }),
        Row::number(
            "limits.request_head_size", ValueType::Size, {kKiB, kMiB},
            "The longest request head; a longer one is answered 431.",
            [](auto &s) -> auto & { return s.hub.limits.requestHeadSize; }),
        Row::number(
            "limits.request_header_fields", ValueType::Integer, {8, 1000},
            "The most header fields in a request; a request with more is answered 431.",
            [](auto &s) -> auto & { return s.hub.limits.requestHeaderFields; }),
        Row::number(
            "limits.handshake_timeout", ValueType::Duration, {100, 10 * kMinute},
            "Time from accepting a connection to the end of its handshake, TLS included.",
            [](auto &s) -> auto & { return s.hub.limits.handshakeTimeout; }),
        Row::number(
            "limits.queue_size", ValueType::Size, {kKiB, 64 * kGiB},
            "Bytes that may wait for one client; above that, slow_clients.policy applies. Must "
            "hold at "
            "least one message of limits.message_size.",
            [](auto &s) -> auto & { return s.hub.limits.queueSize; }),
        Row::number(
            "limits.inbox_size", ValueType::Size, {kKiB, 64 * kGiB},
            "Bytes that may wait for one worker thread; above that, no sender is read until the "
            "worker "
            "has caught up. Best below limits.queue_size, which must hold what a worker takes in "
            "at "
            "one time.",
            [](auto &s) -> auto & { return s.hub.limits.inboxSize; }),
        Row::number(
            "keepalive.interval", ValueType::Duration, {0, 24 * kHour},
            "Silence after which a client is pinged; 0 means never.",
            [](auto &s) -> auto & { return s.hub.keepalive.interval; }),
        Row::number(
            "keepalive.timeout", ValueType::Duration, {100, kHour},
            "Silence after a ping after which the connection is considered dead.",
            [](auto &s) -> auto & { return s.hub.keepalive.timeout; }),
    };
}

std::vector<SettingOf<Settings>> deliverySettings()
{
    return {
        Row::number(
            "http.body_timeout", ValueType::Duration, {100, kHour},
            "Time from a request's head to the end of its body; a slower request is answered 408.",
            [](auto &s) -> auto & { return s.hub.http.bodyTimeout; }),
        Row::number(
            "http.idle_timeout", ValueType::Duration, {100, 24 * kHour},
            "Longest silence between two requests, and longest time that a client may take to read "
            "an "
            "answer. Then the connection is closed.",
            [](auto &s) -> auto & { return s.hub.http.idleTimeout; }),
        Row::number(
            "http.batch_size", ValueType::Size, {kKiB, kGiB},
            "The longest body of POST /-/publish; a longer one is answered 413.",
            [](auto &s) -> auto & { return s.hub.http.batchSize; }),
        Row::number(
            "http.batch_messages", ValueType::Integer, {1, 1'000'000},
            "The most messages in one POST /-/publish. If there are more, the answer is 413 and "
            "none is "
            "published.",
            [](auto &s) -> auto & { return s.hub.http.batchMessages; }),
        Row::number(
            "http.idempotency_age", ValueType::Duration, {kSecond, 24 * kHour},
            "How long a request with a known Idempotency-Key gets the answer of the first request "
            "with "
            "that key.",
            [](auto &s) -> auto & { return s.hub.http.idempotencyAge; }),
        Row::number(
            "http.idempotency_keys", ValueType::Integer, {0, 10'000'000},
            "The most answers that are kept for that. When there are more, the oldest are "
            "forgotten "
            "early.",
            [](auto &s) -> auto & { return s.hub.http.idempotencyKeys; }),
        Row::number(
            "event_source.heartbeat", ValueType::Duration, {0, kHour},
            "Silence after which a listener is sent a comment; 0 means never.",
            [](auto &s) -> auto & { return s.hub.eventSource.heartbeat; }),
        Row::number(
            "event_source.retry", ValueType::Duration, {100, kHour},
            "How long a listener that lost its connection waits before it reconnects.",
            [](auto &s) -> auto & { return s.hub.eventSource.retry; }),
        Row::choice(
            "slow_clients.policy",
            {{"disconnect", HubOptions::SlowClientPolicy::Disconnect},
             {"drop_oldest", HubOptions::SlowClientPolicy::DropOldest}},
            "disconnect closes the connection of a slow client with 1008; drop_oldest drops the "
            "oldest "
            "messages that wait for it.",
            [](auto &s) -> auto & { return s.hub.slowClients.policy; }),
        Row::number(
            "slow_clients.grace", ValueType::Duration, {0, kHour},
            "How long more than half of limits.queue_size may wait before a client counts as slow.",
            [](auto &s) -> auto & { return s.hub.slowClients.grace; }),
    };
}

std::vector<SettingOf<Settings>> opsSettings()
{
    return {
        Row::plain(
            "metrics.enabled", ValueType::Boolean, "Whether the ops port is open.",
            [](auto &s) -> auto & { return s.metrics.enabled; }),
        Row::checked(
            Row::plain(
                "metrics.address", ValueType::Text,
                "IP address of the ops port. An address that other machines can reach needs a "
                "token (ops.token_file).",
                [](auto &s) -> auto & { return s.metrics.address; }),
            complainOfAddress),
        Row::number(
            "metrics.port", ValueType::Port, {0, 65535},
            "TCP port of the ops port; 0 lets the system choose a free one.",
            [](auto &s) -> auto & { return s.metrics.port; }),
        Row::number(
            "metrics.connections", ValueType::Integer, {1, 10'000},
            "Connections to the ops port that are served at the same time. When all are in use, "
            "the "
            "longest idle one is closed for a new one. Health checks are answered in any case.",
            [](auto &s) -> auto & { return s.metrics.limits.maxConnections; }),
        Row::number(
            "metrics.request_timeout", ValueType::Duration, {100, 10 * kMinute},
            "How long a request to the ops port may take to arrive.",
            [](auto &s) -> auto & { return s.metrics.limits.requestTimeout; }),
        Row::secret(Row::checked(
            Row::plain(
                "ops.token", ValueType::Text,
                "A caller that sends it as a bearer token may read and change everything on the "
                "ops port. Without a token, every user of this machine may.",
                [](auto &s) -> auto & { return s.ops.token; }),
            complainOfToken)),
        Row::checked(Row::plain(
                         "ops.token_file", ValueType::Text,
                         "File that holds the token, instead of ops.token.",
                         [](auto &s) -> auto & { return s.ops.tokenFile; }),
                     complainOfFileName),
        Row::plain(
            "ops.read_without_token", ValueType::Boolean,
            "Whether callers on this machine may read without the token (metrics, lists, the event "
            "stream). Changes need the token in any case, if there is one.",
            [](auto &s) -> auto & { return s.metrics.readWithoutToken; }),
    };
}

std::vector<SettingOf<Settings>> loggingSettings()
{
    return {
        Row::choice(
            "logging.level",
            {{"debug", LogLevel::Debug},
             {"info", LogLevel::Info},
             {"warning", LogLevel::Warning},
             {"error", LogLevel::Error}},
            "The least important level that is written. info has a line for each connect and "
            "disconnect.",
            [](auto &s) -> auto & { return s.logging.level; }),
        Row::choice(
            "logging.format", {{"text", LogFormat::Text}, {"json", LogFormat::Json}},
            "text for people, json (one object per line) for machines.",
            [](auto &s) -> auto & { return s.logging.format; }),
        Row::number(
            "logging.rate", ValueType::Integer, {0, 1'000'000},
            "Lines per second for each category and level. Lines above that are left out, counted "
            "and "
            "reported in one line. 0: no limit.",
            [](auto &s) -> auto & { return s.logging.rate; }),
    };
}

std::vector<SettingOf<Settings>> allSettings()
{
    std::vector<SettingOf<Settings>> all;
    for (const auto &part : {serverSettings(), historySettings(), limitSettings(),
                             deliverySettings(), opsSettings(), loggingSettings()})
    {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

std::vector<Section> allSections()
{
    const auto section = [](const char *key, const char *comment) {
        return Section{QString::fromLatin1(key), QString::fromUtf8(comment)};
    };
    const auto ruleList = [](const char *key, const char *comment) {
        return Section{QString::fromLatin1(key), QString::fromUtf8(comment),
                       Section::Kind::ChannelRules};
    };
    return {
        section("server", "Where clients connect, and how connections begin and end."),
        section("server.tls",
                "Encryption. The files are read when relayd starts: restart it after a renewal."),
        section("hub", "How messages are relayed."),
        section("history",
                "The histories of all channels together. The rules of channels set how much "
                "each channel keeps."),
        ruleList(
            "channels",
            "Properties of channels, as a list of rules. The first rule that matches a channel's "
            "name applies; a channel that no rule matches has the defaults. Rules can be set in "
            "the file only, not in the environment."),
        section("limits", "Limits. Each time that one is reached is counted in the metrics."),
        section("keepalive", "How the relay notices that a client has gone without closing its "
                             "connection, such as a "
                             "laptop that was shut."),
        section("http", "Publishing and reading with plain HTTP requests."),
        section("event_source", "Listening with EventSource."),
        section("slow_clients", "What happens to a client that reads more slowly than others "
                                "write. It never delays the "
                                "others."),
        section("metrics",
                "The ops port, for operators: metrics for Prometheus (/metrics), health checks "
                "(/-/healthz, /-/readyz) and the admin API."),
        section("ops",
                "Access to the ops port. If there is a token, callers must send it, except for "
                "health checks. relayd does not start without one unless metrics.address is "
                "loopback."),
        section("logging", "The log, which is written to standard error."),
    };
}

} // namespace

const Schema<Settings> &settingsSchema()
{
    static const Schema<Settings> kSchema{Settings(), allSettings(), allSections()};
    return kSchema;
}

QString environmentName(const Setting &setting)
{
    QString name = setting.key.toUpper();
    name.replace(QLatin1Char('.'), QLatin1Char('_'));
    return QStringLiteral("RELAY_") + name;
}

} // namespace relay
