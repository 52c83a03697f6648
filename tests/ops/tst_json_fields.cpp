#include "ops/model/channel_row.h"
#include "ops/model/client_row.h"
#include "ops/model/overview.h"
#include "ops/model/page.h"
#include "ops/model/relay_event.h"

#include "support/test_main.h"

#include <QJsonDocument>
#include <QTest>

using namespace relay;

namespace {

constexpr qint64 kMostExact = (qint64{1} << 53) - 1;

struct Inner
{
    int number = 0;

    static constexpr auto jsonFields() { return std::tuple{field("number", &Inner::number)}; }
    friend bool operator==(const Inner &, const Inner &) = default;
};

/// A field of each kind.
struct Sample
{
    bool flag = false;
    qint64 large = 0;
    double real = 0;
    QString text;
    QList<Inner> list;
    std::optional<Inner> object;
    std::optional<int> maybe;

    static constexpr auto jsonFields()
    {
        using S = Sample;
        return std::tuple{field("flag", &S::flag),  field("large", &S::large),
                          field("real", &S::real),  field("text", &S::text),
                          field("list", &S::list),  field("object", &S::object),
                          field("maybe", &S::maybe)};
    }
    friend bool operator==(const Sample &, const Sample &) = default;
};

/// Sets a member to something that is not its default, and differs from member to member.
template <typename T>
void fill(T &value, int &seed)
{
    ++seed;
    if constexpr (JsonStruct<T>) {
        std::apply([&](const auto &...fields) { (fill(value.*fields.member, seed), ...); },
                   T::jsonFields());
    } else if constexpr (detail::IsList<T>::value) {
        for (int i = 0; i < 2; ++i) {
            fill(value.emplaceBack(), seed);
        }
    } else if constexpr (detail::IsOptional<T>::value) {
        fill(value.emplace(), seed);
    } else if constexpr (std::is_same_v<T, QString>) {
        value = QStringLiteral("\u00e4\"\n\u2028 %1").arg(seed);
    } else if constexpr (std::is_same_v<T, bool>) {
        value = true;
    } else if constexpr (std::is_same_v<T, double>) {
        value = seed + 1.0 / 3;
    } else {
        value = static_cast<T>(seed);
    }
}

/// Through the text that goes over the wire, not only through QJsonObject.
QJsonObject throughText(const QJsonObject &object)
{
    return QJsonDocument::fromJson(QJsonDocument(object).toJson()).object();
}

template <typename T>
void comesBack(const T &value)
{
    const auto again = fromJson<T>(throughText(toJson(value)));
    QVERIFY2(again, again ? "" : qPrintable(again.error().message));
    QVERIFY(again.value() == value);
}

template <typename T>
void roundTrips()
{
    T full{};
    int seed = 0;
    fill(full, seed);
    QVERIFY(!(full == T{}));
    QCOMPARE(toJson(full).size(),
             static_cast<qsizetype>(std::tuple_size_v<decltype(T::jsonFields())>));
    comesBack(full);
    comesBack(T{});
}

QJsonObject parse(const QByteArray &json)
{
    const QJsonDocument document = QJsonDocument::fromJson(json);
    Q_ASSERT(document.isObject());
    return document.object();
}

const QByteArray kSample =
    R"({"flag":true,"large":1,"real":0.5,"text":"t","list":[{"number":1}],"object":{"number":2}})";

} // namespace

/// What the relay writes, a dashboard of another version reads, or says what is wrong.
class TestJsonFields : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyModelComesBackAsItWas();
    void absentOptionalMembersAreLeftOut();
    void nullIsNothing();
    void unknownNamesArePassedOver();
    void wrongTypesAreNamedByTheirPath_data();
    void wrongTypesAreNamedByTheirPath();
    void wholeNumbersAreExactOrRefused_data();
    void wholeNumbersAreExactOrRefused();
};

/// No field is forgotten in one direction, or goes under another's name.
void TestJsonFields::everyModelComesBackAsItWas()
{
    roundTrips<Sample>();
    roundTrips<SocketRow>();
    roundTrips<ClientRow>();
    roundTrips<ChannelRow>();
    roundTrips<WorkerShare>();
    roundTrips<Overview>();
    roundTrips<RelayEvent>();
    roundTrips<Page<ClientRow>>();
    roundTrips<Page<ChannelRow>>();
}

/// Nothing is not zero: what was not measured has no field.
void TestJsonFields::absentOptionalMembersAreLeftOut()
{
    QCOMPARE(toJson(Sample{}).keys(),
             QStringList({QStringLiteral("flag"), QStringLiteral("large"), QStringLiteral("list"),
                          QStringLiteral("real"), QStringLiteral("text")}));
    const auto read = fromJson<Sample>(parse(kSample));
    QVERIFY(read);
    QVERIFY(!read.value().maybe);
    QCOMPARE(read.value().object->number, 2);
}

void TestJsonFields::nullIsNothing()
{
    QJsonObject json = parse(kSample);
    json[QStringLiteral("object")] = QJsonValue::Null;
    const auto read = fromJson<Sample>(json);
    QVERIFY(read);
    QVERIFY(!read.value().object);
}

/// A newer relay says more, and an older dashboard goes on.
void TestJsonFields::unknownNamesArePassedOver()
{
    QJsonObject json = parse(kSample);
    json[QStringLiteral("what_is_to_come")] = parse(kSample);
    const auto read = fromJson<Sample>(json);
    QVERIFY(read);
    QVERIFY(read.value() == fromJson<Sample>(parse(kSample)).value());
}

void TestJsonFields::wrongTypesAreNamedByTheirPath_data()
{
    QTest::addColumn<QByteArray>("from");
    QTest::addColumn<QByteArray>("to");
    QTest::addColumn<QString>("message");
    const auto row = [](const char *name, const char *from, const char *to, const char *message) {
        QTest::newRow(name) << QByteArray(from) << QByteArray(to) << QString::fromLatin1(message);
    };
    row("flag", "true", "1", "flag is not true or false");
    row("large", R"("large":1)", R"("large":"1")", "large is not a whole number");
    row("broken", R"("large":1)", R"("large":1.5)", "large is not a whole number");
    row("real", "0.5", "\"0.5\"", "real is not a number");
    row("text", "\"t\"", "7", "text is not a string");
    row("list", R"([{"number":1}])", "{}", "list is not an array");
    row("element", R"([{"number":1}])", R"([{"number":1},3])", "list[1] is not an object");
    row("in an element", R"([{"number":1}])", R"([{"number":1},{"number":true}])",
        "list[1].number is not a whole number");
    row("object", R"({"number":2})", "[]", "object is not an object");
    row("in the object", R"({"number":2})", "{}", "object.number is not a whole number");
    row("missing", R"("text":"t",)", "", "text is not a string");
    row("null", "true", "null", "flag is not true or false");
}

/// Who meets a relay that says something else is told where.
void TestJsonFields::wrongTypesAreNamedByTheirPath()
{
    QFETCH(const QByteArray, from);
    QFETCH(const QByteArray, to);
    QFETCH(const QString, message);
    QByteArray json = kSample;
    json.replace(from, to);
    QVERIFY(json != kSample);
    const auto read = fromJson<Sample>(parse(json));
    QVERIFY(!read);
    QCOMPARE(read.error().message, message);
}

void TestJsonFields::wholeNumbersAreExactOrRefused_data()
{
    QTest::addColumn<QByteArray>("number");
    QTest::addColumn<bool>("isTaken");
    QTest::addColumn<qint64>("value");
    QTest::newRow("most exact") << QByteArray("9007199254740991") << true << kMostExact;
    QTest::newRow("least exact") << QByteArray("-9007199254740991") << true << -kMostExact;
    QTest::newRow("2^53") << QByteArray("9007199254740992") << false << qint64{0};
    QTest::newRow("2^53 + 1") << QByteArray("9007199254740993") << false << qint64{0};
    QTest::newRow("-2^53 - 1") << QByteArray("-9007199254740993") << false << qint64{0};
    QTest::newRow("2^63") << QByteArray("9223372036854775808") << false << qint64{0};
    QTest::newRow("1e300") << QByteArray("1e300") << false << qint64{0};
    QTest::newRow("1e3") << QByteArray("1e3") << true << qint64{1000};
}

/// A number that doubles cannot tell from its neighbour is not guessed at, nor is one cut to fit.
void TestJsonFields::wholeNumbersAreExactOrRefused()
{
    QFETCH(const QByteArray, number);
    QFETCH(const bool, isTaken);
    QFETCH(const qint64, value);
    QByteArray json = kSample;
    const auto read =
        fromJson<Sample>(parse(json.replace("\"large\":1", QByteArray("\"large\":" + number))));
    QCOMPARE(static_cast<bool>(read), isTaken);
    if (isTaken) {
        QCOMPARE(read.value().large, value);
    }
    // The same for an int, which holds less.
    const auto inner = fromJson<Inner>(parse("{\"number\":" + number + "}"));
    QCOMPARE(static_cast<bool>(inner), isTaken && value == static_cast<int>(value));
}

RELAY_TEST(TestJsonFields)
#include "tst_json_fields.moc"
