#pragma once

#include "config/schema.h"
#include "config/settings.h"

#include <QHash>
#include <QSet>
#include <QString>
#include <QStringList>

namespace relay {

/// Settings in the making: what the file and the environment have said, from where, and what was
/// wrong with it.
///
/// Thread: confined to its user's.
/// Owner: loadSettings(), by value.
/// Errors: collected as finished lines, `where: key: what`, so that all are told at once.
class SettingsDraft
{
public:
    /// Takes a valid value; a later one replaces it. `where` is "relay.yaml:12" or "environment
    /// RELAY_SERVER_PORT".
    void set(const SettingOf<Settings> &setting, const SettingValue &value, const QString &where);

    /// Appends a rule of the defaults to the list of channels.
    void addChannelRule();
    /// As above, of the rule that was added last.
    void
    set(const SettingOf<ChannelRule> &setting, const SettingValue &value, const QString &where);
    /// "channels[3]": the fourth rule in messages.
    static QString channelRuleKey(qsizetype index);

    /// `key` may be empty where the problem is the file's.
    void addProblem(const QString &where, const QString &key, const QString &what);
    void addWarning(const QString &warning) { m_warnings.append(warning); }

    /// To be called when all has been said: gives rules the defaults that are other settings'
    /// values, and checks what single values cannot show, for settings that had no problem of their
    /// own: sizes that must fit each other, files that TLS needs, rules that could never hold.
    void finish();

    /// Precondition: finish() was called.
    [[nodiscard]] const Settings &settings() const { return m_settings; }
    [[nodiscard]] const QStringList &problems() const { return m_problems; }
    [[nodiscard]] const QStringList &warnings() const { return m_warnings; }

private:
    [[nodiscard]] bool areGood(const QStringList &keys) const;
    [[nodiscard]] QString whereAnyIsSet(const QStringList &keys) const;
    void checkTogether();
    void inheritEcho();
    void checkRulesDiffer();
    void checkHistoriesFit();

    Settings m_settings;
    QHash<QString, QString> m_where; ///< by key; a key that is not in it is at its default
    QSet<QString> m_badKeys;
    QStringList m_problems;
    QStringList m_warnings;
};

} // namespace relay
