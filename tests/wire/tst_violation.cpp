#include "wire/close_code.h"
#include "wire/frame_parser.h"

#include "support/test_main.h"

#include <QSet>
#include <QTest>

using namespace relay;

/// The table of violations is whole, and the codes are those that RFC 6455 names.
class TestViolation : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void everyRowFitsACloseFrameAndALabel();
    void labelsAndCodesBelongToTheirViolation();
    void sendableCloseCodes_data();
    void sendableCloseCodes();
};

void TestViolation::everyRowFitsACloseFrameAndALabel()
{
    QSet<QByteArray> labels;
    for (int i = 0; i < kViolationCount; ++i) {
        const ViolationInfo &info = describe(static_cast<Violation>(i));
        QVERIFY2(info.label != nullptr && info.text != nullptr, qPrintable(QString::number(i)));
        QVERIFY(isSendableCloseCode(info.closeCode));

        const QByteArray label = info.label;
        QVERIFY(!label.isEmpty());
        for (const char c : label) {
            QVERIFY2((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_', info.label);
        }
        labels.insert(label);

        const QByteArray text = info.text;
        QVERIFY(!text.isEmpty());
        QVERIFY(text.size() <= kMaxControlPayloadBytes - 2); // the close code takes two
        for (const char c : text) {
            QVERIFY2(c >= ' ' && c < 0x7F, info.text);
        }
    }
    QCOMPARE(labels.size(), kViolationCount);
}

// A row in the wrong place would tell a client of another rule than the one that it broke.
void TestViolation::labelsAndCodesBelongToTheirViolation()
{
    QCOMPARE(describe(Violation::ReservedBits).label, "reserved_bits");
    QCOMPARE(describe(Violation::UnexpectedContinuation).label, "unexpected_continuation");
    QCOMPARE(describe(Violation::InvalidClosePayload).closeCode, close_code::kProtocolError);
    QCOMPARE(describe(Violation::InvalidUtf8).label, "invalid_utf8");
    QCOMPARE(describe(Violation::InvalidUtf8).closeCode, close_code::kInvalidPayload);
    QCOMPARE(describe(Violation::MessageTooBig).label, "message_too_big");
    QCOMPARE(describe(Violation::MessageTooBig).closeCode, close_code::kMessageTooBig);
}

void TestViolation::sendableCloseCodes_data()
{
    QTest::addColumn<int>("first");
    QTest::addColumn<int>("last");
    QTest::addColumn<bool>("sendable");
    QTest::newRow("below 1000") << 0 << 999 << false;
    QTest::newRow("1000 to 1003") << 1000 << 1003 << true;
    QTest::newRow("reserved and report-only") << 1004 << 1006 << false;
    QTest::newRow("1007 to 1014") << 1007 << 1014 << true;
    QTest::newRow("1015, report-only, to 2999") << 1015 << 2999 << false;
    QTest::newRow("registered and private") << 3000 << 4999 << true;
    QTest::newRow("above 4999") << 5000 << 65535 << false;
}

void TestViolation::sendableCloseCodes()
{
    QFETCH(const int, first);
    QFETCH(const int, last);
    QFETCH(const bool, sendable);
    for (int code = first; code <= last; ++code) {
        QVERIFY2(isSendableCloseCode(static_cast<quint16>(code)) == sendable,
                 qPrintable(QString::number(code)));
    }
}

RELAY_TEST(TestViolation)
#include "tst_violation.moc"
