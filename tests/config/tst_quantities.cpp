#include "config/quantities.h"

#include "support/test_main.h"

#include <QTest>

#include <limits>

using namespace std::chrono_literals;

class TestQuantities : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsSizes_data();
    void readsSizes();
    void refusesSizes_data();
    void refusesSizes();
    void readsDurations_data();
    void readsDurations();
    void refusesDurations_data();
    void refusesDurations();
    void sizesSurviveFormatting_data();
    void sizesSurviveFormatting();
    void durationsSurviveFormatting_data();
    void durationsSurviveFormatting();
};

void TestQuantities::readsSizes_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<qint64>("bytes");
    const auto row = [](const char *text, qint64 bytes) {
        QTest::newRow(text) << QString::fromLatin1(text) << bytes;
    };
    row("0", 0);
    row("1", 1);
    row("4096", 4096);
    row("0 KiB", 0);
    row("17 B", 17);
    row("1KiB", 1024);
    row("64 KiB", 65536);
    row("  64   KiB  ", 65536);
    row("64 kib", 65536);
    row("1 MiB", 1048576);
    row("3 GiB", 3LL << 30);
    row("9223372036854775807", std::numeric_limits<qint64>::max());
    row("8589934591 GiB", 8589934591LL << 30);
}

// What an operator writes is what the relay allows, to the byte: units are of 1024.
void TestQuantities::readsSizes()
{
    QFETCH(QString, text);
    QFETCH(qint64, bytes);
    const auto size = relay::parseSize(text);
    QVERIFY2(size, size ? "" : qPrintable(size.error().message));
    QCOMPARE(size.value(), bytes);
}

void TestQuantities::refusesSizes_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("hint"); // what the message must say
    const auto row = [](const char *name, const QString &text, const char *hint) {
        QTest::newRow(name) << text << QString::fromLatin1(hint);
    };
    row("empty", QString(), "such as 64 KiB");
    row("blank", QStringLiteral("  "), "such as 64 KiB");
    row("word", QStringLiteral("much"), "such as 64 KiB");
    row("unit alone", QStringLiteral("KiB"), "such as 64 KiB");
    row("decimal kilo", QStringLiteral("64 KB"), "KiB");
    row("decimal kilo, short", QStringLiteral("64k"), "KiB");
    row("decimal mega", QStringLiteral("1MB"), "MiB");
    row("decimal giga", QStringLiteral("1 g"), "GiB");
    row("fraction", QStringLiteral("1.5 MiB"), "whole number");
    row("negative", QStringLiteral("-1"), "whole number");
    row("plus sign", QStringLiteral("+1"), "whole number");
    row("hexadecimal", QStringLiteral("0x10"), "whole number");
    row("grouped", QStringLiteral("1 000 KiB"), "whole number");
    row("a duration", QStringLiteral("10s"), "KiB");
    row("text after the unit", QStringLiteral("1 KiB of"), "KiB");
    row("foreign digits", QString(QChar(0x0663)), "whole number");
    row("number too large", QStringLiteral("9223372036854775808"), "too large");
    row("product too large", QStringLiteral("8589934592 GiB"), "too large");
    row("far too large", QStringLiteral("99999999999999999999999 KiB"), "too large");
}

// Nothing is guessed: what is not exactly a size is told with what would be one.
void TestQuantities::refusesSizes()
{
    QFETCH(QString, text);
    QFETCH(QString, hint);
    const auto size = relay::parseSize(text);
    QVERIFY(!size);
    QVERIFY2(size.error().message.contains(hint), qPrintable(size.error().message));
}

void TestQuantities::readsDurations_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<qint64>("milliseconds");
    const auto row = [](const char *text, std::chrono::milliseconds duration) {
        QTest::newRow(text) << QString::fromLatin1(text) << qint64{duration.count()};
    };
    row("0", 0ms);
    row("0s", 0ms);
    row("30", 30s);
    row("250ms", 250ms);
    row("250 MS", 250ms);
    row("10s", 10s);
    row("10 s", 10s);
    row("5m", 5min);
    row("1h", 1h);
    row("24h", 24h);
}

// A plain number is seconds; every unit is exact in milliseconds.
void TestQuantities::readsDurations()
{
    QFETCH(QString, text);
    QFETCH(qint64, milliseconds);
    const auto duration = relay::parseDuration(text);
    QVERIFY2(duration, duration ? "" : qPrintable(duration.error().message));
    QCOMPARE(qint64{duration.value().count()}, milliseconds);
}

void TestQuantities::refusesDurations_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("hint");
    const auto row = [](const char *name, const char *text, const char *hint) {
        QTest::newRow(name) << QString::fromLatin1(text) << QString::fromLatin1(hint);
    };
    row("empty", "", "such as 10s");
    row("word", "soon", "such as 10s");
    row("unit alone", "s", "such as 10s");
    row("microseconds", "10us", "such as 10s");
    row("days", "1d", "such as 10s");
    row("words", "10 seconds", "such as 10s");
    row("fraction", "0.5s", "whole number");
    row("negative", "-5s", "whole number");
    row("two units", "1h30m", "such as 10s");
    row("a size", "10 KiB", "such as 10s");
    row("number too large", "9223372036854775808ms", "too long");
    row("product too large", "9223372036854775807s", "too long");
    row("plain product too large", "9223372036854775", "");
}

// As sizes; a plain number is multiplied too, and must not overflow silently.
void TestQuantities::refusesDurations()
{
    QFETCH(QString, text);
    QFETCH(QString, hint);
    const auto duration = relay::parseDuration(text);
    if (hint.isEmpty()) { // the largest that is allowed: one second more is not
        QVERIFY(duration);
        QVERIFY(!relay::parseDuration(QStringLiteral("9223372036854776")));
        return;
    }
    QVERIFY(!duration);
    QVERIFY2(duration.error().message.contains(hint), qPrintable(duration.error().message));
}

void TestQuantities::sizesSurviveFormatting_data()
{
    QTest::addColumn<qint64>("bytes");
    QTest::addColumn<QString>("text");
    const auto row = [](const char *text, qint64 bytes) {
        QTest::newRow(text) << bytes << QString::fromLatin1(text);
    };
    row("0", 0);
    row("1 B", 1);
    row("1023 B", 1023);
    row("1 KiB", 1024);
    row("1025 B", 1025);
    row("1536 KiB", 1536 * 1024);
    row("1 MiB", 1 << 20);
    row("4 GiB", 4LL << 30);
    row("9223372036854775807 B", std::numeric_limits<qint64>::max());
}

// --print-config rounds nothing: what it prints reads as the same size.
void TestQuantities::sizesSurviveFormatting()
{
    QFETCH(qint64, bytes);
    QFETCH(QString, text);
    QCOMPARE(relay::formatSize(bytes), text);
    QCOMPARE(relay::parseSize(text).value(), bytes);
}

void TestQuantities::durationsSurviveFormatting_data()
{
    QTest::addColumn<qint64>("milliseconds");
    QTest::addColumn<QString>("text");
    const auto row = [](const char *text, std::chrono::milliseconds duration) {
        QTest::newRow(text) << qint64{duration.count()} << QString::fromLatin1(text);
    };
    row("0s", 0ms);
    row("1ms", 1ms);
    row("1s", 1s);
    row("1500ms", 1500ms);
    row("90s", 90s);
    row("5m", 5min);
    row("90m", 90min);
    row("24h", 24h);
}

// As sizes.
void TestQuantities::durationsSurviveFormatting()
{
    QFETCH(qint64, milliseconds);
    QFETCH(QString, text);
    const std::chrono::milliseconds duration(milliseconds);
    QCOMPARE(relay::formatDuration(duration), text);
    QCOMPARE(relay::parseDuration(text).value(), duration);
}

RELAY_TEST(TestQuantities)
#include "tst_quantities.moc"
