#pragma once

#include "config/setting.h"
#include "config/settings.h"

#include <QString>
#include <QStringList>

#include <algorithm>
#include <vector>

/// The tables of all that can be configured. The file's reader, the environment, relay.yaml,
/// --print-config and the reference in docs/ are all made from them.
namespace relay {

/// A level of the file: settings whose keys begin with its own belong to it.
struct Section
{
    enum class Kind {
        Map,          ///< of the settings and subsections that belong to it
        ChannelRules, ///< a list of maps, each of the keys of channelRuleSchema()
    };

    QString key;
    QString comment; ///< stands above it in relay.yaml
    Kind kind = Kind::Map;
};

/// The keys of one map of the file, whose values a Holder keeps.
///
/// Thread: immutable once made; any.
template <typename Holder>
struct Schema
{
    Holder defaults;
    std::vector<SettingOf<Holder>> settings; ///< in the order of relay.yaml: a section's stand
                                             ///< together
    std::vector<Section> sections;           ///< each before its subsections

    /// Null for a key that does not exist.
    [[nodiscard]] const SettingOf<Holder> *findSetting(const QString &key) const
    {
        return find(settings, key);
    }
    [[nodiscard]] const Section *findSection(const QString &key) const
    {
        return find(sections, key);
    }

    [[nodiscard]] SettingValue defaultValue(const SettingOf<Holder> &setting) const
    {
        return setting.read(defaults);
    }

    /// Of settings, then of sections.
    [[nodiscard]] QStringList keys() const
    {
        QStringList all;
        for (const auto &setting : settings) {
            all.append(setting.key);
        }
        for (const Section &section : sections) {
            all.append(section.key);
        }
        return all;
    }

private:
    template <typename Row>
    static const Row *find(const std::vector<Row> &rows, const QString &key)
    {
        const auto found =
            std::find_if(rows.begin(), rows.end(), [&](const Row &row) { return row.key == key; });
        return found == rows.end() ? nullptr : &*found;
    }
};

/// All settings but the rules of channels.
const Schema<Settings> &settingsSchema();

/// One rule of the list `channels`.
const Schema<ChannelRule> &channelRuleSchema();

/// The variable that overrides one of settingsSchema(): server.port is RELAY_SERVER_PORT.
QString environmentName(const Setting &setting);

} // namespace relay
