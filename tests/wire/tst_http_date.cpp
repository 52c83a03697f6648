#include "wire/http_date.h"

#include "support/test_main.h"

#include <QLocale>
#include <QTest>

using relay::DateField;
using relay::toHttpDate;

class TestHttpDate : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void isWrittenAsHttpHasIt_data();
    void isWrittenAsHttpHasIt();
    void agreesWithQt();
    void followsItsClock();
};

void TestHttpDate::isWrittenAsHttpHasIt_data()
{
    QTest::addColumn<qint64>("time");
    QTest::newRow("Sun, 06 Nov 1994 08:49:37 GMT") << qint64{784111777}; // RFC 9110's own
    QTest::newRow("Thu, 01 Jan 1970 00:00:00 GMT") << qint64{0};
    QTest::newRow("Tue, 29 Feb 2028 23:59:59 GMT") << qint64{1835481599};
    QTest::newRow("Tue, 19 Jan 2038 03:14:08 GMT") << qint64{2147483648};
}

void TestHttpDate::isWrittenAsHttpHasIt()
{
    QFETCH(qint64, time);
    QCOMPARE(toHttpDate(time), QByteArray(QTest::currentDataTag()));
}

// Every day of ten years, each at another time of day.
void TestHttpDate::agreesWithQt()
{
    QDateTime time(QDate(2024, 1, 1), QTime(0, 0), Qt::UTC);
    for (int day = 0; day < 3660; ++day) {
        const QString expected =
            QLocale::c().toString(time, QStringLiteral("ddd, dd MMM yyyy hh:mm:ss 'GMT'"));
        QCOMPARE(toHttpDate(time.toSecsSinceEpoch()), expected.toLatin1());
        time = time.addSecs(86'400 + 1'237);
    }
}

// It is never older than a second, and is not made anew within one; a clock that is set back is followed.
void TestHttpDate::followsItsClock()
{
    std::time_t now = 784111777;
    DateField date([&now] { return now; });
    const QByteArray first = date.value();
    QCOMPARE(first, QByteArray("Sun, 06 Nov 1994 08:49:37 GMT"));
    QCOMPARE(static_cast<const void *>(date.value().constData()),
             static_cast<const void *>(first.constData())); // the same text, not an equal one
    ++now;
    QCOMPARE(date.value(), QByteArray("Sun, 06 Nov 1994 08:49:38 GMT"));
    now -= 2;
    QCOMPARE(date.value(), QByteArray("Sun, 06 Nov 1994 08:49:36 GMT"));
}

RELAY_TEST(TestHttpDate)
#include "tst_http_date.moc"
