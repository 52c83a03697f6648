#pragma once

#include "base/channel_name.h"

#include <QString>
#include <QStringList>

#include <functional>
#include <variant>

/// What can be said in the configuration, a key at a time.
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
    Pattern,  ///< ChannelPattern: "chat/**"
};

/// A setting's value between the text in a file and the field of a struct; which alternative it is
/// follows from ValueType.
using SettingValue = std::variant<bool, qint64, QString, QStringList, ChannelPattern>;

/// What a changed value takes.
enum class TakesEffect {
    OnRestart,
    Live, ///< on reload, without a client noticing
};

/// A key and what it takes, whichever struct its value is kept in.
struct Setting
{
    QString key; ///< dotted: section, perhaps subsection, name
    ValueType type = ValueType::Text;
    qint64 minimum = 0; ///< of Integer, Port, Size (bytes) and Duration (milliseconds); both bounds
                        ///< are allowed values
    qint64 maximum = 0;
    QStringList choices;
    TakesEffect takesEffect = TakesEffect::OnRestart;
    QString help; ///< one line
    /// Whether it must be set; its default is then an example.
    bool isRequired = false;
    /// Whether messages must not quote it.
    bool isSecret = false;
    /// The key whose value is the default; empty: the default is a value of its own.
    QString defaultKey;
    /// What is wrong with a value beyond its type and bounds, as the rest of a sentence that begins
    /// with the value; empty: nothing. May be unset.
    std::function<QString(const SettingValue &)> complaint;
};

/// "limits.queue_size" -> "queue_size".
inline QString lastSegment(const QString &key)
{
    return key.section(QLatin1Char('.'), -1);
}

/// A setting whose value is kept in a Holder.
template <typename Holder>
struct SettingOf : Setting
{
    std::function<SettingValue(const Holder &)> read;
    /// Precondition: the value is of this type and valid (config/setting_value).
    std::function<void(Holder &, const SettingValue &)> write;
};

} // namespace relay
