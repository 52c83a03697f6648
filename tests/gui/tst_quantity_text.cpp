#include "gui/look/quantity_text.h"
#include "support/test_main.h"

#include <QDateTime>
#include <QLocale>
#include <QTest>

#include <cmath>
#include <limits>

using namespace relay::gui;

/// Numbers as the window shows them.
class TestQuantityText : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void counts_data();
    void counts();
    void bytes_data();
    void bytes();
    void latencies_data();
    void latencies();
    void durations_data();
    void durations();
    void thingsAreCountedInPlainEnglish();
    void smallOnes();
    void timesHaveTheirDayUnlessItIsToday();
    void isWrittenAsTheUserWrites();
    void nonsenseIsShownNotComputedWith();
};

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

void columns()
{
    QTest::addColumn<double>("value");
    QTest::addColumn<QString>("text");
}

/// A plain space in `text` stands for the one that does not break.
void row(double value, const char *text)
{
    QTest::addRow("%.10g", value) << value
                                  << QString::fromUtf8(text).replace(QLatin1Char(' '), QChar(0xa0));
}

} // namespace

void TestQuantityText::initTestCase()
{
    QLocale::setDefault(QLocale::c());
}

/// Promise: nothing reads "1 rows".
void TestQuantityText::thingsAreCountedInPlainEnglish()
{
    const auto rows = [](qint64 count) {
        return countedText(count, QStringLiteral("row"), QStringLiteral("rows"));
    };
    QCOMPARE(rows(0), QStringLiteral("0 rows"));
    QCOMPARE(rows(1), QStringLiteral("1 row"));
    QCOMPARE(rows(12'345), QLocale().toString(12'345) + QStringLiteral(" rows"));
}

void TestQuantityText::counts_data()
{
    columns();
    row(0, "0");
    row(0.004, "0");
    row(0.4, "0.4");
    row(1, "1");
    row(9.994, "9.99");
    row(9.996, "10");
    row(12.34, "12.3");
    row(99.94, "99.9");
    row(99.96, "100");
    row(999, "999");
    row(999.4, "999");
    row(999.5, "1 k"); // never "1000"
    row(1000, "1 k");
    row(1024, "1.02 k");
    row(12'345, "12.3 k");
    row(999'499, "999 k");
    row(999'500, "1 M");
    row(1e6, "1 M");
    row(1e9, "1 G");
    row(1e12, "1 T");
    row(1e15, "1000 T"); // the last unit
    row(-1, "-1");
    row(-1500, "-1.5 k");
}

/// Promise: three digits that say something, the unit changes where the fourth would come.
void TestQuantityText::counts()
{
    QFETCH(double, value);
    QFETCH(QString, text);
    QCOMPARE(compactText(value), text);
    QCOMPARE(rateText(value), text + QLatin1String("/s"));
}

void TestQuantityText::bytes_data()
{
    columns();
    row(0, "0 B");
    row(1, "1 B");
    row(999, "999 B");
    row(1000, "1000 B"); // not yet a KiB
    row(1023, "1023 B");
    row(1024, "1 KiB");
    row(1025, "1 KiB");
    row(1536, "1.5 KiB");
    row(1024.0 * 1023, "1023 KiB");
    row(1024.0 * 1024 - 1, "1 MiB"); // never "1024 KiB"
    row(1024.0 * 1024, "1 MiB");
    row(1024.0 * 1024 * 1024, "1 GiB");
    row(std::pow(1024.0, 4), "1 TiB");
    row(std::pow(1024.0, 5), "1024 TiB"); // the last unit
}

/// Promise: bytes are counted in powers of 1024, and the unit says so.
void TestQuantityText::bytes()
{
    QFETCH(double, value);
    QFETCH(QString, text);
    QCOMPARE(bytesText(value), text);
    QCOMPARE(byteRateText(value), text + QLatin1String("/s"));
}

void TestQuantityText::latencies_data()
{
    columns();
    row(0, "0");
    row(1e-6, "1 µs");
    row(85e-6, "85 µs");
    row(0.000'999, "999 µs");
    row(0.001, "1 ms");
    row(0.001'23, "1.23 ms");
    row(0.999, "999 ms");
    row(1, "1 s");
    row(59.9, "59.9 s");
    row(60, "60 s");
    row(1000, "1000 s");
}

/// Promise: a latency has the unit in which it is a number between one and a thousand.
void TestQuantityText::latencies()
{
    QFETCH(double, value);
    QFETCH(QString, text);
    QCOMPARE(latencyText(value), text);
}

void TestQuantityText::durations_data()
{
    QTest::addColumn<double>("value");
    QTest::addColumn<QString>("text");
    const auto duration = [](double value, const char *text) {
        QTest::addRow("%.10g", value) << value << QString::fromLatin1(text);
    };
    duration(0, "0 s");
    duration(0.9, "0 s");
    duration(1, "1 s");
    duration(59.9, "59 s"); // a second that has not passed is not counted
    duration(60, "1 min 0 s");
    duration(61, "1 min 1 s");
    duration(3599, "59 min 59 s");
    duration(3600, "1 h 0 min");
    duration(86'399, "23 h 59 min");
    duration(86'400, "1 d 0 h");
    duration(1'090'800, "12 d 15 h");
    duration(-1, "0 s"); // of a clock that was set back
}

/// Promise: the two largest units, as one says it.
void TestQuantityText::durations()
{
    QFETCH(double, value);
    QFETCH(QString, text);
    QCOMPARE(durationText(value), text);
}

/// Promise: every digit of a count, and a dash for what was not measured, which zero is not.
void TestQuantityText::smallOnes()
{
    QCOMPARE(countText(0), QStringLiteral("0"));
    QCOMPARE(countText(std::numeric_limits<qint64>::max()), QStringLiteral("9223372036854775807"));
    QCOMPARE(coresText(0), QStringLiteral("0.00 cores"));
    QCOMPARE(coresText(1.255), QStringLiteral("1.25 cores"));
    for (const QString &missing :
         {rateText(std::nullopt), latencyText(std::nullopt), coresText(std::nullopt)})
    {
        QCOMPARE(missing, QStringLiteral("–"));
    }
}

/// Promise: a time of yesterday is not taken for one of today.
void TestQuantityText::timesHaveTheirDayUnlessItIsToday()
{
    const QDateTime noon(QDate::currentDate(), QTime(12, 0, 1));
    const auto text = [](const QDateTime &time) {
        return timeText(static_cast<double>(time.toMSecsSinceEpoch()) / 1000.0);
    };
    QCOMPARE(text(noon), QStringLiteral("12:00:01"));
    const QDateTime yesterday = noon.addDays(-1);
    QCOMPARE(text(yesterday), yesterday.toString(QStringLiteral("yyyy-MM-dd 12:00:01")));
}

/// Promise: numbers are written as the user's language writes them.
void TestQuantityText::isWrittenAsTheUserWrites()
{
    QLocale::setDefault(QLocale(QLocale::German));
    QCOMPARE(countText(12'345), QStringLiteral("12.345"));
    QCOMPARE(compactText(1500), QStringLiteral("1,5\u00a0k"));
    QCOMPARE(compactText(20), QStringLiteral("20"));
    QLocale::setDefault(QLocale::c());
}

/// Promise: what no relay should send is not undefined behaviour here.
void TestQuantityText::nonsenseIsShownNotComputedWith()
{
    for (const double value : {kNan, kInfinity, -kInfinity, 1e300, -1e300}) {
        QVERIFY(!compactText(value).isEmpty());
        QVERIFY(!bytesText(value).isEmpty());
        QVERIFY(!latencyText(value).isEmpty());
        QVERIFY(!timeText(value).isEmpty());
        QVERIFY2(!durationText(value).contains(QLatin1Char('-')), qPrintable(durationText(value)));
    }
    QCOMPARE(durationText(kNan), QStringLiteral("0 s"));
    QCOMPARE(timeText(kNan), QStringLiteral("–"));
    QCOMPARE(timeText(1e300), QStringLiteral("–"));
}

RELAY_TEST(TestQuantityText)
#include "tst_quantity_text.moc"
