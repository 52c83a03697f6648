#include "config/settings_draft.h"

#include "config/quantities.h"

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

bool isAnyAddress(const QString &address)
{
    const QString canonical = QHostAddress(address).toString();
    return canonical == QLatin1StringView("0.0.0.0") || canonical == QLatin1StringView("::");
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
    return QStringLiteral("%1 is also server.port: clients and metrics need a port each")
        .arg(settings.metrics.port);
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
    };
    return kRules;
}

} // namespace

void SettingsDraft::set(const Setting &setting, const SettingValue &value, const QString &where)
{
    setting.write(m_settings, value);
    m_where.insert(setting.key, where);
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

void SettingsDraft::checkTogether()
{
    for (const JointRule &rule : jointRules()) {
        const bool allAreGood =
            std::none_of(rule.keys.begin(), rule.keys.end(),
                         [this](const QString &key) { return m_badKeys.contains(key); });
        if (!allAreGood) {
            continue;
        }
        if (const QString complaint = rule.complaint(m_settings); !complaint.isEmpty()) {
            addProblem(whereAnyIsSet(rule.keys), rule.keys.first(), complaint);
        }
    }
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
