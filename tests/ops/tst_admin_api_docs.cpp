#include "ops/model/channel_row.h"
#include "ops/model/client_row.h"
#include "ops/model/page.h"

#include "admin_relay.h"
#include "support/test_main.h"

#include <QFile>
#include <QTest>

#include <functional>
#include <map>

using namespace relay;
using namespace relay::test;

namespace {

struct Example
{
    QByteArray name; ///< what stands behind ```json, or the event's type
    QByteArray text;
};

struct Reference
{
    std::vector<Example> objects;
    std::vector<Example> events;
};

/// The examples of docs/admin-api.md.
Reference readReference()
{
    QFile file(QStringLiteral(RELAY_SOURCE_DIRECTORY "/docs/admin-api.md"));
    if (!file.open(QIODevice::ReadOnly)) {
        qFatal("no docs/admin-api.md");
    }
    const QByteArray fence = "```json ";
    Reference reference;
    bool isObject = false;
    QByteArray event;
    for (const QByteArray &line : file.readAll().split('\n')) {
        if (line.startsWith(fence)) {
            reference.objects.push_back({line.mid(fence.size()), {}});
            isObject = true;
        } else if (line.startsWith("```")) {
            isObject = false;
        } else if (isObject) {
            reference.objects.back().text += line + '\n';
        } else if (line.startsWith("event: ")) {
            event = line.mid(7);
        } else if (line.startsWith("data: ")) {
            reference.events.push_back({event, line.mid(6)});
        }
    }
    return reference;
}

QJsonObject parse(const Example &example)
{
    QJsonParseError error{};
    const QJsonDocument document = QJsonDocument::fromJson(example.text, &error);
    if (!document.isObject()) {
        qWarning("%s: %s", example.name.constData(), qPrintable(error.errorString()));
    }
    return document.object();
}

/// What is wrong with an example of a T; empty: nothing. Written again it must be the same: no name
/// is unknown, none is missing.
template <typename T>
QString complaint(const QJsonObject &json)
{
    const auto value = fromJson<T>(json);
    if (!value) {
        return value.error().message;
    }
    const QJsonObject again = toJson(value.value());
    return again == json ? QString()
                         : QString::fromUtf8(QJsonDocument(again).toJson(QJsonDocument::Compact));
}

/// Every field of T is shown by `json`, in an object or in the objects of its lists.
template <typename T>
QString fieldNotShown(const QJsonObject &json)
{
    QString missing;
    const auto look = [&]<typename Member>(const JsonField<T, Member> &one) {
        const QString name = QString::fromLatin1(one.name);
        if (!json.contains(name)) {
            missing = name;
        }
    };
    std::apply([&](const auto &...fields) { (look(fields), ...); }, T::jsonFields());
    return missing;
}

} // namespace

/// docs/admin-api.md says what the relay does.
class TestAdminApiDocs : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void examplesAreWhatTheStructsRead();
    void examplesShowEveryField();
    void eventsAreWhatTheStructsRead();
    void answersHaveTheKeysOfTheExamples();
    void everyRouteIsDescribed();
};

/// A client that is written after the examples works with the relay.
void TestAdminApiDocs::examplesAreWhatTheStructsRead()
{
    const std::map<QByteArray, std::function<QString(const QJsonObject &)>> structs{
        {"Overview", complaint<Overview>},
        {"Clients", complaint<Page<ClientRow>>},
        {"Channels", complaint<Page<ChannelRow>>}};
    std::size_t found = 0;
    for (const Example &example : readReference().objects) {
        const QJsonObject json = parse(example);
        QVERIFY2(!json.isEmpty(), example.name.constData());
        if (const auto known = structs.find(example.name); known != structs.end()) {
            ++found;
            QCOMPARE(known->second(json), QString());
        }
    }
    QCOMPARE(found, structs.size());
}

/// What a struct gains, the reference tells.
void TestAdminApiDocs::examplesShowEveryField()
{
    for (const Example &example : readReference().objects) {
        const QJsonObject json = parse(example);
        const QJsonObject row = json.value(QStringLiteral("rows")).toArray().first().toObject();
        if (example.name == "Overview") {
            QCOMPARE(fieldNotShown<Overview>(json), QString());
            QCOMPARE(fieldNotShown<WorkerShare>(
                         json.value(QStringLiteral("workers")).toArray().first().toObject()),
                     QString());
        } else if (example.name == "Clients") {
            QCOMPARE(fieldNotShown<ClientRow>(row), QString());
            QCOMPARE(fieldNotShown<SocketRow>(row.value(QStringLiteral("socket")).toObject()),
                     QString());
        } else if (example.name == "Channels") {
            QCOMPARE(fieldNotShown<ChannelRow>(row), QString());
        }
    }
}

void TestAdminApiDocs::eventsAreWhatTheStructsRead()
{
    QByteArrayList types;
    for (const Example &event : readReference().events) {
        const QJsonObject json = parse(event);
        types.append(event.name);
        if (event.name == "overview") {
            QCOMPARE(complaint<Overview>(json), QString());
        } else {
            QCOMPARE(complaint<RelayEvent>(json), QString());
            QCOMPARE(json.value(QStringLiteral("type")).toString().toLatin1(), event.name);
        }
    }
    QCOMPARE(types, QByteArrayList({"overview", "connect", "disconnect", "slow", "slow", "limit",
                                    "limit", "skipped"}));
}

/// Answers that are no structs are held to the examples by asking a relay.
void TestAdminApiDocs::answersHaveTheKeysOfTheExamples()
{
    AdminRelay admin;
    const WebClients clients = admin.relay.connectClients(1);
    QCOMPARE(clients.size(), std::size_t{1});
    const auto page = admin.get<Page<ClientRow>>("/-/api/clients");
    QVERIFY(page && page->rows.size() == 1);
    std::map<QByteArray, QJsonObject> answers;
    answers["Error"] = admin.json("GET /-/api/clients?limit=x", 400);
    answers["Published"] =
        admin.json("POST /-/api/channels/chat/42/publish", 200, withBody("text/plain", "x"));
    answers["Cleared"] = admin.json("DELETE /-/api/channels/chat/42/history");
    answers["Disconnected"] =
        admin.json("POST /-/api/clients/" + QByteArray::number(page->rows[0].id) + "/disconnect");
    answers["Draining"] = admin.json("POST /-/api/drain?within=0");
    for (const Example &example : readReference().objects) {
        if (const auto answer = answers.find(example.name); answer != answers.end()) {
            QCOMPARE(answer->second.keys(), parse(example).keys());
            answers.erase(answer);
        }
    }
    QVERIFY2(answers.empty(), answers.empty() ? "" : answers.begin()->first.constData());
}

/// The port's own list and the reference name the same.
void TestAdminApiDocs::everyRouteIsDescribed()
{
    AdminRelay admin;
    QFile file(QStringLiteral(RELAY_SOURCE_DIRECTORY "/docs/admin-api.md"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray reference = file.readAll();
    const auto index = request(admin.server.port(), "GET /");
    QVERIFY(index);
    int routes = 0;
    for (const QByteArray &line : index->body.split('\n')) {
        const QByteArrayList words = line.simplified().split(' ');
        if (words.value(1).startsWith("/-/api/")) {
            ++routes;
            const QByteArray path = words[1].chopped(words[1].endsWith('*') ? 1 : 0);
            QVERIFY2(reference.contains(QByteArray("| [`" + words[0] + ' ' + path)),
                     line.constData());
        }
    }
    QCOMPARE(routes, 8);
}

RELAY_TEST(TestAdminApiDocs)
#include "tst_admin_api_docs.moc"
