#include "wire/html_error.h"

#include "support/test_main.h"

#include <QTest>

using namespace relay;

class TestHtmlError : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whoPrefersAPage_data();
    void whoPrefersAPage();
    void anErrorBecomesAPage();
    void strangersWordsAreText();
    void whatIsNoErrorStays();
};

void TestHtmlError::whoPrefersAPage_data()
{
    QTest::addColumn<QByteArray>("accept"); // null: no field
    QTest::addColumn<bool>("wantsPage");
    QTest::newRow("none") << QByteArray() << false;
    QTest::newRow("curl, fetch") << QByteArray("*/*") << false;
    QTest::newRow("Firefox") << QByteArray("text/html,application/xhtml+xml,application/xml;q=0.9,"
                                           "image/avif,image/webp,*/*;q=0.8")
                             << true;
    QTest::newRow("EventSource") << QByteArray("text/event-stream") << false;
    QTest::newRow("JSON first") << QByteArray("application/json, text/html") << false;
    QTest::newRow("JSON preferred") << QByteArray("text/html;q=0.5, application/json") << false;
    QTest::newRow("no page") << QByteArray("text/html;q=0, */*") << false;
    QTest::newRow("an image") << QByteArray("image/png") << false;
}

void TestHtmlError::whoPrefersAPage()
{
    QFETCH(QByteArray, accept);
    QFETCH(bool, wantsPage);
    HttpRequest request;
    if (!accept.isNull()) {
        request.fields.append({"Accept", accept});
    }
    QCOMPARE(prefersPage(request), wantsPage);
}

// Status, fields and sentence are those of the answer that a program would get.
void TestHtmlError::anErrorBecomesAPage()
{
    HttpResponse error = errorResponse(405, "method_not_allowed", "Use GET.");
    error.fields.append(HttpField{"Allow", "GET"});
    for (const HttpResponse &response : {error, plainResponse(405, "Use GET.")}) {
        const HttpResponse page = shownTo(true, response);
        QCOMPARE(page.status, 405);
        QCOMPARE(page.contentType, "text/html; charset=utf-8");
        QVERIFY(page.body.startsWith("<!doctype html>"));
        QVERIFY(page.body.contains("<title>405 Method Not Allowed</title>"));
        QVERIFY(page.body.contains("<p>Use GET.</p>"));
        QVERIFY(page.body.endsWith("</html>\n"));
        QVERIFY(!page.body.contains("src=") && !page.body.contains("href="));
        const HttpResponse same = shownTo(false, response);
        QCOMPARE(same.body, response.body);
        QVERIFY(same.serialize().contains("\r\nVary: Accept\r\n")); // a cache keeps them apart
        QVERIFY(page.serialize().contains("\r\nVary: Accept\r\n"));
    }
    QVERIFY(shownTo(true, error).serialize().contains("\r\nAllow: GET\r\n"));
    QVERIFY(shownTo(true, error)
                .serialize()
                .contains("\r\nContent-Security-Policy: default-src 'none'; "));
}

// A sentence may quote what a client sent: it stays text.
void TestHtmlError::strangersWordsAreText()
{
    const HttpResponse page = shownTo(
        true, plainResponse(400, "<script>alert('1')</script> & \"%1%2\" gr\xC3\xBC\xC3\x9F \xFF"));
    QVERIFY(page.body.contains("<p>&lt;script&gt;alert('1')&lt;/script&gt; &amp; &quot;%1%2&quot; "
                               "gr\xC3\xBC\xC3\x9F \xEF\xBF\xBD</p>"));
}

void TestHtmlError::whatIsNoErrorStays()
{
    QCOMPARE(shownTo(true, plainResponse(200, "ok")).body, "ok\n");
    QCOMPARE(shownTo(true, jsonResponse(404, "{}")).body, "{}\n"); // without a sentence
}

RELAY_TEST(TestHtmlError)
#include "tst_html_error.moc"
