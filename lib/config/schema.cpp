#include "config/schema.h"

#include <QHostAddress>
#include <QRegularExpression>

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

namespace relay {

namespace {

constexpr qint64 kKiB = 1024;
constexpr qint64 kMiB = 1024 * kKiB;
constexpr qint64 kGiB = 1024 * kMiB;

constexpr qint64 kSecond = 1000; // milliseconds
constexpr qint64 kMinute = 60 * kSecond;
constexpr qint64 kHour = 60 * kMinute;

struct Bounds
{
    qint64 minimum;
    qint64 maximum;
};

/// The field of a Settings that an accessor `[](auto &s) -> auto & { return s.field; }` names.
template <typename Access>
using FieldOf = std::remove_reference_t<std::invoke_result_t<Access, Settings &>>;

/// A setting whose field's type is its value's.
template <typename Access>
Setting plain(const char *key, ValueType type, const char *help, Access access)
{
    using Field = FieldOf<Access>;
    return {
        .key = QString::fromLatin1(key),
        .type = type,
        .choices = {},
        .help = QString::fromUtf8(help),
        .read = [access](const Settings &settings) { return SettingValue{access(settings)}; },
        .write = [access](Settings &settings,
                          const SettingValue &value) { access(settings) = std::get<Field>(value); },
        .complaint = {}};
}

/// A whole number within bounds, kept in an integer or a std::chrono field.
template <typename Access>
Setting number(const char *key, ValueType type, Bounds bounds, const char *help, Access access)
{
    using Field = FieldOf<Access>;
    return {.key = QString::fromLatin1(key),
            .type = type,
            .minimum = bounds.minimum,
            .maximum = bounds.maximum,
            .choices = {},
            .help = QString::fromUtf8(help),
            .read =
                [access](const Settings &settings) {
                    if constexpr (std::is_integral_v<Field>) {
                        return SettingValue{qint64{access(settings)}};
                    } else {
                        return SettingValue{qint64{access(settings).count()}};
                    }
                },
            .write =
                [access](Settings &settings, const SettingValue &value) {
                    const auto count = std::get<qint64>(value);
                    if constexpr (std::is_integral_v<Field>) {
                        access(settings) = static_cast<Field>(count);
                    } else {
                        access(settings) = Field(count);
                    }
                },
            .complaint = {}};
}

/// One of some names, each for a value of the field's enumeration.
template <typename Access, typename Enum = FieldOf<Access>>
Setting choice(const char *key,
               const std::vector<std::pair<const char *, Enum>> &names,
               const char *help,
               Access access)
{
    QStringList choices;
    for (const auto &[name, value] : names) {
        choices.append(QString::fromLatin1(name));
    }
    return {.key = QString::fromLatin1(key),
            .type = ValueType::Choice,
            .choices = choices,
            .help = QString::fromUtf8(help),
            .read =
                [names, access](const Settings &settings) {
                    const auto found =
                        std::find_if(names.begin(), names.end(), [&](const auto &name) {
                            return name.second == access(settings);
                        });
                    return SettingValue{QString::fromLatin1(found->first)};
                },
            .write =
                [names, choices, access](Settings &settings, const SettingValue &value) {
                    const qsizetype index = choices.indexOf(std::get<QString>(value));
                    access(settings) = names[static_cast<std::size_t>(index)].second;
                },
            .complaint = {}};
}

Setting checked(Setting setting, QString (*complaint)(const SettingValue &))
{
    setting.complaint = complaint;
    return setting;
}

/// QHostAddress also takes the old forms "1" and "127.1", which nobody means.
QString complainOfAddress(const SettingValue &value)
{
    const auto &text = std::get<QString>(value);
    const QHostAddress address(text);
    const bool isAddress = address.protocol() == QAbstractSocket::IPv6Protocol
                           || (address.protocol() == QAbstractSocket::IPv4Protocol
                               && text.count(QLatin1Char('.')) == 3);
    return isAddress
               ? QString()
               : QStringLiteral("is not an IP address: write one such as 127.0.0.1 or ::1, or "
                                "0.0.0.0 or :: for all interfaces");
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

QString complainOfFileName(const SettingValue &value)
{
    return std::get<QString>(value).contains(QChar::Null) ? QStringLiteral("is not a file name")
                                                          : QString();
}

std::vector<Setting> serverSettings()
{
    return {
        checked(plain(
                    "server.address", ValueType::Text,
                    "IP address to listen on. 127.0.0.1 reaches this machine only; 0.0.0.0 and :: "
                    "are all IPv4 and all interfaces.",
                    [](auto &s) -> auto & { return s.hub.address; }),
                complainOfAddress),
        number(
            "server.port", ValueType::Port, {0, 65535},
            "TCP port that clients connect to; 0 lets the system choose a free one.",
            [](auto &s) -> auto & { return s.hub.port; }),
        number(
            "server.workers", ValueType::Integer, {0, 1024},
            "Threads that serve clients; 0 starts one a core.",
            [](auto &s) -> auto & { return s.hub.workers; }),
        checked(plain(
                    "server.origins", ValueType::TextList,
                    "Origins of web pages that may connect, besides those of the relay's own host; "
                    "* stands for any run of characters. While server.address is loopback, only "
                    "localhost and IP addresses are its own host: behind a proxy, list its name.",
                    [](auto &s) -> auto & { return s.hub.origins; }),
                complainOfOrigin),
        number(
            "server.shutdown_timeout", ValueType::Duration, {0, kHour},
            "How long clients have at shutdown to take what is queued and to answer the close.",
            [](auto &s) -> auto & { return s.shutdownTimeout; }),
        number(
            "server.close_timeout", ValueType::Duration, {100, 10 * kMinute},
            "How long a client has to answer a close frame before its connection is dropped.",
            [](auto &s) -> auto & { return s.hub.closeTimeout; }),
        plain(
            "server.tls.enabled", ValueType::Boolean,
            "Whether clients connect by wss:// (TLS 1.2 and up) instead of ws://.",
            [](auto &s) -> auto & { return s.tls.enabled; }),
        checked(plain(
                    "server.tls.cert_file", ValueType::Text,
                    "PEM file with the certificate, followed by its intermediates.",
                    [](auto &s) -> auto & { return s.tls.certFile; }),
                complainOfFileName),
        checked(plain(
                    "server.tls.key_file", ValueType::Text,
                    "PEM file with the certificate's private key, not encrypted.",
                    [](auto &s) -> auto & { return s.tls.keyFile; }),
                complainOfFileName),
    };
}

std::vector<Setting> relaySettings()
{
    return {
        plain(
            "hub.echo", ValueType::Boolean, "Whether a client gets its own messages back.",
            [](auto &s) -> auto & { return s.hub.echo; }),
        number(
            "limits.connections", ValueType::Integer, {0, 10'000'000},
            "Connections at once; one more is answered 503. 0: as many as the limit of open files "
            "allows, less a reserve.",
            [](auto &s) -> auto & { return s.hub.limits.connections; }),
        number(
            "limits.message_size", ValueType::Size, {1, kGiB},
            "The longest message; the sender of a longer one is closed with 1009.",
            [](auto &s) -> auto & { return s.hub.limits.messageSize; }),
        number(
            "limits.request_head_size", ValueType::Size, {kKiB, kMiB},
            "The longest request head; a longer one is answered 431.",
            [](auto &s) -> auto & { return s.hub.limits.requestHeadSize; }),
        number(
            "limits.request_header_fields", ValueType::Integer, {8, 1000},
            "The most header fields in a request; one more is answered 431.",
            [](auto &s) -> auto & { return s.hub.limits.requestHeaderFields; }),
        number(
            "limits.handshake_timeout", ValueType::Duration, {100, 10 * kMinute},
            "From accepting a connection to the end of its handshake, TLS included.",
            [](auto &s) -> auto & { return s.hub.limits.handshakeTimeout; }),
        number(
            "limits.queue_size", ValueType::Size, {kKiB, 64 * kGiB},
            "What may wait for one client; past it slow_clients.policy applies. Holds at least one "
            "message of limits.message_size.",
            [](auto &s) -> auto & { return s.hub.limits.queueSize; }),
        number(
            "limits.inbox_size", ValueType::Size, {kKiB, 64 * kGiB},
            "What may wait for one worker thread; past it senders are not read from until it "
            "has taken it in. Best below limits.queue_size: what it takes in at once must fit "
            "there.",
            [](auto &s) -> auto & { return s.hub.limits.inboxSize; }),
        number(
            "keepalive.interval", ValueType::Duration, {0, 24 * kHour},
            "Silence after which a client is pinged; 0 never pings.",
            [](auto &s) -> auto & { return s.hub.keepalive.interval; }),
        number(
            "keepalive.timeout", ValueType::Duration, {100, kHour},
            "Silence after a ping after which the connection is taken for dead.",
            [](auto &s) -> auto & { return s.hub.keepalive.timeout; }),
        choice(
            "slow_clients.policy",
            {{"disconnect", HubOptions::SlowClientPolicy::Disconnect},
             {"drop_oldest", HubOptions::SlowClientPolicy::DropOldest}},
            "disconnect closes a slow client with 1008; drop_oldest leaves out its oldest "
            "messages.",
            [](auto &s) -> auto & { return s.hub.slowClients.policy; }),
        number(
            "slow_clients.grace", ValueType::Duration, {0, kHour},
            "How long more than half of limits.queue_size may wait before a client counts as slow.",
            [](auto &s) -> auto & { return s.hub.slowClients.grace; }),
    };
}

std::vector<Setting> operationSettings()
{
    return {
        plain(
            "metrics.enabled", ValueType::Boolean, "Whether the metrics port is open.",
            [](auto &s) -> auto & { return s.metrics.enabled; }),
        checked(plain(
                    "metrics.address", ValueType::Text,
                    "IP address of the metrics port; whoever reaches it may read it.",
                    [](auto &s) -> auto & { return s.metrics.address; }),
                complainOfAddress),
        number(
            "metrics.port", ValueType::Port, {0, 65535},
            "TCP port of the metrics; 0 lets the system choose a free one.",
            [](auto &s) -> auto & { return s.metrics.port; }),
        number(
            "metrics.connections", ValueType::Integer, {1, 10'000},
            "Connections to the metrics port at once.",
            [](auto &s) -> auto & { return s.metrics.connections; }),
        number(
            "metrics.request_timeout", ValueType::Duration, {100, 10 * kMinute},
            "How long a request to the metrics port may take to arrive.",
            [](auto &s) -> auto & { return s.metrics.requestTimeout; }),
        choice(
            "logging.level",
            {{"debug", LogLevel::Debug},
             {"info", LogLevel::Info},
             {"warning", LogLevel::Warning},
             {"error", LogLevel::Error}},
            "The least that is written; info has a line for each connect and disconnect.",
            [](auto &s) -> auto & { return s.logging.level; }),
        choice(
            "logging.format", {{"text", LogFormat::Text}, {"json", LogFormat::Json}},
            "text for people, json (one object a line) for machines.",
            [](auto &s) -> auto & { return s.logging.format; }),
    };
}

std::vector<Setting> makeSchema()
{
    std::vector<Setting> all;
    for (const std::vector<Setting> &part :
         {serverSettings(), relaySettings(), operationSettings()}) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

std::vector<Section> makeSections()
{
    const auto section = [](const char *key, const char *comment) {
        return Section{QString::fromLatin1(key), QString::fromUtf8(comment)};
    };
    return {
        section("server", "Where clients connect, and how a connection begins and ends."),
        section("server.tls",
                "Encryption. The files are read when relayd starts: restart it after a renewal."),
        section("hub", "How messages are relayed."),
        section("limits", "What the relay gives away at most. Every limit that is hit is counted "
                          "in the metrics."),
        section("keepalive",
                "How the relay notices that a client is gone without a word, such as a laptop that "
                "was closed."),
        section(
            "slow_clients",
            "What happens to a client that reads more slowly than others write. It never delays "
            "the others."),
        section("metrics",
                "The port for operators: /metrics for Prometheus, /-/healthz and /-/readyz for "
                "whoever watches or routes to the relay."),
        section("logging", "What is written to standard error."),
    };
}

template <typename Row>
const Row *findByKey(const std::vector<Row> &rows, const QString &key)
{
    const auto found =
        std::find_if(rows.begin(), rows.end(), [&](const Row &row) { return row.key == key; });
    return found == rows.end() ? nullptr : &*found;
}

} // namespace

const std::vector<Setting> &settingsSchema()
{
    static const std::vector<Setting> kSchema = makeSchema();
    return kSchema;
}

const std::vector<Section> &configSections()
{
    static const std::vector<Section> kSections = makeSections();
    return kSections;
}

const Setting *findSetting(const QString &key)
{
    return findByKey(settingsSchema(), key);
}

const Section *findSection(const QString &key)
{
    return findByKey(configSections(), key);
}

SettingValue defaultValue(const Setting &setting)
{
    return setting.read(Settings{});
}

QString environmentName(const Setting &setting)
{
    QString name = setting.key.toUpper();
    name.replace(QLatin1Char('.'), QLatin1Char('_'));
    return QStringLiteral("RELAY_") + name;
}

} // namespace relay
