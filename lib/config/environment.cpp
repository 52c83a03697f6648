#include "config/environment.h"

#include "config/schema.h"
#include "config/setting_value.h"

#include <QSet>

namespace relay {

namespace {

Result<SettingValue> parseVariable(const Setting &setting, const QString &value)
{
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
    QSet<QString> known;
    for (const auto &setting : settingsSchema().settings) {
        known.insert(environmentName(setting));
    }
    for (const QString &name : environment.keys()) {
        if (name.startsWith(QLatin1StringView("RELAY_")) && !known.contains(name)) {
            draft.addWarning(
                QStringLiteral("environment %1: there is no such setting, ignored").arg(name));
        }
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
