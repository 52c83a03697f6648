#pragma once

#include "config/settings.h"

#include <QString>
#include <QStringList>

#include <functional>
#include <variant>
#include <vector>

/// The table of all that can be configured. The file's reader, the environment, relay.yaml,
/// --print-config and the reference in docs/ are all made from it.
namespace relay {

enum class ValueType {
    Boolean,  ///< bool: true or false
    Integer,  ///< qint64
    Port,     ///< qint64: a TCP port
    Size,     ///< qint64, bytes: "64 KiB"
    Duration, ///< qint64, milliseconds: "10s"
    Text,     ///< QString
    TextList, ///< QStringList
    Choice,   ///< QString: one of the setting's choices
};

/// A setting's value between the text in a file and the field in Settings; which alternative it is
/// follows from ValueType.
using SettingValue = std::variant<bool, qint64, QString, QStringList>;

/// What a changed value takes.
enum class TakesEffect {
    OnRestart,
    Live, ///< on reload, without a client noticing
};

struct Setting
{
    QString key; ///< dotted: section, perhaps subsection, name
    ValueType type;
    qint64 minimum = 0; ///< of Integer, Port, Size (bytes) and Duration (milliseconds); both bounds
                        ///< are allowed values
    qint64 maximum = 0;
    QStringList choices;
    TakesEffect takesEffect = TakesEffect::OnRestart;
    QString help; ///< one line
    /// The default is what this reads from a fresh Settings.
    std::function<SettingValue(const Settings &)> read;
    /// Precondition: the value is of this type and valid (config/setting_value).
    std::function<void(Settings &, const SettingValue &)> write;
    /// What is wrong with a value beyond its type and bounds, as the rest of a sentence that begins
    /// with the value; empty: nothing. May be unset.
    std::function<QString(const SettingValue &)> complaint;
};

/// A level of the file: settings whose keys begin with its own belong to it.
struct Section
{
    QString key;
    QString comment; ///< stands above it in relay.yaml
};

/// All settings, in the order of relay.yaml: a section's settings stand together.
const std::vector<Setting> &settingsSchema();

/// All sections, each before its subsections.
const std::vector<Section> &configSections();

/// Null for a key that does not exist.
const Setting *findSetting(const QString &key);
const Section *findSection(const QString &key);

/// The setting's default, as Settings has it.
SettingValue defaultValue(const Setting &setting);

/// The variable that overrides the setting: server.port is RELAY_SERVER_PORT.
QString environmentName(const Setting &setting);

} // namespace relay
