#include "config/config_file.h"

#include "config/schema.h"
#include "config/setting_value.h"
#include "config/suggestion.h"

#include <QFile>
#include <QFileInfo>
#include <QHash>
#include <QStringDecoder>

#include <yaml-cpp/yaml.h>

#include <utility>
#include <vector>

namespace relay {

namespace {

/// As QString::fromStdString(), which however drops a U+FEFF at the front.
QString textOf(const YAML::Node &scalar)
{
    return QStringDecoder(QStringDecoder::Utf8, QStringConverter::Flag::ConvertInitialBom)(
        QByteArrayView(scalar.Scalar()));
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
    if (node.IsNull()) {
        return QStringLiteral("nothing");
    }
    return node.IsSequence() ? QStringLiteral("a list") : QStringLiteral("a single value");
}

QString advice(const Setting &setting, const SettingValue &defaultValue)
{
    return setting.isRequired
               ? QStringLiteral("write one, such as %1").arg(formatValue(setting, defaultValue))
               : QStringLiteral("write one (the default is %1) or remove the line")
                     .arg(formatDefault(setting, defaultValue));
}

Result<SettingValue>
scalarOf(const Setting &setting, const YAML::Node &value, const SettingValue &defaultValue)
{
    if (value.IsNull()) {
        return Error{QStringLiteral("has no value: ") + advice(setting, defaultValue)};
    }
    if (!value.IsScalar()) {
        return Error{QStringLiteral("takes one value (%1), not %2")
                         .arg(typeName(setting.type), nodeKind(value))};
    }
    if (isQuoted(value) && refusesQuotes(setting.type)) {
        return Error{QStringLiteral("\"%1\" is text: write the %2 without quotes")
                         .arg(textOf(value), typeName(setting.type))};
    }
    return parseScalar(setting, textOf(value));
}

Result<SettingValue> listOf(const Setting &setting, const YAML::Node &value)
{
    if (!value.IsNull() && !value.IsSequence()) {
        return Error{QStringLiteral("takes a list, not %1: write it in brackets, [a, b]")
                         .arg(nodeKind(value))};
    }
    QStringList elements;
    for (const YAML::Node &element : value) {
        if (!element.IsScalar()) {
            return Error{QStringLiteral("element %1 is not text").arg(elements.size() + 1)};
        }
        elements.append(textOf(element));
    }
    return parseList(setting, elements);
}

/// The map that is read: what its keys may be, and where it stands in messages: "channels[3]", or
/// nowhere.
template <typename Holder>
struct Scope
{
    const Schema<Holder> &schema;
    QString path;

    /// `key` may be empty: the map itself.
    [[nodiscard]] QString inFull(const QString &key) const
    {
        QStringList parts{path, key};
        parts.removeAll(QString());
        return parts.join(QLatin1Char('.'));
    }
};

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
            readMap(Scope<Settings>{settingsSchema(), QString()}, QString(), root);
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

    /// Reads the keys of a section, or with an empty one those at the scope's top.
    template <typename Holder>
    void readMap(const Scope<Holder> &scope, const QString &section, const YAML::Node &map)
    {
        for (const auto &entry : map) {
            const YAML::Node &name = entry.first;
            if (!name.IsScalar()) {
                m_draft.addProblem(where(name), scope.inFull(section),
                                   QStringLiteral("a key must be a name"));
                continue;
            }
            const QString key =
                section.isEmpty() ? textOf(name) : section + QLatin1Char('.') + textOf(name);
            if (!section.isEmpty() || !textOf(name).contains(QLatin1Char('.'))) {
                readEntry(scope, key, name, entry.second);
            } else {
                refuseDottedName(scope, key, name);
            }
        }
    }

    template <typename Holder>
    void readEntry(const Scope<Holder> &scope,
                   const QString &key,
                   const YAML::Node &name,
                   const YAML::Node &value)
    {
        const QString fullKey = scope.inFull(key);
        const int line = name.Mark().line + 1;
        if (const auto first = m_lines.constFind(fullKey); first != m_lines.constEnd()) {
            m_draft.addProblem(where(name), scope.inFull(quoted(key)),
                               QStringLiteral("is already on line %1").arg(*first));
            return;
        }
        m_lines.insert(fullKey, line);
        if (const SettingOf<Holder> *setting = scope.schema.findSetting(key)) {
            readSetting(scope, *setting, name, value);
            return;
        }
        const Section *section = scope.schema.findSection(key);
        if (section == nullptr) {
            refuseUnknown(scope, key, name);
        } else if (section->kind == Section::Kind::ChannelRules) {
            readChannelRules(fullKey, name, value);
        } else if (value.IsMap()) {
            readMap(scope, key, value);
        } else if (!value.IsNull()) {
            m_draft.addProblem(where(name), fullKey,
                               QStringLiteral("is a section, not %1: write its keys below it, "
                                              "indented")
                                   .arg(nodeKind(value)));
        }
    }

    template <typename Holder>
    void readSetting(const Scope<Holder> &scope,
                     const SettingOf<Holder> &setting,
                     const YAML::Node &name,
                     const YAML::Node &value)
    {
        const Result<SettingValue> read =
            setting.type == ValueType::TextList
                ? listOf(setting, value)
                : scalarOf(setting, value, scope.schema.defaultValue(setting));
        if (read) {
            m_draft.set(setting, read.value(), where(name));
        } else {
            m_draft.addProblem(where(name), scope.inFull(setting.key), read.error().message);
        }
    }

    void readChannelRules(const QString &key, const YAML::Node &name, const YAML::Node &list)
    {
        if (list.IsNull()) {
            return;
        }
        if (!list.IsSequence()) {
            m_draft.addProblem(where(name), key,
                               QStringLiteral("takes a list of rules, not %1: begin each rule with "
                                              "\"- match:\"")
                                   .arg(nodeKind(list)));
            return;
        }
        if (list.size() > kMaxChannelRules) {
            m_draft.addProblem(where(name), key,
                               QStringLiteral("has %1 rules: at most %2 are allowed")
                                   .arg(list.size())
                                   .arg(kMaxChannelRules));
            return;
        }
        qsizetype index = 0;
        for (const YAML::Node &rule : list) {
            readChannelRule(SettingsDraft::channelRuleKey(index), rule);
            ++index;
        }
    }

    void readChannelRule(const QString &ruleKey, const YAML::Node &rule)
    {
        m_draft.addChannelRule();
        if (!rule.IsMap()) {
            m_draft.addProblem(
                where(rule), ruleKey,
                QStringLiteral("is %1, not a rule: begin it with \"match:\"").arg(nodeKind(rule)));
            return;
        }
        const Scope<ChannelRule> scope{channelRuleSchema(), ruleKey};
        readMap(scope, QString(), rule);
        for (const auto &setting : scope.schema.settings) {
            const QString key = scope.inFull(setting.key);
            if (setting.isRequired && !m_lines.contains(key)) {
                m_draft.addProblem(where(rule), key,
                                   QStringLiteral("is missing: ")
                                       + advice(setting, scope.schema.defaultValue(setting)));
            }
        }
    }

    template <typename Holder>
    void refuseUnknown(const Scope<Holder> &scope, const QString &key, const YAML::Node &name)
    {
        const QString closest = closestKey(key, scope.schema.keys());
        m_draft.addProblem(
            where(name), scope.inFull(quoted(key)),
            closest.isEmpty()
                ? QStringLiteral("unknown key")
                : QStringLiteral("unknown key: did you mean %1?").arg(scope.inFull(closest)));
    }

    template <typename Holder>
    void refuseDottedName(const Scope<Holder> &scope, const QString &key, const YAML::Node &name)
    {
        if (scope.schema.findSetting(key) == nullptr) {
            refuseUnknown(scope, key, name);
            return;
        }
        m_draft.addProblem(
            where(name), scope.inFull(key),
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
        draft.addProblem(path, QString(), QStringLiteral("is longer than 4 MiB: no configuration"));
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
