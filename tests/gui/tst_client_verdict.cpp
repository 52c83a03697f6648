#include "gui/relay/own_client.h"
#include "gui/tables/client_verdict.h"
#include "support/test_main.h"

#include <QTest>

using namespace relay;
using namespace relay::gui;
using Kind = ClientVerdict::Kind;

/// What the operator is told of a client.
class TestClientVerdict : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tableHolds_data();
    void tableHolds();
};

namespace {

ClientRow healthy()
{
    ClientRow client;
    client.messagesOut = 1000;
    client.bytesOut = 100'000;
    client.socket = SocketRow{.rttSeconds = 0.02, .rttVarianceSeconds = 0.004};
    return client;
}

} // namespace

void TestClientVerdict::tableHolds_data()
{
    QTest::addColumn<ClientRow>("client");
    QTest::addColumn<Kind>("kind");
    const auto row = [](const char *name, Kind kind, auto change) {
        ClientRow client = healthy();
        change(client);
        QTest::newRow(name) << client << kind;
    };
    row("fine", Kind::Fine, [](ClientRow &) {});
    row("no view of its socket", Kind::Fine, [](ClientRow &c) { c.socket.reset(); });
    row("slow, by the relay's own rule", Kind::ReadsSlowly, [](ClientRow &c) {
        c.slowForSeconds = 0;
        c.queuedBytes = 1;
    });
    row("slow on a bad line is slow", Kind::ReadsSlowly, [](ClientRow &c) {
        c.slowForSeconds = 3;
        c.socket->rttSeconds = 2;
    });
    row("round trip just short", Kind::Fine, [](ClientRow &c) { c.socket->rttSeconds = 0.399; });
    row("round trip at the limit", Kind::BadLine, [](ClientRow &c) { c.socket->rttSeconds = 0.4; });
    row("unsteady, just short", Kind::Fine,
        [](ClientRow &c) { c.socket->rttVarianceSeconds = 0.199; });
    row("unsteady, at the limit", Kind::BadLine,
        [](ClientRow &c) { c.socket->rttVarianceSeconds = 0.2; });
    row("one in fifty sent again is still well", Kind::Fine,
        [](ClientRow &c) { c.socket->retransmits = 20; });
    row("one more is not", Kind::BadLine, [](ClientRow &c) { c.socket->retransmits = 21; });
    row("few are chance", Kind::Fine, [](ClientRow &c) {
        c.socket->retransmits = 4;
        c.messagesOut = 1;
        c.bytesOut = 1;
    });
    row("five of one are not", Kind::BadLine, [](ClientRow &c) {
        c.socket->retransmits = 5;
        c.messagesOut = 1;
        c.bytesOut = 1;
    });
    row("large messages are many segments", Kind::Fine, [](ClientRow &c) {
        c.socket->retransmits = 20;
        c.messagesOut = 1;
        c.bytesOut = 1000 * kSegmentBytes;
    });
    row("one byte waits", Kind::FallsBehind, [](ClientRow &c) { c.queuedBytes = 1; });
    row("this window", Kind::ThisWindow, [](ClientRow &c) {
        c.userAgent = QString::fromLatin1(ownUserAgent());
        c.messagesOut = 0;
    });
    row("another window", Kind::Fine,
        [](ClientRow &c) { c.userAgent = QStringLiteral("relay-dashboard/0.1.0 (window 0)"); });
    row("nothing ever", Kind::Idle, [](ClientRow &c) { c.messagesOut = 0; });
    row("only sends", Kind::Fine, [](ClientRow &c) {
        c.messagesOut = 0;
        c.messagesIn = 1;
    });
}

/// Promise: the worst that is true of a client is what is said, and the rule stands beside it.
void TestClientVerdict::tableHolds()
{
    QFETCH(ClientRow, client);
    QFETCH(Kind, kind);
    const ClientVerdict verdict = verdictOn(client);
    QCOMPARE(verdict.kind, kind);
    QVERIFY(!verdict.words.isEmpty());
    QVERIFY(verdict.rule.endsWith(QLatin1Char('.')));
}

RELAY_TEST(TestClientVerdict)
#include "tst_client_verdict.moc"
