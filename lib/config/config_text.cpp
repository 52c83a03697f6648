#include "config/config_text.h"

#include "config/schema.h"
#include "config/setting_value.h"

#include <QStringList>

#include <algorithm>
#include <iterator>
#include <vector>

namespace relay {

namespace {

constexpr qsizetype kLineWidth = 100;

const QString kFileHeader = QStringLiteral(
    "# The configuration of relayd: every key, with its value.\n"
    "#\n"
    "# relayd reads the file that it is given: relayd --config-file relay.yaml. A key that is "
    "omitted\n"
    "# has its default; unknown keys and values out of bounds are errors. relayd --check only "
    "checks,\n"
    "# relayd --print-config prints the settings that the file and the environment result in.\n"
    "#\n"
    "# Sizes are whole numbers with B, KiB, MiB or GiB (without a unit: bytes), durations with ms, "
    "s, m\n"
    "# or h (without a unit: seconds). Environment variables override the file: "
    "RELAY_SERVER_PORT=9000\n"
    "# sets server.port.\n");

const QString kReferenceHeader = QStringLiteral(
    "# Configuration\n"
    "\n"
    "`relayd --config-file relay.yaml` reads a YAML file; [relay.yaml](../relay.yaml) is one with "
    "every\n"
    "key at its default. Without the option, relayd reads no file and starts with the defaults.\n"
    "`--config-file-if-exists` reads the file if it exists, which is what the systemd unit does.\n"
    "\n"
    "- **Order.** Defaults, then the file, then the environment: the variable of `server.port` is\n"
    "  `RELAY_SERVER_PORT`. The elements of a list are separated by commas there. The rules of "
    "`channels`\n"
    "  have no variable: they can be set in the file only.\n"
    "- **Sizes** are whole numbers with `B`, `KiB`, `MiB` or `GiB`; a number without a unit is "
    "bytes.\n"
    "- **Durations** are whole numbers with `ms`, `s`, `m` or `h`; a number without a unit is "
    "seconds.\n"
    "- **Errors.** Every unknown key, wrong type and value out of bounds is listed with its line, "
    "and\n"
    "  relayd ends with status 2: `relay.yaml:12: server.port: 99999 is not a port (0 to 65535)`.\n"
    "- **Secrets.** An empty value in the file means none. An environment variable that is set but "
    "empty is\n"
    "  an error for secrets and for keys that end in `_file`: a secret that was not passed on must "
    "not\n"
    "  remove a protection. Unset the variable to have none.\n"
    "- `relayd --check` only checks; `relayd --print-config` prints the settings in effect, with\n"
    "  `(hidden)` in place of secrets.\n"
    "- **Changes** to the file take effect when the table says so.\n");

/// `text` as comment lines of at most kLineWidth columns, of which all but the first begin with
/// `hanging`.
QString comment(const QString &text, const QString &indent, const QString &hanging = QString())
{
    const QString start = indent + QLatin1Char('#');
    QString result;
    QString line = start;
    for (const QString &word : text.split(QLatin1Char(' '))) {
        if (line.size() + 1 + word.size() > kLineWidth) {
            result += line + QLatin1Char('\n');
            line = start + hanging;
        }
        line += QLatin1Char(' ') + word;
    }
    return result + line + QLatin1Char('\n');
}

QString sectionOf(const Setting &setting)
{
    return setting.key.section(QLatin1Char('.'), 0, -2);
}

QString indentOf(const QString &key)
{
    const qsizetype depth = key.count(QLatin1Char('.'));
    return QStringLiteral("  ").repeated(depth);
}

template <typename Holder>
std::vector<SettingOf<Holder>> settingsOf(const Schema<Holder> &schema, const QString &section)
{
    std::vector<SettingOf<Holder>> found;
    std::copy_if(schema.settings.begin(), schema.settings.end(), std::back_inserter(found),
                 [&](const Setting &setting) { return sectionOf(setting) == section; });
    return found;
}

/// The help line, with what the setting takes.
QString fullHelp(const Setting &setting)
{
    QStringList notes{allowedValues(setting)};
    if (setting.isRequired) {
        notes.append(QStringLiteral("must be set"));
    }
    if (!setting.defaultKey.isEmpty()) {
        notes.append(QStringLiteral("default: the value of %1").arg(setting.defaultKey));
    }
    notes.removeAll(QString());
    return notes.isEmpty() ? setting.help
                           : setting.help + QStringLiteral(" (") + notes.join(QStringLiteral("; "))
                                 + QLatin1Char(')');
}

/// "port: 8443"
template <typename Holder>
QString renderEntry(const SettingOf<Holder> &setting, const Holder &holder)
{
    return lastSegment(setting.key) + QStringLiteral(": ")
           + formatValue(setting, setting.read(holder));
}

QString renderKey(const Section &section)
{
    return indentOf(section.key) + lastSegment(section.key) + QStringLiteral(":\n");
}

QString renderSection(const Section &section, const Settings &settings)
{
    QString text = comment(section.comment, indentOf(section.key)) + renderKey(section);
    for (const auto &setting : settingsOf(settingsSchema(), section.key)) {
        const QString indent = indentOf(setting.key);
        text += comment(fullHelp(setting), indent) + indent + renderEntry(setting, settings)
                + QLatin1Char('\n');
    }
    return text;
}

/// One rule as lines of a list; its sections are a line each.
QString renderRule(const ChannelRule &rule, const QString &indent)
{
    const Schema<ChannelRule> &schema = channelRuleSchema();
    QStringList lines;
    for (const auto &setting : settingsOf(schema, QString())) {
        lines.append(renderEntry(setting, rule));
    }
    for (const Section &section : schema.sections) {
        QStringList entries;
        for (const auto &setting : settingsOf(schema, section.key)) {
            entries.append(renderEntry(setting, rule));
        }
        lines.append(
            QStringLiteral("%1: {%2}").arg(section.key, entries.join(QStringLiteral(", "))));
    }
    return indent + QStringLiteral("- ")
           + lines.join(QLatin1Char('\n') + indent + QStringLiteral("  ")) + QLatin1Char('\n');
}

/// The rule that changes nothing, as an example.
ChannelRule defaultRule(const Settings &settings)
{
    ChannelRule rule = channelRuleSchema().defaults;
    rule.options.echo = settings.hub.echo;
    return rule;
}

/// The keys are explained once, above the list.
QString renderRules(const Section &section, const Settings &settings)
{
    QString text = comment(section.comment, QString());
    for (const auto &setting : channelRuleSchema().settings) {
        text += comment(QStringLiteral("  %1: %2").arg(setting.key, fullHelp(setting)), QString(),
                        QStringLiteral("    "));
    }
    text += renderKey(section);
    for (const ChannelRule &rule : settings.hub.channels) {
        text += renderRule(rule, QStringLiteral("  "));
    }
    if (settings.hub.channels.isEmpty()) {
        text += comment(QStringLiteral("The defaults, as a rule:"), QStringLiteral("  "))
                + renderRule(defaultRule(settings), QStringLiteral("  # "));
    }
    return text;
}

/// A cell must not end its table's row early.
QString tableCell(QString text)
{
    return text.replace(QLatin1Char('|'), QLatin1StringView("\\|"));
}

QString renderReferenceRow(const Setting &setting, const SettingValue &defaultValue)
{
    const QString initially =
        setting.isRequired
            ? QStringLiteral("must be set")
            : QLatin1Char('`') + formatDefault(setting, defaultValue) + QLatin1Char('`');
    const QString effect = setting.takesEffect == TakesEffect::Live ? QStringLiteral("live")
                                                                    : QStringLiteral("at restart");
    const QStringList cells{
        QLatin1Char('`') + setting.key + QLatin1Char('`'),
        typeName(setting.type),
        initially,
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

template <typename Holder>
QString renderTable(const Schema<Holder> &schema, const std::vector<SettingOf<Holder>> &rows)
{
    QString text = QStringLiteral("| key | type | default | allowed | takes effect | meaning |\n"
                                  "|---|---|---|---|---|---|\n");
    for (const auto &setting : rows) {
        text += renderReferenceRow(setting, schema.defaultValue(setting));
    }
    return text;
}

QString renderReferenceOfRules()
{
    const Schema<ChannelRule> &schema = channelRuleSchema();
    return QStringLiteral("The list is empty by default. A rule with all its keys at their "
                          "defaults:\n\n```yaml\nchannels:\n%1```\n\n")
               .arg(renderRule(schema.defaults, QStringLiteral("  ")))
           + renderTable(schema, schema.settings);
}

} // namespace

QString renderConfig(const Settings &settings)
{
    QString text = kFileHeader;
    for (const Section &section : settingsSchema().sections) {
        text += QLatin1Char('\n');
        text += section.kind == Section::Kind::ChannelRules ? renderRules(section, settings)
                                                            : renderSection(section, settings);
    }
    return text;
}

QString renderShownConfig(Settings settings)
{
    for (const auto &setting : settingsSchema().settings) {
        if (setting.isSecret && setting.read(settings) != settingsSchema().defaultValue(setting)) {
            setting.write(settings, SettingValue{QStringLiteral("(hidden)")});
        }
    }
    return renderConfig(settings);
}

QString renderSampleConfig()
{
    return renderConfig(Settings{});
}

QString renderConfigReference()
{
    const Schema<Settings> &schema = settingsSchema();
    QString text = kReferenceHeader;
    for (const Section &section : schema.sections) {
        text += QStringLiteral("\n## %1\n\n%2\n\n").arg(section.key, section.comment);
        text += section.kind == Section::Kind::ChannelRules
                    ? renderReferenceOfRules()
                    : renderTable(schema, settingsOf(schema, section.key));
    }
    return text;
}

} // namespace relay
