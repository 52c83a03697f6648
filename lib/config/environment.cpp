#include "config/environment.h"

#include "config/schema.h"
#include "config/setting_value.h"
#include "config/suggestion.h"

#include <QStringList>

namespace relay {

namespace {

/// Whether an empty value would quietly take away what protects the relay. In the file it means none; an empty variable
/// is more often a secret that nobody set, as `RELAY_OPS_TOKEN: ${TOKEN}` is in a compose file without TOKEN.
bool refusesEmptyVariable(const Setting &setting)
{
    return setting.isSecret || setting.key.endsWith(QLatin1StringView("_file"));
}

Result<SettingValue> parseVariable(const Setting &setting, const QString &value)
{
    if (refusesEmptyVariable(setting) && value.trimmed().isEmpty()) {
        return Error{QStringLiteral("the variable is set but empty: give it a value, or unset it")};
    }
    if (setting.type != ValueType::TextList) {
        return parseScalar(setting, value);
    }
    QStringList elements;
    for (const QString &element : value.split(QLatin1Char(','), Qt::SkipEmptyParts)) {
        elements.append(element.trimmed());
    }
    return parseList(setting, elements);
}

void warnOfUnknownVariables(const QProcessEnvironment &environment, SettingsDraft &draft)
{
    QStringList known;
    for (const auto &setting : settingsSchema().settings) {
        known.append(environmentName(setting));
    }
    for (const QString &name : environment.keys()) {
        if (!name.startsWith(QLatin1StringView("RELAY_")) || known.contains(name)) {
            continue;
        }
        const QString closest = closestKey(name, known);
        draft.addWarning(
            QStringLiteral("environment %1: there is no such setting, ignored").arg(name)
            + (closest.isEmpty() ? QString() : QStringLiteral(": did you mean %1?").arg(closest)));
    }
}

} // namespace

void readEnvironment(const QProcessEnvironment &environment, SettingsDraft &draft)
{
    for (const auto &setting : settingsSchema().settings) {
        const QString name = environmentName(setting);
        if (!environment.contains(name)) {
            continue;
        }
        const QString where = QStringLiteral("environment ") + name;
        const Result<SettingValue> value = parseVariable(setting, environment.value(name));
        if (value) {
            draft.set(setting, value.value(), where);
        } else {
            draft.addProblem(where, setting.key, value.error().message);
        }
    }
    warnOfUnknownVariables(environment, draft);
}

} // namespace relay
