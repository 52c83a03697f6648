#include "gui/pages/shown_settings.h"

#include "config/config_text.h"

#include <QHash>
#include <QStringList>

#include <algorithm>

namespace relay::gui {

namespace {

/// Takes a printed configuration apart, line by line: comments stand above their key, sections are indented, and the
/// only list (of rules) has an element for each "- ".
class PrintedConfig
{
public:
    explicit PrintedConfig(const QString &text)
    {
        for (const QString &line : text.split(QLatin1Char('\n'))) {
            take(line);
        }
    }
    [[nodiscard]] const QList<ShownSetting> &settings() const { return m_settings; }

private:
    void take(const QString &line)
    {
        const QString words = line.trimmed();
        if (words.isEmpty()) {
            m_help.clear();
        } else if (words.startsWith(QLatin1Char('#'))) {
            m_help.append(words.mid(1).trimmed());
        } else if (words.startsWith(QLatin1String("- "))) {
            m_settings.append({QStringLiteral("%1[%2]").arg(m_section.join(u'.')).arg(++m_element),
                               words.mid(2), std::nullopt, m_listHelp});
        } else if (m_element > 0 && line.startsWith(QLatin1String("    "))) {
            m_settings.last().value += QStringLiteral(", ") + words;
        } else {
            takeKey(line, words);
        }
    }

    void takeKey(const QString &line, const QString &words)
    {
        constexpr qsizetype kIndent = 2;
        const qsizetype depth = (line.size() - line.trimmed().size()) / kIndent;
        const qsizetype colon = words.indexOf(QLatin1Char(':'));
        const QString value = words.mid(colon + 1).trimmed();
        m_section = m_section.first(std::min(depth, m_section.size()));
        m_element = 0;
        if (value.isEmpty()) {
            m_section.append(words.left(colon));
            m_listHelp = m_help.join(u' ');
        } else {
            m_settings.append({(m_section + QStringList{words.left(colon)}).join(u'.'), value,
                               std::nullopt, m_help.join(u' ')});
        }
        m_help.clear();
    }

    QList<ShownSetting> m_settings;
    QStringList m_section; ///< of the line
    QStringList m_help;    ///< the comment lines above
    QString m_listHelp;
    int m_element = 0; ///< of a list; 0: before its first
};

} // namespace

QList<ShownSetting> shownSettings(const QString &config)
{
    QHash<QString, QString> defaults;
    const PrintedConfig sample(renderSampleConfig());
    for (const ShownSetting &setting : sample.settings()) {
        defaults.insert(setting.key, setting.value);
    }
    QList<ShownSetting> settings = PrintedConfig(config).settings();
    for (ShownSetting &setting : settings) {
        if (const auto found = defaults.constFind(setting.key); found != defaults.constEnd()) {
            setting.defaultValue = *found;
        }
    }
    return settings;
}

} // namespace relay::gui
