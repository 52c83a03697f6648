#include "wire/media_type.h"

#include "support/test_main.h"

#include <QTest>

#include <array>

using relay::HttpRequest;
using relay::MediaType;

class TestMediaType : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsContentType_data();
    void readsContentType();
    void textTypes_data();
    void textTypes();
    void kindsOfBodies_data();
    void kindsOfBodies();
    void prefersWhatIsAccepted_data();
    void prefersWhatIsAccepted();
    void readsSeveralAcceptFields();
};

void TestMediaType::readsContentType_data()
{
    QTest::addColumn<QByteArray>("field"); // null: none
    QTest::addColumn<QByteArray>("type");
    QTest::addColumn<QByteArray>("charset");
    const auto row = [](const char *name, const QByteArray &field, const char *type,
                        const char *charset = "") {
        QTest::newRow(name) << field << QByteArray(type) << QByteArray(charset);
    };
    row("no field", {}, "");
    row("empty", "", "");
    row("a type", "text/plain", "text/plain");
    row("in upper case", "TEXT/Plain", "text/plain");
    row("with a charset", "text/plain;charset=utf-8", "text/plain", "utf-8");
    row("blanks and upper case", " text/plain ; Charset = UTF-8 ", "text/plain", "utf-8");
    row("quoted", "text/plain; charset=\"utf-8\"", "text/plain", "utf-8");
    row("half a quote", "text/plain; charset=\"", "text/plain", "\"");
    row("behind others", "multipart/form-data; boundary=x; charset=latin1", "multipart/form-data",
        "latin1");
    row("the first of two", "text/plain; charset=a; charset=b", "text/plain", "a");
    row("a name that ends so", "text/plain; xcharset=a", "text/plain");
    row("no value", "text/plain; charset", "text/plain");
    row("an empty value", "text/plain; charset=", "text/plain");
    row("only a parameter", "; charset=utf-8", "", "utf-8");
}

// Whether a body is text is decided by this: what curl and browsers write is understood in any case
// and with any blanks.
void TestMediaType::readsContentType()
{
    QFETCH(QByteArray, field);
    QFETCH(QByteArray, type);
    QFETCH(QByteArray, charset);
    HttpRequest request;
    if (!field.isNull()) {
        request.fields.append({"content-type", field});
    }
    const MediaType read = relay::contentTypeOf(request);
    QCOMPARE(read.type, type);
    QCOMPARE(read.charset, charset);
}

void TestMediaType::textTypes_data()
{
    QTest::addColumn<bool>("isText");
    for (const char *type : {"text/plain", "text/x", "application/json", "application/problem+json",
                             "application/vnd.api+json", "application/x-www-form-urlencoded"})
    {
        QTest::newRow(type) << true;
    }
    for (const char *type :
         {"", "text", "texts/plain", "application/jsonp", "application/json5", "application/xml",
          "application/octet-stream", "image/svg+json", "image/png", "multipart/form-data"})
    {
        QTest::newRow(type) << false;
    }
}

// Both ports publish the same types as text.
void TestMediaType::textTypes()
{
    QFETCH(bool, isText);
    QCOMPARE(relay::isTextType(QTest::currentDataTag()), isText);
}

void TestMediaType::kindsOfBodies_data()
{
    QTest::addColumn<QByteArray>("type"); // null: no field
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<int>("status"); // 200: it is taken
    QTest::addColumn<bool>("isText");
    const auto row = [](const char *name, const QByteArray &type, const QByteArray &body,
                        int status, bool isText = false) {
        QTest::newRow(name) << type << body << status << isText;
    };
    const QByteArray latin1 = "caf\xE9";
    row("no type, UTF-8", {}, "caf\xC3\xA9", 200, true);
    row("no type, not UTF-8", {}, latin1, 200, false);
    row("no type, nothing", {}, "", 200, true);
    row("an empty type", "", "a", 200, true);
    row("text", "text/plain", "a", 200, true);
    row("text that is not", "text/plain", latin1, 400);
    row("bytes that could be text", "application/octet-stream", "a", 200, false);
    for (const char *charset : {"utf-8", "UTF-8", "utf8", "\"Utf8\"", "us-ascii", "ASCII"}) {
        row(charset, QByteArray("application/json; charset=") + charset, "{}", 200, true);
    }
    for (const char *charset : {"iso-8859-1", "utf-16", "utf", "utf-7", "windows-1252"}) {
        row(charset, QByteArray("text/plain; charset=") + charset, "a", 415);
    }
    row("a charset of bytes", "image/png; charset=latin1", latin1, 200, false);
}

// What a body is published as: as it says, and without a word as what it can be.
void TestMediaType::kindsOfBodies()
{
    QFETCH(QByteArray, type);
    QFETCH(QByteArray, body);
    QFETCH(int, status);
    QFETCH(bool, isText);
    HttpRequest request;
    if (!type.isNull()) {
        request.fields.append({"Content-Type", type});
    }
    const auto kind = relay::bodyKindOf(request);
    if (const auto *refused = std::get_if<relay::HttpResponse>(&kind)) {
        QCOMPARE(refused->status, status);
        return;
    }
    const auto judged = relay::isTextBody(std::get<relay::BodyKind>(kind), body);
    if (const auto *refused = std::get_if<relay::HttpResponse>(&judged)) {
        QCOMPARE(refused->status, status);
        return;
    }
    QCOMPARE(status, 200);
    QCOMPARE(std::get<bool>(judged), isText);
}

void TestMediaType::prefersWhatIsAccepted_data()
{
    // Of application/json (0), text/event-stream (1) and text/html (2).
    QTest::addColumn<QByteArray>("accept"); // null: none
    QTest::addColumn<int>("type");          // -1: none
    const auto row = [](const char *name, const QByteArray &accept, int type) {
        QTest::newRow(name) << accept << type;
    };
    row("no field", {}, 0);
    row("curl", "*/*", 0);
    row("EventSource", "text/event-stream", 1);
    row("Firefox",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", 2);
    row("Java's URLConnection", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", 2);
    row("fetch of JSON", "application/json, text/plain, */*", 0);
    row("in upper case", "TEXT/HTML", 2);
    row("the first of equals", "text/html, application/json", 2);
    row("the heavier", "text/html;q=0.8, application/json;q=0.9", 0);
    row("the heavier, with three digits", "text/html;q=0.801, application/json;q=0.8", 2);
    row("a weight in upper case, and blanks", "application/json ; Q=0.1 , text/html ; q = 0.2", 2);
    row("another parameter before the weight", "text/html;level=1;q=0.1, application/json;q=0.2",
        0);
    row("a wildcard after what is named", "*/*, text/event-stream", 1);
    row("a heavier wildcard", "*/*, text/event-stream;q=0.5", 0);
    row("a wildcard of a type", "text/*", 1);
    row("weight 0", "text/html;q=0", -1);
    row("weight 0 of all", "*/*;q=0", -1);
    row("all but one", "application/json;q=0, */*", 1);
    row("all but one type", "text/*, application/*;q=0", 1);
    row("all but a type, by wildcards", "application/*;q=0, */*", 1);
    row("the narrower wildcard's weight", "text/*;q=0.9, */*;q=0.1, application/*;q=0.2", 1);
    row("the narrower wildcard's, though lighter", "application/*;q=0.3, text/*;q=0.5, */*", 1);
    row("nothing that there is", "image/png", -1);
    row("a type that begins so", "text/html5", -1);
    row("half a type", "text", -1);
    row("half a wildcard", "text/h*", -1);
    row("empty elements", ",, text/html ,,", 2);
    row("a weight that is none", "text/html;q=high, application/json;q=0.1", 0);
    row("a weight that is not a number", "text/html;q=nan", -1);
    row("a weight below all", "text/html;q=-1", -1);
}

// One address serves programs, EventSource and browsers: each gets what it asks for (RFC 9110,
// section 12.5.1).
void TestMediaType::prefersWhatIsAccepted()
{
    QFETCH(QByteArray, accept);
    QFETCH(int, type);
    static constexpr std::array<QByteArrayView, 3> kTypes{"application/json", "text/event-stream",
                                                          "text/html"};
    HttpRequest request;
    if (!accept.isNull()) {
        request.fields.append({"Accept", accept});
    }
    const auto preferred = relay::preferredType(request, kTypes);
    QCOMPARE(preferred ? static_cast<int>(*preferred) : -1, type);
}

// Fields of one name are one list (RFC 9110, section 5.3).
void TestMediaType::readsSeveralAcceptFields()
{
    static constexpr std::array<QByteArrayView, 2> kTypes{"application/json", "text/html"};
    HttpRequest request;
    request.fields = {
        {"Accept", "image/png"}, {"Other", "application/json"}, {"ACCEPT", "text/html"}};
    QCOMPARE(relay::preferredType(request, kTypes).value(), std::size_t{1});
}

RELAY_TEST(TestMediaType)
#include "tst_media_type.moc"
