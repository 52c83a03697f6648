#pragma once

#include <QSettings>
#include <QTemporaryDir>

namespace relay::gui {

/// QSettings of its own for as long as it lives: what a user of this machine has set neither changes
/// a test nor is changed by it.
class ScratchSettings
{
public:
    ScratchSettings()
    {
        QSettings::setDefaultFormat(QSettings::IniFormat);
        QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, m_folder.path());
    }

    [[nodiscard]] QString filePath(const QString &name) const { return m_folder.filePath(name); }

private:
    QTemporaryDir m_folder;
};

} // namespace relay::gui
