#pragma once

#include <QList>
#include <QString>

#include <optional>

namespace relay::gui {

/// A line of a relay's configuration.
struct ShownSetting
{
    QString key;   ///< "server.port"; "channels[1]": the first rule
    QString value; ///< as text
    std::optional<QString>
        defaultValue; ///< this program's; nullopt for a key that it does not know
    QString help;

    [[nodiscard]] bool isChanged() const { return value != defaultValue; }

    friend bool operator==(const ShownSetting &, const ShownSetting &) = default;
};

/// The settings in a configuration as relayd prints it, in its order. It compares texts, so that a relay of another
/// version can be shown, too.
QList<ShownSetting> shownSettings(const QString &config);

} // namespace relay::gui
