#include "hub/disconnect.h"
#include "wire/close_code.h"

#include "support/test_main.h"

#include <QTest>

#include <cstring>

using relay::describe;
using relay::DisconnectInfo;
using relay::DisconnectReason;
using relay::LimitHit;

Q_DECLARE_METATYPE(relay::DisconnectReason)

class TestDisconnect : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void saysWhatEachReasonMeans_data();
    void saysWhatEachReasonMeans();
    void everyReasonCanBeSent();
    void everyViolationHasItsCode();
};

void TestDisconnect::saysWhatEachReasonMeans_data()
{
    QTest::addColumn<DisconnectReason>("reason");
    QTest::addColumn<int>("code");
    QTest::addColumn<bool>("mayReconnect");
    QTest::addColumn<int>("limit"); // -1: none
    const auto row = [](const char *name, DisconnectReason reason, int code, bool mayReconnect,
                        std::optional<LimitHit> limit = {}) {
        QTest::newRow(name) << reason << code << mayReconnect
                            << (limit ? static_cast<int>(*limit) : -1);
    };
    using Reason = DisconnectReason;
    row("peer closed", Reason::PeerClosed, 1005, true);
    row("peer vanished", Reason::PeerVanished, 1006, true);
    row("protocol error", Reason::ProtocolError, 1002, false);
    row("invalid payload", Reason::InvalidPayload, 1007, false);
    row("message too big", Reason::MessageTooBig, 1009, false, LimitHit::MessageSize);
    row("queue full", Reason::QueueFull, 1008, true, LimitHit::QueueSize);
    row("slow too long", Reason::SlowTooLong, 1008, true, LimitHit::SlowGrace);
    row("control frames", Reason::ControlFrames, 1008, false, LimitHit::ControlFrames);
    row("keepalive timeout", Reason::KeepaliveTimeout, 1006, true, LimitHit::KeepaliveTimeout);
    row("published to a pattern", Reason::PatternPublish, 1008, false);
    row("published where it may not", Reason::PublishForbidden, 1008, false);
    row("channel full", Reason::ChannelFull, 1013, true, LimitHit::ChannelClients);
    row("relay full", Reason::RelayFull, 1013, true);
    row("server shutdown", Reason::ServerShutdown, 1001, true);
}

// The table is in the order of the reasons: a client that is told a wrong code comes back when it
// should not, or not when it should.
void TestDisconnect::saysWhatEachReasonMeans()
{
    QFETCH(DisconnectReason, reason);
    QFETCH(int, code);
    QFETCH(bool, mayReconnect);
    QFETCH(int, limit);
    const DisconnectInfo &info = describe(reason);
    QCOMPARE(int{info.closeCode}, code);
    QCOMPARE(info.mayReconnect, mayReconnect);
    QCOMPARE(info.limit ? static_cast<int>(*info.limit) : -1, limit);
}

// What is sent is a code that may be sent and a reason that fits into a control frame; what may not
// be sent is never tried.
void TestDisconnect::everyReasonCanBeSent()
{
    for (int i = 0; i < relay::kDisconnectReasonCount; ++i) {
        const DisconnectInfo &info = describe(static_cast<DisconnectReason>(i));
        QVERIFY(info.text != nullptr && *info.text != '\0');
        QVERIFY(std::strlen(info.text) <= 123);
        if (!info.isAbrupt && static_cast<DisconnectReason>(i) != DisconnectReason::PeerClosed) {
            QVERIFY2(relay::isSendableCloseCode(info.closeCode), info.text);
        }
    }
}

// A violation's reason has the violation's own close code.
void TestDisconnect::everyViolationHasItsCode()
{
    for (int i = 0; i < relay::kViolationCount; ++i) {
        const auto violation = static_cast<relay::Violation>(i);
        QCOMPARE(describe(reasonOf(violation)).closeCode, describe(violation).closeCode);
    }
}

RELAY_TEST(TestDisconnect)
#include "tst_disconnect.moc"
