#include "config/config_text.h"

#include "config/schema.h"
#include "config/setting_value.h"

#include <QStringList>

namespace relay {

namespace {

constexpr qsizetype kLineWidth = 100;

const QString kFileHeader =
    QStringLiteral("# The configuration of relayd: every key, with its value.\n"
                   "#\n"
                   "# It is read when it is named: relayd --config-file relay.yaml. A key that is "
                   "left out has its\n"
                   "# default; unknown keys and values out of bounds are refused. relayd --check "
                   "only checks a file,\n"
                   "# relayd --print-config shows what a file and the environment come to.\n"
                   "#\n"
                   "# Sizes are whole numbers with B, KiB, MiB or GiB (plain: bytes), durations "
                   "with ms, s, m or h\n"
                   "# (plain: seconds). The environment overrides the file: RELAY_SERVER_PORT=9000 "
                   "is server.port.\n");

const QString kReferenceHeader = QStringLiteral(
    "# Configuration\n"
    "\n"
    "`relayd --config-file relay.yaml` reads a YAML file; [relay.yaml](../relay.yaml) is one with "
    "every\n"
    "key at its default. Without the option, relayd reads no file and starts with the defaults.\n"
    "\n"
    "- **Order.** Defaults, then the file, then the environment: the variable of `server.port` is\n"
    "  `RELAY_SERVER_PORT`. A list's elements are parted by commas there.\n"
    "- **Sizes** are whole numbers with `B`, `KiB`, `MiB` or `GiB`; a plain number is bytes.\n"
    "- **Durations** are whole numbers with `ms`, `s`, `m` or `h`; a plain number is seconds.\n"
    "- **Mistakes.** Every unknown key, wrong type and value out of bounds is listed with its "
    "line, and\n"
    "  relayd ends with status 2: `relay.yaml:12: server.port: 99999 is not a port (0 to 65535)`.\n"
    "- `relayd --check` only checks; `relayd --print-config` prints the settings in effect.\n"
    "- **Changes** to the file take effect when each table says.\n");

/// `text` as comment lines of at most kLineWidth columns; a newline in it begins another line.
QString comment(const QString &text, const QString &indent)
{
    const QString start = indent + QLatin1Char('#');
    QString result;
    for (const QString &paragraph : text.split(QLatin1Char('\n'))) {
        QString line = start;
        for (const QString &word : paragraph.split(QLatin1Char(' '))) {
            if (line.size() + 1 + word.size() > kLineWidth) {
                result += line + QLatin1Char('\n');
                line = start;
            }
            line += QLatin1Char(' ') + word;
        }
        result += line + QLatin1Char('\n');
    }
    return result;
}

QString sectionOf(const Setting &setting)
{
    return setting.key.section(QLatin1Char('.'), 0, -2);
}

QString lastSegment(const QString &key)
{
    return key.section(QLatin1Char('.'), -1);
}

QString indentOf(const QString &key)
{
    const qsizetype depth = key.count(QLatin1Char('.'));
    return QStringLiteral("  ").repeated(depth);
}

/// The help line, with what the setting takes.
QString fullHelp(const Setting &setting)
{
    const QString allowed = allowedValues(setting);
    return allowed.isEmpty() ? setting.help
                             : setting.help + QStringLiteral(" (") + allowed + QLatin1Char(')');
}

QString renderSectionHead(const Section &section)
{
    const QString indent = indentOf(section.key);
    return QLatin1Char('\n') + comment(section.comment, indent) + indent + lastSegment(section.key)
           + QStringLiteral(":\n");
}

QString renderSetting(const Setting &setting, const Settings &settings)
{
    const QString indent = indentOf(setting.key);
    return comment(fullHelp(setting), indent) + indent + lastSegment(setting.key)
           + QStringLiteral(": ") + formatValue(setting, setting.read(settings))
           + QLatin1Char('\n');
}

/// A cell must not end its table's row early.
QString tableCell(QString text)
{
    return text.replace(QLatin1Char('|'), QLatin1StringView("\\|"));
}

QString renderReferenceRow(const Setting &setting)
{
    const QString effect = setting.takesEffect == TakesEffect::Live ? QStringLiteral("live")
                                                                    : QStringLiteral("at restart");
    const QStringList cells{
        QLatin1Char('`') + setting.key + QLatin1Char('`'),
        typeName(setting.type),
        QLatin1Char('`') + formatValue(setting, defaultValue(setting)) + QLatin1Char('`'),
        allowedValues(setting),
        effect,
        setting.help,
    };
    QString row(QLatin1Char('|'));
    for (const QString &cell : cells) {
        row += cell.isEmpty() ? QStringLiteral(" |")
                              : QLatin1Char(' ') + tableCell(cell) + QStringLiteral(" |");
    }
    return row + QLatin1Char('\n');
}

} // namespace

QString renderConfig(const Settings &settings)
{
    QString text = kFileHeader;
    for (const Section &section : configSections()) {
        text += renderSectionHead(section);
        for (const Setting &setting : settingsSchema()) {
            if (sectionOf(setting) == section.key) {
                text += renderSetting(setting, settings);
            }
        }
    }
    return text;
}

QString renderSampleConfig()
{
    return renderConfig(Settings{});
}

QString renderConfigReference()
{
    QString text = kReferenceHeader;
    for (const Section &section : configSections()) {
        text += QStringLiteral("\n## %1\n\n%2\n\n").arg(section.key, section.comment);
        text += QStringLiteral("| key | type | default | allowed | takes effect | what it is |\n"
                               "|---|---|---|---|---|---|\n");
        for (const Setting &setting : settingsSchema()) {
            if (sectionOf(setting) == section.key) {
                text += renderReferenceRow(setting);
            }
        }
    }
    return text;
}

} // namespace relay
