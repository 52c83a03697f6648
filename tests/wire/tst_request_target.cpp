#include "wire/request_target.h"

#include "support/test_main.h"

#include <QTest>

using relay::HttpRequest;
using relay::RequestTarget;

class TestRequestTarget : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void takesATargetApart_data();
    void takesATargetApart();
    void refusesWhatIsNeither_data();
    void refusesWhatIsNeither();
    void findsParameters_data();
    void findsParameters();
};

void TestRequestTarget::takesATargetApart_data()
{
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("host");
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<QByteArray>("query");
    const auto row = [](const char *name, const char *target, const char *host, const char *path,
                        const char *query = "") {
        QTest::newRow(name) << QByteArray(target) << QByteArray(host) << QByteArray(path)
                            << QByteArray(query);
    };
    row("the root", "/", "field.example", "/");
    row("a path", "/chat/42", "field.example", "/chat/42");
    row("a query", "/chat?last=5&x=1", "field.example", "/chat", "last=5&x=1");
    row("an empty query", "/chat?", "field.example", "/chat");
    row("a second question mark", "/chat?a?b", "field.example", "/chat", "a?b");
    row("encoded, as it is", "/caf%C3%A9%2F%3F?q=%26", "field.example", "/caf%C3%A9%2F%3F",
        "q=%26");
    row("two slashes are a path", "//elsewhere.example/x", "field.example",
        "//elsewhere.example/x");
    row("absolute", "http://uri.example/chat?a", "uri.example", "/chat", "a");
    row("absolute, TLS", "https://uri.example/chat", "uri.example", "/chat");
    row("absolute, in another case", "HTTP://uri.example/chat", "uri.example", "/chat");
    row("absolute, with a port", "http://uri.example:8443/", "uri.example:8443", "/");
    row("absolute, IPv6", "http://[::1]:8443/x", "[::1]:8443", "/x");
    row("absolute without a path", "http://uri.example", "uri.example", "/");
    row("absolute without a path, with a query", "http://uri.example?a=b", "uri.example", "/",
        "a=b");
    row("a URI in a path", "/http://uri.example/", "field.example", "/http://uri.example/");
}

// Which channel, and which host is meant, also by a proxy that writes whole URIs: their host counts,
// not the field's (RFC 9112, section 3.2.2), or one host's pages could pass for another's.
void TestRequestTarget::takesATargetApart()
{
    QFETCH(QByteArray, target);
    QFETCH(QByteArray, host);
    QFETCH(QByteArray, path);
    QFETCH(QByteArray, query);
    HttpRequest request;
    request.target = target;
    request.fields = {{"Host", "field.example"}};
    const auto read = relay::targetOf(request);
    QVERIFY(read.has_value());
    QCOMPARE(read->host, host);
    QCOMPARE(read->path, path);
    QCOMPARE(read->query, query);
}

void TestRequestTarget::refusesWhatIsNeither_data()
{
    QTest::addColumn<QByteArray>("target");
    for (const char *target : {"",
                               "chat",
                               "*",
                               "uri.example:443",
                               "?a=b",
                               "#",
                               "ftp://uri.example/",
                               "ws://uri.example/",
                               "http:/uri.example/",
                               "http:",
                               "http://",
                               "http:///path",
                               "http://?a=b",
                               "http://:80/",
                               "http://uri.example:port/",
                               "http://[::1/",
                               "http://user@uri.example/",
                               "http://user:secret@uri.example/",
                               " /chat",
                               "\\chat"})
    {
        QTest::newRow(target) << QByteArray(target);
    }
}

// What names no path of ours is refused rather than guessed at; a name and password in it, too,
// which hide whose host it is.
void TestRequestTarget::refusesWhatIsNeither()
{
    QFETCH(QByteArray, target);
    HttpRequest request;
    request.target = target;
    request.fields = {{"Host", "field.example"}};
    QVERIFY(!relay::targetOf(request).has_value());
}

void TestRequestTarget::findsParameters_data()
{
    QTest::addColumn<QByteArray>("query");
    QTest::addColumn<QByteArray>("value"); // of "last"; null: none
    const auto row = [](const char *name, const char *query, const QByteArray &value) {
        QTest::newRow(name) << QByteArray(query) << value;
    };
    row("no query", "", {});
    row("alone", "last=5", "5");
    row("the first", "last=5&since=x", "5");
    row("the last", "since=x&last=5", "5");
    row("without a value", "since=x&last", "");
    row("an empty value", "last=&since=x", "");
    row("twice: the first counts", "last=5&last=6", "5");
    row("a name that ends so", "elast=5", {});
    row("a name that begins so", "last5=5", {});
    row("another case", "Last=5", {});
    row("as a value", "x=last", {});
    row("an equals sign in the value", "last=a=b", "a=b");
    row("encoded", "last=%35%26%3D", "5&=");
    row("a plus is a plus", "last=a+b", "a+b");
    row("half an escape", "last=5%", "5%");
    row("empty fields", "&&last=5&&", "5");
    row("a null byte", "last=%00", QByteArray(1, '\0'));
}

// ?last=, ?since= and ?echo= are found wherever they stand, and nothing is taken for them.
void TestRequestTarget::findsParameters()
{
    QFETCH(QByteArray, query);
    QFETCH(QByteArray, value);
    const RequestTarget target{.host = {}, .path = "/", .query = query};
    const auto found = target.parameter("last");
    QCOMPARE(found.has_value(), !value.isNull());
    QCOMPARE(found.value_or(QByteArray()), value);
}

RELAY_TEST(TestRequestTarget)
#include "tst_request_target.moc"
