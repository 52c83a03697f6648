#include "config/settings_draft.h"

#include "config/quantities.h"
#include "config/setting_value.h"
#include "net/listen_address.h"

#include <QHostAddress>

#include <algorithm>
#include <vector>

namespace relay {

namespace {

/// A queue holds frames, whose head is at most 10 bytes, and counts its own cost for each; rounded
/// up.
constexpr qint64 kFrameHeadAllowance = 128;

/// A rule over several settings. The problem is told of the first key.
struct JointRule
{
    QStringList keys;
    QString (*complaint)(const Settings &); ///< empty: the rule holds
};

QString complainOfQueueSize(const Settings &settings)
{
    const HubOptions::Limits &limits = settings.hub.limits;
    const qint64 needed = limits.messageSize + kFrameHeadAllowance;
    return limits.queueSize >= needed
               ? QString()
               : QStringLiteral("%1 cannot hold one message of limits.message_size (%2) and its "
                                "frame: make it at least %3")
                     .arg(formatSize(limits.queueSize), formatSize(limits.messageSize),
                          formatSize(needed));
}

QString complainOfCertFile(const Settings &settings)
{
    return settings.tls.enabled && settings.tls.certFile.isEmpty()
               ? QStringLiteral("is needed when server.tls.enabled is true: name a PEM file with "
                                "the certificate and its intermediates")
               : QString();
}

QString complainOfKeyFile(const Settings &settings)
{
    return settings.tls.enabled && settings.tls.keyFile.isEmpty()
               ? QStringLiteral("is needed when server.tls.enabled is true: name a PEM file with "
                                "the certificate's private key")
               : QString();
}

bool isAnyAddress(const QString &text)
{
    const auto address = ListenAddress::fromText(text);
    return address && address.value().isAny();
}

QString complainOfMetricsPort(const Settings &settings)
{
    const bool addressesMeet =
        QHostAddress(settings.metrics.address) == QHostAddress(settings.hub.address)
        || isAnyAddress(settings.metrics.address) || isAnyAddress(settings.hub.address);
    if (!settings.metrics.enabled || settings.metrics.port == 0
        || settings.metrics.port != settings.hub.port || !addressesMeet)
    {
        return {};
    }
    return QStringLiteral("%1 is also server.port: the clients' port and the ops port must differ")
        .arg(settings.metrics.port);
}

QString complainOfTwoTokens(const Settings &settings)
{
    return settings.ops.token.isEmpty() || settings.ops.tokenFile.isEmpty()
               ? QString()
               : QStringLiteral("ops.token_file is set, too: remove one of them");
}

QString complainOfPublicMetrics(const Settings &settings)
{
    if (!settings.metrics.enabled || isLoopbackAddress(settings.metrics.address)
        || !settings.ops.token.isEmpty() || !settings.ops.tokenFile.isEmpty())
    {
        return {};
    }
    return QStringLiteral(
               "other machines can reach %1, and there is no token: set ops.token_file, so "
               "that strangers cannot control the relay")
        .arg(settings.metrics.address);
}

const std::vector<JointRule> &jointRules()
{
    static const std::vector<JointRule> kRules{
        {{QStringLiteral("limits.queue_size"), QStringLiteral("limits.message_size")},
         complainOfQueueSize},
        {{QStringLiteral("server.tls.cert_file"), QStringLiteral("server.tls.enabled")},
         complainOfCertFile},
        {{QStringLiteral("server.tls.key_file"), QStringLiteral("server.tls.enabled")},
         complainOfKeyFile},
        {{QStringLiteral("metrics.port"), QStringLiteral("server.port"),
          QStringLiteral("metrics.address"), QStringLiteral("server.address"),
          QStringLiteral("metrics.enabled")},
         complainOfMetricsPort},
        {{QStringLiteral("ops.token"), QStringLiteral("ops.token_file")}, complainOfTwoTokens},
        {{QStringLiteral("metrics.address"), QStringLiteral("ops.token"),
          QStringLiteral("ops.token_file"), QStringLiteral("metrics.enabled")},
         complainOfPublicMetrics},
    };
    return kRules;
}

QString keyInRule(qsizetype index, const QString &key)
{
    return SettingsDraft::channelRuleKey(index) + QLatin1Char('.') + key;
}

} // namespace

void SettingsDraft::set(const SettingOf<Settings> &setting,
                        const SettingValue &value,
                        const QString &where)
{
    setting.write(m_settings, value);
    m_where.insert(setting.key, where);
}

void SettingsDraft::addChannelRule()
{
    m_settings.hub.channels.append(channelRuleSchema().defaults);
}

void SettingsDraft::set(const SettingOf<ChannelRule> &setting,
                        const SettingValue &value,
                        const QString &where)
{
    QList<ChannelRule> &rules = m_settings.hub.channels;
    setting.write(rules.last(), value);
    m_where.insert(keyInRule(rules.size() - 1, setting.key), where);
}

QString SettingsDraft::channelRuleKey(qsizetype index)
{
    return QStringLiteral("channels[%1]").arg(index);
}

void SettingsDraft::addProblem(const QString &where, const QString &key, const QString &what)
{
    if (!key.isEmpty()) {
        m_badKeys.insert(key);
    }
    QStringList parts{where, key, what};
    parts.removeAll(QString());
    m_problems.append(parts.join(QStringLiteral(": ")));
}

void SettingsDraft::finish()
{
    inheritEcho();
    checkTogether();
    checkRulesDiffer();
    checkHistoriesFit();
}

void SettingsDraft::checkTogether()
{
    for (const JointRule &rule : jointRules()) {
        if (!areGood(rule.keys)) {
            continue;
        }
        if (const QString complaint = rule.complaint(m_settings); !complaint.isEmpty()) {
            addProblem(whereAnyIsSet(rule.keys), rule.keys.first(), complaint);
        }
    }
}

void SettingsDraft::inheritEcho()
{
    QList<ChannelRule> &rules = m_settings.hub.channels;
    for (qsizetype i = 0; i < rules.size(); ++i) {
        if (!m_where.contains(keyInRule(i, QStringLiteral("echo")))) {
            rules[i].options.echo = m_settings.hub.echo;
        }
    }
}

void SettingsDraft::checkRulesDiffer()
{
    const QList<ChannelRule> &rules = m_settings.hub.channels;
    QHash<ChannelPattern, qsizetype> firstWith;
    for (qsizetype i = 0; i < rules.size(); ++i) {
        const QString key = keyInRule(i, QStringLiteral("match"));
        if (!m_where.contains(key)) {
            continue; // its pattern is not known
        }
        const auto first = firstWith.constFind(rules[i].match);
        if (first == firstWith.constEnd()) {
            firstWith.insert(rules[i].match, i);
            continue;
        }
        addProblem(m_where.value(key), key,
                   QStringLiteral("%1 is also the pattern of %2 (%3), and the first rule applies: "
                                  "remove one of them")
                       .arg(quoted(rules[i].match.toString()), channelRuleKey(*first),
                            m_where.value(keyInRule(*first, QStringLiteral("match")))));
    }
}

void SettingsDraft::checkHistoriesFit()
{
    const QString totalKey = QStringLiteral("history.total_size");
    const qint64 total = m_settings.hub.history.totalSize;
    const QList<ChannelRule> &rules = m_settings.hub.channels;
    for (qsizetype i = 0; i < rules.size(); ++i) {
        const ChannelOptions::History &history = rules[i].options.history;
        if (history.messages == 0 || history.size <= total) {
            continue; // it keeps nothing, or it fits
        }
        const QStringList keys{keyInRule(i, QStringLiteral("history.size")), totalKey,
                               keyInRule(i, QStringLiteral("history.messages"))};
        if (!areGood(keys)) {
            continue;
        }
        addProblem(whereAnyIsSet(keys), keys.first(),
                   QStringLiteral("%1 is more than %2 (%3), which all channels share: make it "
                                  "smaller, or make %2 larger")
                       .arg(formatSize(history.size), totalKey, formatSize(total)));
    }
}

bool SettingsDraft::areGood(const QStringList &keys) const
{
    return std::none_of(keys.begin(), keys.end(),
                        [this](const QString &key) { return m_badKeys.contains(key); });
}

QString SettingsDraft::whereAnyIsSet(const QStringList &keys) const
{
    for (const QString &key : keys) {
        if (const auto found = m_where.constFind(key); found != m_where.constEnd()) {
            return *found;
        }
    }
    return {};
}

} // namespace relay
