#include "wire/http_response.h"

#include "support/test_main.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

using namespace relay;

namespace {

QByteArray headOf(const QByteArray &answer)
{
    return answer.first(answer.indexOf("\r\n\r\n") + 4);
}

/// The values of the fields of that name, as they stand on the wire.
QList<QByteArray> valuesOf(const QByteArray &answer, const QByteArray &name)
{
    QList<QByteArray> values;
    for (const QByteArray &line : headOf(answer).split('\n')) {
        if (line.startsWith(QByteArray(name + ": "))) {
            values.append(line.sliced(name.size() + 2).trimmed());
        }
    }
    return values;
}

using Values = QList<QByteArray>;

} // namespace

/// An answer is complete HTTP/1.1: a client knows where it ends and whether the connection stays.
class TestHttpResponse : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aSentence();
    void keepAlive();
    void headOnly();
    void emptyBody();
    void statusWithoutBody();
    void reasonPhrases_data();
    void reasonPhrases();
    void upgradeIsAConnectionOption();
    void fieldsOfOneNameAreKept();
    void aValueCannotEndItsField();
    void dateIsThereWhenItIsKnown();
    void binaryBody();
    void streamHead();
    void json();
    void errors_data();
    void errors();
};

void TestHttpResponse::aSentence()
{
    const QByteArray answer = plainResponse(400, "No.").serialize();
    QVERIFY(answer.startsWith("HTTP/1.1 400 Bad Request\r\n"));
    QVERIFY(answer.endsWith("\r\n\r\nNo.\n"));
    QCOMPARE(valuesOf(answer, "Content-Length"), Values{"4"});
    QCOMPARE(valuesOf(answer, "Content-Type"), Values{"text/plain; charset=utf-8"});
    QCOMPARE(valuesOf(answer, "Connection"), Values{"close"});
    QCOMPARE(valuesOf(answer, "Server"), Values{"relay"});
}

void TestHttpResponse::keepAlive()
{
    HttpResponse response = plainResponse(200, "ok");
    response.keepAlive = true;
    QCOMPARE(valuesOf(response.serialize(), "Connection"), Values{"keep-alive"});
}

// An answer to HEAD says how long the body would be, and leaves it out.
void TestHttpResponse::headOnly()
{
    const HttpResponse response = plainResponse(200, "hello");
    QCOMPARE(response.serialize(true), headOf(response.serialize()));
    QCOMPARE(valuesOf(response.serialize(true), "Content-Length"), Values{"6"});
}

void TestHttpResponse::emptyBody()
{
    const QByteArray answer = HttpResponse{}.serialize();
    QVERIFY(answer.startsWith("HTTP/1.1 200 OK\r\n"));
    QVERIFY(answer.endsWith("\r\n\r\n"));
    QCOMPARE(valuesOf(answer, "Content-Length"), Values{"0"});
    QVERIFY(valuesOf(answer, "Content-Type").isEmpty());
}

// A length in a 204 would make some clients wait for a body.
void TestHttpResponse::statusWithoutBody()
{
    HttpResponse response = plainResponse(204, "never seen");
    const QByteArray answer = response.serialize();
    QCOMPARE(answer, headOf(answer));
    QVERIFY(valuesOf(answer, "Content-Length").isEmpty());
}

void TestHttpResponse::reasonPhrases_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("line");
    const auto row = [](int status, const char *phrase) {
        QTest::addRow("%d", status)
            << status << "HTTP/1.1 " + QByteArray::number(status) + ' ' + phrase + "\r\n";
    };
    row(403, "Forbidden");
    row(404, "Not Found");
    row(405, "Method Not Allowed");
    row(426, "Upgrade Required");
    row(431, "Request Header Fields Too Large");
    row(503, "Service Unavailable");
}

void TestHttpResponse::reasonPhrases()
{
    QFETCH(const int, status);
    QFETCH(const QByteArray, line);
    QVERIFY(plainResponse(status, "x").serialize().startsWith(line));
}

// RFC 9110, section 7.8: who sends Upgrade names it in Connection.
void TestHttpResponse::upgradeIsAConnectionOption()
{
    HttpResponse response = plainResponse(426, "x");
    response.fields.append(HttpField{"Upgrade", "websocket"});
    QCOMPARE(valuesOf(response.serialize(), "Upgrade"), Values{"websocket"});
    QCOMPARE(valuesOf(response.serialize(), "Connection"), Values{"upgrade, close"});
}

void TestHttpResponse::fieldsOfOneNameAreKept()
{
    HttpResponse response;
    response.fields = {{"Link", "<a>"}, {"X-Own", "1"}, {"Link", "<b>"}};
    const QByteArray answer = response.serialize();
    QCOMPARE(valuesOf(answer, "Link"), Values({"<a>", "<b>"}));
    QCOMPARE(valuesOf(answer, "X-Own"), Values{"1"});
}

// What an answer repeats of a request cannot add a field to it.
void TestHttpResponse::aValueCannotEndItsField()
{
    HttpResponse response;
    response.fields = {{"X-Echo", "a\r\nSet-Cookie: b"}};
    const QByteArray answer = response.serialize();
    QVERIFY(valuesOf(answer, "Set-Cookie").isEmpty());
    QCOMPARE(valuesOf(answer, "X-Echo"), Values{"a  Set-Cookie: b"});
}

// RFC 9110, section 6.6.1; of a stream's head, too.
void TestHttpResponse::dateIsThereWhenItIsKnown()
{
    HttpResponse response = plainResponse(404, "x");
    QVERIFY(valuesOf(response.serialize(), "Date").isEmpty());
    response.date = "Sun, 06 Nov 1994 08:49:37 GMT";
    QCOMPARE(valuesOf(response.serialize(), "Date"), Values{response.date});
    QCOMPARE(valuesOf(response.serialize(true), "Date"), Values{response.date});
    QCOMPARE(valuesOf(response.serializeStreamHead(), "Date"), Values{response.date});
}

void TestHttpResponse::binaryBody()
{
    HttpResponse response;
    response.contentType = "application/octet-stream";
    response.body = QByteArray::fromHex("000d0a0d0aff").repeated(100000);
    const QByteArray answer = response.serialize();
    QCOMPARE(answer.sliced(headOf(answer).size()), response.body);
    QCOMPARE(valuesOf(answer, "Content-Length"), Values{"600000"});
}

// A length would end the stream at once, and so would a client that thinks the connection stays.
void TestHttpResponse::streamHead()
{
    HttpResponse response;
    response.contentType = "text/event-stream";
    response.fields = {{"Cache-Control", "no-store"}};
    response.body = "never seen";
    response.keepAlive = true;
    const QByteArray head = response.serializeStreamHead();
    QVERIFY(head.startsWith("HTTP/1.1 200 OK\r\n"));
    QCOMPARE(head, headOf(head));
    QCOMPARE(valuesOf(head, "Content-Type"), Values{"text/event-stream"});
    QCOMPARE(valuesOf(head, "Cache-Control"), Values{"no-store"});
    QCOMPARE(valuesOf(head, "Connection"), Values{"close"});
    QVERIFY(valuesOf(head, "Content-Length").isEmpty());
    QVERIFY(valuesOf(head, "Transfer-Encoding").isEmpty());
}

void TestHttpResponse::json()
{
    const QByteArray answer = jsonResponse(200, R"({"offset":17})").serialize();
    QVERIFY(answer.endsWith("\r\n\r\n{\"offset\":17}\n"));
    QCOMPARE(valuesOf(answer, "Content-Type"), Values{"application/json"});
}

void TestHttpResponse::errors_data()
{
    QTest::addColumn<QByteArray>("sentence");
    QTest::newRow("plain") << QByteArray("The body is longer than 5 bytes.");
    QTest::newRow("quotes") << QByteArray("No \"channel\", but a back\\slash.\r\n");
    QTest::newRow("UTF-8") << QByteArray("gr\xC3\xBC\xC3\x9F \xF0\x9F\x98\x80");
    QTest::newRow("not UTF-8") << QByteArray("\xFF\xFE");
}

// What a client sent can stand in a sentence: the answer is JSON all the same.
void TestHttpResponse::errors()
{
    QFETCH(const QByteArray, sentence);
    const HttpResponse response = errorResponse(413, "too_large", sentence);
    QCOMPARE(response.status, 413);
    QCOMPARE(response.contentType, "application/json");
    const QJsonObject object = QJsonDocument::fromJson(response.body).object();
    QCOMPARE(object.size(), 2);
    QCOMPARE(object.value(QStringLiteral("error")).toString(), QStringLiteral("too_large"));
    QCOMPARE(object.value(QStringLiteral("message")).toString(), QString::fromUtf8(sentence));
    QVERIFY(response.body.endsWith("}\n")); // a terminal's next prompt begins a line of its own
}

RELAY_TEST(TestHttpResponse)
#include "tst_http_response.moc"
