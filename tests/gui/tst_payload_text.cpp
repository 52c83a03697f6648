#include "gui/look/payload_text.h"
#include "support/test_main.h"

#include <QTest>

using namespace relay::gui;

/// A message's payload as the window shows it.
class TestPayloadText : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void isShownAsItIs_data();
    void isShownAsItIs();
    void hexHasALineForSixteenBytes_data();
    void hexHasALineForSixteenBytes();
    void aHugeOneIsCut_data();
    void aHugeOneIsCut();
    void nestingDoesNotMultiplyIt();
    void cutDoesNotMakeTextInvalid();
    void previewIsOneShortLine_data();
    void previewIsOneShortLine();
};

namespace {

const QString kReplacement = QString(QChar::ReplacementCharacter);

} // namespace

void TestPayloadText::isShownAsItIs_data()
{
    QTest::addColumn<QByteArray>("payload");
    QTest::addColumn<int>("format");
    QTest::addColumn<QString>("text");
    const auto row = [](const char *name, const QByteArray &payload, PayloadFormat format,
                        const QString &text) {
        QTest::newRow(name) << payload << static_cast<int>(format) << text;
    };
    row("nothing", "", PayloadFormat::Text, QString());
    row("text", "caf\xc3\xa9", PayloadFormat::Text, QStringLiteral("café"));
    row("lines", "a\nb", PayloadFormat::Text, QStringLiteral("a\nb"));
    row("beyond the first plane", "\xf0\x9f\x9a\x80", PayloadFormat::Text, QStringLiteral("🚀"));
    row("invalid UTF-8",
        "a\xff"
        "b",
        PayloadFormat::Text, QLatin1Char('a') + kReplacement + QLatin1Char('b'));
    row("a code point's beginning", "\xc3", PayloadFormat::Text, kReplacement);
    row("JSON", "{\"a\":[1]}", PayloadFormat::Json,
        QStringLiteral("{\n    \"a\": [\n        1\n    ]\n}"));
    row("JSON as it was sent", R"({"z":1.10 ,"a":12345678901234567890,"e":[],"o":{ }})",
        PayloadFormat::Json,
        QStringLiteral("{\n    \"z\": 1.10,\n    \"a\": 12345678901234567890,\n    \"e\": [],\n    "
                       "\"o\": {}\n}"));
    row("JSON's strings", R"(["a,b:{ \\\" [","\\\\"])", PayloadFormat::Json, QStringLiteral(R"([
    "a,b:{ \\\" [",
    "\\\\"
])"));
    row("no JSON", "{\"a\":", PayloadFormat::Json, QStringLiteral("{\"a\":"));
    row("JSON that is a number", "17", PayloadFormat::Json, QStringLiteral("17"));
    row("no JSON, and no text", "\xff", PayloadFormat::Json, kReplacement);
    row("no JSON: nothing", "", PayloadFormat::Json, QString());
    row("hex of nothing", "", PayloadFormat::Hex, QString());
    row("hex",
        QByteArray("\x00\xff"
                   "A",
                   3),
        PayloadFormat::Hex,
        QStringLiteral("000000  00 ff 41                                         ..A\n"));
}

/// Promise: a payload is shown as it is; what is no text, or no JSON, is shown all the same.
void TestPayloadText::isShownAsItIs()
{
    QFETCH(QByteArray, payload);
    QFETCH(int, format);
    QFETCH(QString, text);
    QCOMPARE(payloadText(payload, static_cast<PayloadFormat>(format)), text);
}

void TestPayloadText::hexHasALineForSixteenBytes_data()
{
    QTest::addColumn<int>("bytes");
    QTest::addColumn<int>("lines");
    QTest::newRow("15") << 15 << 1;
    QTest::newRow("16") << 16 << 1;
    QTest::newRow("17") << 17 << 2;
    QTest::newRow("256") << 256 << 16;
}

/// Promise: offset, bytes and letters stand below each other, whatever the bytes are.
void TestPayloadText::hexHasALineForSixteenBytes()
{
    QFETCH(int, bytes);
    QFETCH(int, lines);
    QByteArray payload;
    for (int i = 0; i < bytes; ++i) {
        payload.append(static_cast<char>(i));
    }
    const QStringList shown =
        payloadText(payload, PayloadFormat::Hex).split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    QCOMPARE(shown.size(), lines);
    QByteArray read;
    for (const QString &line : shown) {
        QCOMPARE(line.left(6).toInt(nullptr, 16), static_cast<int>(read.size()));
        read += QByteArray::fromHex(line.mid(8, 47).toLatin1());
        QCOMPARE(line.mid(55, 2), QStringLiteral("  "));
    }
    QCOMPARE(read, payload);
}

void TestPayloadText::aHugeOneIsCut_data()
{
    QTest::addColumn<int>("format");
    QTest::addColumn<QByteArray>("payload");
    QTest::addColumn<int>("most");
    const auto row = [](const char *name, PayloadFormat format, const QByteArray &payload,
                        qsizetype most) {
        QTest::newRow(name) << static_cast<int>(format) << payload << static_cast<int>(most);
    };
    const qsizetype note = 40; // "… and 1 B more"
    const QByteArray letters(kMostShownBytes + 1, 'a');
    row("text", PayloadFormat::Text, letters, kMostShownBytes + note);
    row("hex", PayloadFormat::Hex, letters, kMostShownBytes * 5 + note);
    row("JSON", PayloadFormat::Json, '"' + letters + '"', kMostShownBytes + note);
}

/// Promise: a message of many megabytes does not stop the window; that there is more is said.
void TestPayloadText::aHugeOneIsCut()
{
    QFETCH(int, format);
    QFETCH(QByteArray, payload);
    QFETCH(int, most);
    const auto as = static_cast<PayloadFormat>(format);
    QString shown = payloadText(payload, as);
    QVERIFY(shown.size() <= most);
    const QString note =
        QStringLiteral("… and %1\u00a0B more").arg(payload.size() - kMostShownBytes);
    QVERIFY2(shown.endsWith(note), qPrintable(shown.right(60)));
    shown = payloadText(payload.left(kMostShownBytes), as);
    QVERIFY2(!shown.contains(QLatin1String("more")), qPrintable(shown.right(60)));
    QVERIFY(payloadText(payload.repeated(200), as).size() <= most);
}

/// Promise: a message cannot be made that fits and takes a thousand times its size when it is
/// indented.
void TestPayloadText::nestingDoesNotMultiplyIt()
{
    constexpr int kDeep = 1000;
    const QByteArray zeros = QByteArray("0,").repeated(kMostShownBytes / 2 - kDeep - 1) + '0';
    const QByteArray payload = QByteArray(kDeep, '[') + zeros + QByteArray(kDeep, ']');
    QVERIFY(payload.size() <= kMostShownBytes);
    QVERIFY(payloadText(payload, PayloadFormat::Json).size() <= 256 * kMostShownBytes);
    // What people send is indented.
    const QByteArray usual = QByteArray(20, '[') + '0' + QByteArray(20, ']');
    QCOMPARE(payloadText(usual, PayloadFormat::Json).count(QLatin1Char('\n')), 40);
}

/// Promise: a long text whose end is not shown is not said to be broken there.
void TestPayloadText::cutDoesNotMakeTextInvalid()
{
    for (qsizetype shift = 0; shift < 4; ++shift) {
        const QByteArray payload =
            QByteArray(kMostShownBytes - shift, 'a') + QByteArray("\xf0\x9f\x9a\x80").repeated(2);
        const QString shown = payloadText(payload, PayloadFormat::Text);
        QVERIFY(!shown.contains(QChar::ReplacementCharacter));
        const QString note = QStringLiteral("… and %1\u00a0B more").arg(8);
        QVERIFY2(shown.endsWith(note), qPrintable(shown.right(40)));
    }
}

void TestPayloadText::previewIsOneShortLine_data()
{
    QTest::addColumn<QByteArray>("payload");
    QTest::addColumn<bool>("isText");
    QTest::addColumn<QString>("text");
    QTest::newRow("text") << QByteArray("hello") << true << QStringLiteral("hello");
    QTest::newRow("nothing") << QByteArray() << true << QString();
    QTest::newRow("lines") << QByteArray("a\r\n\t b\n") << true << QStringLiteral("a b");
    QTest::newRow("long") << QByteArray(201, 'a') << true << QString(200, QLatin1Char('a'));
    QTest::newRow("binary") << QByteArray("\x00\xff", 2) << false
                            << QStringLiteral("binary, 2\u00a0B: 00 ff");
    QTest::newRow("no bytes") << QByteArray() << false << QStringLiteral("binary, 0\u00a0B: ");
}

/// Promise: a row of the list holds one line, whatever the message is.
void TestPayloadText::previewIsOneShortLine()
{
    QFETCH(QByteArray, payload);
    QFETCH(bool, isText);
    QFETCH(QString, text);
    QCOMPARE(payloadPreview(payload, isText), text);
    QVERIFY(payloadPreview(payload.repeated(100'000), isText).size() <= 220);
}

RELAY_TEST(TestPayloadText)
#include "tst_payload_text.moc"
