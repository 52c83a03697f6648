#include "config/config_file.h"

#include "config/setting_value.h"
#include "config/suggestion.h"

#include <QFile>
#include <QFileInfo>
#include <QHash>

#include <yaml-cpp/yaml.h>

#include <utility>
#include <vector>

namespace relay {

namespace {

QString textOf(const YAML::Node &scalar)
{
    return QString::fromStdString(scalar.Scalar());
}

/// Whether the scalar was written in quotes: yaml-cpp gives those the tag "!".
bool isQuoted(const YAML::Node &scalar)
{
    return scalar.Tag() == "!";
}

/// Types whose YAML form is no string: "8443" in quotes is a mistake worth telling.
bool refusesQuotes(ValueType type)
{
    return type == ValueType::Boolean || type == ValueType::Integer || type == ValueType::Port;
}

QString nodeKind(const YAML::Node &node)
{
    if (node.IsMap()) {
        return QStringLiteral("a map");
    }
    return node.IsSequence() ? QStringLiteral("a list") : QStringLiteral("a single value");
}

/// Walks one document along the schema. Depth follows the schema, so that no file can make it
/// recurse further.
class ConfigDocument
{
public:
    ConfigDocument(QString name, SettingsDraft &draft)
        : m_name(std::move(name))
        , m_draft(draft)
    {}

    void read(const YAML::Node &root)
    {
        if (root.IsMap()) {
            readSection(QString(), root);
        } else if (!root.IsNull()) {
            m_draft.addProblem(
                where(root), QString(),
                nodeKind(root)
                    + QStringLiteral(" where sections belong: begin with a line such as "
                                     "\"server:\""));
        }
    }

private:
    [[nodiscard]] QString where(const YAML::Node &node) const
    {
        return QStringLiteral("%1:%2").arg(m_name).arg(node.Mark().line + 1);
    }

    void readSection(const QString &prefix, const YAML::Node &section)
    {
        for (const auto &entry : section) {
            const YAML::Node &name = entry.first;
            if (!name.IsScalar()) {
                m_draft.addProblem(where(name), prefix, QStringLiteral("a key must be a name"));
                continue;
            }
            const QString key =
                prefix.isEmpty() ? textOf(name) : prefix + QLatin1Char('.') + textOf(name);
            if (!prefix.isEmpty() || !textOf(name).contains(QLatin1Char('.'))) {
                readEntry(key, name, entry.second);
            } else {
                refuseDottedName(key, name);
            }
        }
    }

    void readEntry(const QString &key, const YAML::Node &name, const YAML::Node &value)
    {
        const int line = name.Mark().line + 1;
        if (const auto first = m_lines.constFind(key); first != m_lines.constEnd()) {
            m_draft.addProblem(where(name), key,
                               QStringLiteral("is already on line %1").arg(*first));
            return;
        }
        m_lines.insert(key, line);
        if (const Setting *setting = findSetting(key)) {
            readSetting(*setting, name, value);
        } else if (findSection(key) == nullptr) {
            refuseUnknown(key, name);
        } else if (value.IsMap()) {
            readSection(key, value);
        } else if (!value.IsNull()) {
            m_draft.addProblem(where(name), key,
                               QStringLiteral("is a section, not %1: write its keys below it, "
                                              "indented")
                                   .arg(nodeKind(value)));
        }
    }

    void readSetting(const Setting &setting, const YAML::Node &name, const YAML::Node &value)
    {
        if (setting.type == ValueType::TextList) {
            readListSetting(setting, name, value);
        } else if (value.IsNull()) {
            m_draft.addProblem(
                where(name), setting.key,
                QStringLiteral("has no value: write one (the default is %1) or remove "
                               "the line")
                    .arg(formatValue(setting, defaultValue(setting))));
        } else if (!value.IsScalar()) {
            m_draft.addProblem(where(name), setting.key,
                               QStringLiteral("takes one value (%1), not %2")
                                   .arg(typeName(setting.type), nodeKind(value)));
        } else if (isQuoted(value) && refusesQuotes(setting.type)) {
            m_draft.addProblem(where(name), setting.key,
                               QStringLiteral("\"%1\" is text: write the %2 without quotes")
                                   .arg(textOf(value), typeName(setting.type)));
        } else {
            store(setting, name, parseScalar(setting, textOf(value)));
        }
    }

    void readListSetting(const Setting &setting, const YAML::Node &name, const YAML::Node &value)
    {
        if (!value.IsNull() && !value.IsSequence()) {
            m_draft.addProblem(where(name), setting.key,
                               QStringLiteral("takes a list, not %1: write it in brackets, [a, b]")
                                   .arg(nodeKind(value)));
            return;
        }
        QStringList elements;
        for (const YAML::Node &element : value) {
            if (!element.IsScalar()) {
                m_draft.addProblem(
                    where(name), setting.key,
                    QStringLiteral("element %1 is not text").arg(elements.size() + 1));
                return;
            }
            elements.append(textOf(element));
        }
        store(setting, name, parseList(setting, elements));
    }

    void store(const Setting &setting, const YAML::Node &name, const Result<SettingValue> &value)
    {
        if (value) {
            m_draft.set(setting, value.value(), where(name));
        } else {
            m_draft.addProblem(where(name), setting.key, value.error().message);
        }
    }

    void refuseUnknown(const QString &key, const YAML::Node &name)
    {
        const QString closest = closestKey(key);
        m_draft.addProblem(where(name), quoted(key),
                           closest.isEmpty()
                               ? QStringLiteral("unknown key")
                               : QStringLiteral("unknown key: did you mean %1?").arg(closest));
    }

    void refuseDottedName(const QString &key, const YAML::Node &name)
    {
        if (findSetting(key) == nullptr) {
            refuseUnknown(key, name);
            return;
        }
        m_draft.addProblem(
            where(name), key,
            QStringLiteral("write \"%1:\" indented below \"%2:\"")
                .arg(key.section(QLatin1Char('.'), -1), key.section(QLatin1Char('.'), 0, -2)));
    }

    QString m_name;
    SettingsDraft &m_draft;
    QHash<QString, int> m_lines; ///< where each key stands first
};

QString unreadableBecause(const QString &path, const QFile &file)
{
    const QFileInfo info(path);
    if (!info.exists()) {
        return QStringLiteral("there is no such file");
    }
    if (info.isDir()) {
        return QStringLiteral("is a directory: name the file in it");
    }
    return QStringLiteral("cannot be read: %1").arg(file.errorString());
}

} // namespace

void readConfigFile(const QString &path, SettingsDraft &draft)
{
    QFile file(path);
    if (QFileInfo(path).isDir() || !file.open(QIODevice::ReadOnly)) {
        draft.addProblem(path, QString(), unreadableBecause(path, file));
        return;
    }
    // One byte more tells a file at the limit from one above it; read() also ends for a device that
    // never does.
    const QByteArray text = file.read(kMaxConfigFileSize + 1);
    if (text.size() > kMaxConfigFileSize) {
        draft.addProblem(path, QString(), QStringLiteral("is longer than 1 MiB: no configuration"));
        return;
    }
    readConfigText(text, path, draft);
}

void readConfigText(const QByteArray &text, const QString &name, SettingsDraft &draft)
{
    if (!text.isValidUtf8()) {
        draft.addProblem(name, QString(), QStringLiteral("is not UTF-8 text"));
        return;
    }
    try {
        const std::vector<YAML::Node> documents = YAML::LoadAll(text.toStdString());
        if (documents.size() > 1) {
            draft.addProblem(name, QString(),
                             QStringLiteral("has %1 documents: remove the \"---\" between them")
                                 .arg(documents.size()));
        } else if (!documents.empty()) {
            ConfigDocument(name, draft).read(documents.front());
        }
    } catch (const YAML::Exception &error) {
        draft.addProblem(QStringLiteral("%1:%2").arg(name).arg(error.mark.line + 1), QString(),
                         QStringLiteral("not YAML: %1 (column %2)")
                             .arg(QString::fromStdString(error.msg))
                             .arg(error.mark.column + 1));
    }
}

} // namespace relay
