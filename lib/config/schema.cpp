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
    return token.isEmpty() || isToken(token.toUtf8())
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
        Row::checked(
            Row::plain(
                "server.address", ValueType::Text,
                "IP address to listen on. 127.0.0.1 reaches this machine only; 0.0.0.0 and :: "
                "are all IPv4 and all interfaces.",
                [](auto &s) -> auto & { return s.hub.address; }),
            complainOfAddress),
        Row::number(
            "server.port", ValueType::Port, {0, 65535},
            "TCP port that clients connect to; 0 lets the system choose a free one.",
            [](auto &s) -> auto & { return s.hub.port; }),
        Row::number(
            "server.workers", ValueType::Integer, {0, 1024},
            "Threads that serve clients; 0 starts one a core.",
            [](auto &s) -> auto & { return s.hub.workers; }),
        Row::checked(
            Row::plain(
                "server.origins", ValueType::TextList,
                "Origins of web pages that may connect, besides those of the relay's own host; "
                "* stands for any run of characters. While server.address is loopback, only "
                "localhost and IP addresses are its own host: behind a proxy, list its name.",
                [](auto &s) -> auto & { return s.hub.origins; }),
            complainOfOrigin),
        Row::number(
            "server.shutdown_timeout", ValueType::Duration, {0, kHour},
            "How long clients have at shutdown to take what is queued and to answer the close.",
            [](auto &s) -> auto & { return s.shutdownTimeout; }),
        Row::number(
            "server.close_timeout", ValueType::Duration, {100, 10 * kMinute},
            "How long a client has to answer a close frame before its connection is dropped.",
            [](auto &s) -> auto & { return s.hub.closeTimeout; }),
        Row::plain(
            "server.tls.enabled", ValueType::Boolean,
            "Whether clients connect by wss:// (TLS 1.2 and up) instead of ws://.",
            [](auto &s) -> auto & { return s.tls.enabled; }),
        Row::checked(Row::plain(
                         "server.tls.cert_file", ValueType::Text,
                         "PEM file with the certificate, followed by its intermediates.",
                         [](auto &s) -> auto & { return s.tls.certFile; }),
                     complainOfFileName),
        Row::checked(Row::plain(
                         "server.tls.key_file", ValueType::Text,
                         "PEM file with the certificate's private key, not encrypted.",
                         [](auto &s) -> auto & { return s.tls.keyFile; }),
                     complainOfFileName),
    };
}

std::vector<SettingOf<Settings>> relaySettings()
{
    return {
        Row::plain(
            "hub.echo", ValueType::Boolean,
            "Whether a client gets its own messages back, where no rule of channels says "
            "otherwise.",
            [](auto &s) -> auto & { return s.hub.echo; }),
        Row::number(
            "history.total_size", ValueType::Size, {0, 1024 * kGiB},
            "What all channels' histories may take in memory together; past it the oldest messages "
            "of all go first. 0 keeps none.",
            [](auto &s) -> auto & { return s.hub.history.totalSize; }),
        Row::number(
            "limits.connections", ValueType::Integer, {0, 10'000'000},
            "Connections at once; one more is answered 503. 0: as many as the limit of open files "
            "allows, less a reserve.",
            [](auto &s) -> auto & { return s.hub.limits.connections; }),
        Row::number(
            "limits.message_size", ValueType::Size, {1, kGiB},
            "The longest message; the sender of a longer one is closed with 1009.",
            [](auto &s) -> auto & { return s.hub.limits.messageSize; }),
        Row::number(
            "limits.request_head_size", ValueType::Size, {kKiB, kMiB},
            "The longest request head; a longer one is answered 431.",
            [](auto &s) -> auto & { return s.hub.limits.requestHeadSize; }),
        Row::number(
            "limits.request_header_fields", ValueType::Integer, {8, 1000},
            "The most header fields in a request; one more is answered 431.",
            [](auto &s) -> auto & { return s.hub.limits.requestHeaderFields; }),
        Row::number(
            "limits.handshake_timeout", ValueType::Duration, {100, 10 * kMinute},
            "From accepting a connection to the end of its handshake, TLS included.",
            [](auto &s) -> auto & { return s.hub.limits.handshakeTimeout; }),
        Row::number(
            "limits.queue_size", ValueType::Size, {kKiB, 64 * kGiB},
            "What may wait for one client; past it slow_clients.policy applies. Holds at least one "
            "message of limits.message_size.",
            [](auto &s) -> auto & { return s.hub.limits.queueSize; }),
        Row::number(
            "limits.inbox_size", ValueType::Size, {kKiB, 64 * kGiB},
            "What may wait for one worker thread; past it senders are not read from until it "
            "has taken it in. Best below limits.queue_size: what it takes in at once must fit "
            "there.",
            [](auto &s) -> auto & { return s.hub.limits.inboxSize; }),
        Row::number(
            "keepalive.interval", ValueType::Duration, {0, 24 * kHour},
            "Silence after which a client is pinged; 0 never pings.",
            [](auto &s) -> auto & { return s.hub.keepalive.interval; }),
        Row::number(
            "keepalive.timeout", ValueType::Duration, {100, kHour},
            "Silence after a ping after which the connection is taken for dead.",
            [](auto &s) -> auto & { return s.hub.keepalive.timeout; }),
    };
}

std::vector<SettingOf<Settings>> deliverySettings()
{
    return {
        Row::number(
            "http.body_timeout", ValueType::Duration, {100, kHour},
            "From a request's head to the end of its body; a slower one is answered 408.",
            [](auto &s) -> auto & { return s.hub.http.bodyTimeout; }),
        Row::number(
            "http.idle_timeout", ValueType::Duration, {100, 24 * kHour},
            "Silence between two requests, and the longest that a client may take to take an "
            "answer; then the connection is closed.",
            [](auto &s) -> auto & { return s.hub.http.idleTimeout; }),
        Row::number(
            "http.batch_size", ValueType::Size, {kKiB, kGiB},
            "The longest body of POST /-/publish; a longer one is answered 413.",
            [](auto &s) -> auto & { return s.hub.http.batchSize; }),
        Row::number(
            "http.batch_messages", ValueType::Integer, {1, 1'000'000},
            "The most messages in POST /-/publish; more are answered 413, and none is published.",
            [](auto &s) -> auto & { return s.hub.http.batchMessages; }),
        Row::number(
            "http.idempotency_age", ValueType::Duration, {kSecond, 24 * kHour},
            "How long a request with the same Idempotency-Key is given the first one's answer.",
            [](auto &s) -> auto & { return s.hub.http.idempotencyAge; }),
        Row::number(
            "http.idempotency_keys", ValueType::Integer, {0, 10'000'000},
            "The most answers that are kept for that; past it the oldest are forgotten early.",
            [](auto &s) -> auto & { return s.hub.http.idempotencyKeys; }),
        Row::number(
            "event_source.heartbeat", ValueType::Duration, {0, kHour},
            "Silence after which a listener is sent a comment; 0 never sends one.",
            [](auto &s) -> auto & { return s.hub.eventSource.heartbeat; }),
        Row::number(
            "event_source.retry", ValueType::Duration, {100, kHour},
            "How long a listener that lost its connection waits before it tries again.",
            [](auto &s) -> auto & { return s.hub.eventSource.retry; }),
        Row::choice(
            "slow_clients.policy",
            {{"disconnect", HubOptions::SlowClientPolicy::Disconnect},
             {"drop_oldest", HubOptions::SlowClientPolicy::DropOldest}},
            "disconnect closes a slow client with 1008; drop_oldest leaves out its oldest "
            "messages.",
            [](auto &s) -> auto & { return s.hub.slowClients.policy; }),
        Row::number(
            "slow_clients.grace", ValueType::Duration, {0, kHour},
            "How long more than half of limits.queue_size may wait before a client counts as slow.",
            [](auto &s) -> auto & { return s.hub.slowClients.grace; }),
    };
}

std::vector<SettingOf<Settings>> operationSettings()
{
    return {
        Row::plain(
            "metrics.enabled", ValueType::Boolean, "Whether the metrics port is open.",
            [](auto &s) -> auto & { return s.metrics.enabled; }),
        Row::checked(Row::plain(
                         "metrics.address", ValueType::Text,
                         "IP address of the metrics port. One that others reach needs a token "
                         "(ops.token_file).",
                         [](auto &s) -> auto & { return s.metrics.address; }),
                     complainOfAddress),
        Row::number(
            "metrics.port", ValueType::Port, {0, 65535},
            "TCP port of the metrics; 0 lets the system choose a free one.",
            [](auto &s) -> auto & { return s.metrics.port; }),
        Row::number(
            "metrics.connections", ValueType::Integer, {1, 10'000},
            "Connections to the metrics port at once; an idle one gives way to a newcomer.",
            [](auto &s) -> auto & { return s.metrics.limits.maxConnections; }),
        Row::number(
            "metrics.request_timeout", ValueType::Duration, {100, 10 * kMinute},
            "How long a request to the metrics port may take to arrive.",
            [](auto &s) -> auto & { return s.metrics.limits.requestTimeout; }),
        Row::secret(
            Row::checked(Row::plain(
                             "ops.token", ValueType::Text,
                             "Who sends it as a bearer token may read and change everything on the "
                             "metrics port. Without one, who is on this machine may.",
                             [](auto &s) -> auto & { return s.ops.token; }),
                         complainOfToken)),
        Row::checked(Row::plain(
                         "ops.token_file", ValueType::Text,
                         "File that holds the token, in place of ops.token.",
                         [](auto &s) -> auto & { return s.ops.tokenFile; }),
                     complainOfFileName),
        Row::choice(
            "logging.level",
            {{"debug", LogLevel::Debug},
             {"info", LogLevel::Info},
             {"warning", LogLevel::Warning},
             {"error", LogLevel::Error}},
            "The least that is written; info has a line for each connect and disconnect.",
            [](auto &s) -> auto & { return s.logging.level; }),
        Row::choice(
            "logging.format", {{"text", LogFormat::Text}, {"json", LogFormat::Json}},
            "text for people, json (one object a line) for machines.",
            [](auto &s) -> auto & { return s.logging.format; }),
    };
}

std::vector<SettingOf<Settings>> allSettings()
{
    std::vector<SettingOf<Settings>> all;
    for (const auto &part :
         {serverSettings(), relaySettings(), deliverySettings(), operationSettings()})
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
        section("server", "Where clients connect, and how a connection begins and ends."),
        section("server.tls",
                "Encryption. The files are read when relayd starts: restart it after a renewal."),
        section("hub", "How messages are relayed."),
        section("history", "What is kept of the messages of all channels. How much each channel "
                           "keeps is said by the rules of channels."),
        ruleList("channels",
                 "What channels are like, as a list of rules: the first that matches a channel's "
                 "name holds. A channel that no rule matches has the defaults. Rules stand in the "
                 "file only: the environment cannot set them."),
        section("limits", "What the relay gives away at most. Every limit that is hit is counted "
                          "in the metrics."),
        section("keepalive",
                "How the relay notices that a client is gone without a word, such as a laptop that "
                "was closed."),
        section("http", "Publishing and reading by plain HTTP requests."),
        section("event_source", "Listening by EventSource."),
        section(
            "slow_clients",
            "What happens to a client that reads more slowly than others write. It never delays "
            "the others."),
        section("metrics",
                "The port for operators: /metrics for Prometheus, /-/healthz and /-/readyz for "
                "whoever watches or routes to the relay."),
        section("ops", "Who may use the metrics port. A token is needed where metrics.address is "
                       "not loopback, and, if there is one, for every change."),
        section("logging", "What is written to standard error."),
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
