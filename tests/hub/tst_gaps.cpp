#include "support/http_peer.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QJsonDocument>
#include <QTest>

using relay::ChannelName;
using relay::HubOptions;
using relay::MessageKind;
using relay::test::HttpPeer;
using relay::test::optionsKeeping;
using relay::test::PacedClient;
using relay::test::TestHub;

namespace {

/// How a client listens, or reads, and comes back.
enum class ComeBackBy {
    EventSource,
    Meta,
    Json
};

/// What a client is told when it comes.
struct Told
{
    QByteArray position; ///< to come back with
    QJsonObject gap;     ///< empty without one
};

QJsonObject jsonOf(const QByteArray &json)
{
    return QJsonDocument::fromJson(json).object();
}

QByteArray textAt(const QJsonObject &object, const char *key)
{
    return object.value(QLatin1String(key)).toString().toLatin1();
}

QByteArray with(const QByteArray &target, const QByteArray &since)
{
    return since.isEmpty() ? target : target + "?since=" + since;
}

Told listenByEventSource(TestHub &relay, const QByteArray &target, const QByteArray &since)
{
    HttpPeer peer(relay.port());
    QByteArrayList fields;
    if (!since.isEmpty()) {
        fields.append("Last-Event-ID: " + since);
    }
    Told told;
    // A gap comes before the first heartbeat.
    const bool isTold =
        peer.listen(target, fields).status == 200 && peer.waitForStream([&](auto &events) {
            while (const auto event = events.next()) {
                told.gap = event->type == "gap" ? jsonOf(event->data) : told.gap;
            }
            return events.comments() > 0;
        });
    told.position = peer.events().lastId();
    return isTold ? told : Told();
}

Told listenByMeta(TestHub &relay, const QByteArray &target, const QByteArray &since)
{
    PacedClient client(relay.port());
    if (!client.upgrade({"Sec-WebSocket-Protocol: relay.meta"}, with(target, since))) {
        return {};
    }
    const auto frame = client.nextFrame();
    const QJsonObject head = jsonOf(frame ? frame->payload : QByteArray());
    return {textAt(head, "position"), head.value(QLatin1String("gap")).toObject()};
}

Told readJson(TestHub &relay, const QByteArray &target, const QByteArray &since)
{
    HttpPeer peer(relay.port());
    const QJsonObject json = peer.ask(HttpPeer::get(with(target, since))).json();
    const QByteArray offset = QByteArray::number(json.value(QLatin1String("offset")).toInteger());
    return {json.contains(QLatin1String("position")) ? textAt(json, "position")
                                                     : textAt(json, "epoch") + '-' + offset,
            json.value(QLatin1String("gap")).toObject()};
}

/// Comes, is told, and has gone when this returns.
Told comeAndLeave(TestHub &relay,
                  ComeBackBy way,
                  const QByteArray &target,
                  const QByteArray &since = {})
{
    const auto come = way == ComeBackBy::EventSource ? listenByEventSource
                      : way == ComeBackBy::Meta      ? listenByMeta
                                                     : readJson;
    Told told = come(relay, target, since);
    if (!relay.waitForClients(0)) {
        return {};
    }
    return told;
}

/// Keeps no messages: a channel vanishes when its last client goes.
HubOptions forgetfulOptions()
{
    HubOptions options = optionsKeeping(0);
    options.eventSource.heartbeat = std::chrono::milliseconds(20);
    return options;
}

QByteArray speak(TestHub &relay, const QByteArray &channel)
{
    return relay.hub()
        .publish(ChannelName::fromText(channel).value(), "x", MessageKind::Text)
        .position.toText();
}

} // namespace

Q_DECLARE_METATYPE(ComeBackBy)

/// A client that comes back and missed nothing is told of no gap; one that may have missed something
/// is, and why.
class TestGaps : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whoMissedNothingIsToldOfNoGap_data();
    void whoMissedNothingIsToldOfNoGap();
    void aVanishedChannelIsNoGapForAPattern();
    void aGapSaysWhy_data();
    void aGapSaysWhy();
    void aPositionThatWasDroppedIsAGap();
};

void TestGaps::whoMissedNothingIsToldOfNoGap_data()
{
    QTest::addColumn<ComeBackBy>("way");
    QTest::addColumn<QByteArray>("target");
    for (const auto &[name, way] :
         {std::pair("EventSource", ComeBackBy::EventSource),
          std::pair("relay.meta", ComeBackBy::Meta), std::pair("JSON", ComeBackBy::Json)})
    {
        for (const char *target : {"/new", "/", "/spoken", "/new/*", "/**"}) {
            QTest::addRow("%s, %s", name, target) << way << QByteArray(target);
        }
    }
}

// The first thing that anybody does: open the page of a new channel, and reload it. The channel
// vanishes in between; its position does not.
void TestGaps::whoMissedNothingIsToldOfNoGap()
{
    QFETCH(ComeBackBy, way);
    QFETCH(QByteArray, target);
    TestHub relay(forgetfulOptions());
    speak(relay, "spoken");
    const Told first = comeAndLeave(relay, way, target);
    QVERIFY(first.position.size() > 13);
    QCOMPARE(relay.hub().channelCount(), 0);
    for (int i = 0; i < 3; ++i) {
        const Told again = comeAndLeave(relay, way, target, first.position);
        QCOMPARE(again.gap, QJsonObject());
        QCOMPARE(again.position, first.position);
    }
    QCOMPARE(relay.hub().counters().resumes[static_cast<std::size_t>(relay::ResumeResult::Unknown)],
             0U);
}

// Channels that come and go while the listener of a pattern is away cost it nothing, unless it missed
// their messages.
void TestGaps::aVanishedChannelIsNoGapForAPattern()
{
    TestHub relay(forgetfulOptions());
    const QByteArray before = comeAndLeave(relay, ComeBackBy::Meta, "/a/*").position;
    (void)comeAndLeave(relay, ComeBackBy::Meta, "/a/1"); // nothing is said there
    speak(relay, "b/1");
    QCOMPARE(comeAndLeave(relay, ComeBackBy::Meta, "/a/*", before).gap, QJsonObject());
    speak(relay, "a/2");
    const QJsonObject gap = comeAndLeave(relay, ComeBackBy::Meta, "/a/*", before).gap;
    QCOMPARE(textAt(gap, "from"), before);
    QCOMPARE(textAt(gap, "reason"), QByteArray("not_kept"));
    const QByteArray after = comeAndLeave(relay, ComeBackBy::Meta, "/a/*").position;
    QCOMPARE(comeAndLeave(relay, ComeBackBy::Meta, "/a/*", after).gap, QJsonObject());
}

void TestGaps::aGapSaysWhy_data()
{
    QTest::addColumn<ComeBackBy>("way");
    QTest::addColumn<QByteArray>("target");
    for (const auto &[name, way] :
         {std::pair("EventSource", ComeBackBy::EventSource),
          std::pair("relay.meta", ComeBackBy::Meta), std::pair("JSON", ComeBackBy::Json)})
    {
        for (const char *target : {"/a", "/a/*"}) {
            QTest::addRow("%s, %s", name, target) << way << QByteArray(target);
        }
    }
}

// Messages that are certainly missing, and a position that says nothing (of another life of the relay),
// are told apart: a page need not cry that the relay began anew.
void TestGaps::aGapSaysWhy()
{
    QFETCH(ComeBackBy, way);
    QFETCH(QByteArray, target);
    TestHub relay(forgetfulOptions());
    const QByteArray position = comeAndLeave(relay, way, target).position;
    speak(relay, "a");
    speak(relay, "a/1");
    const Told missed = comeAndLeave(relay, way, target, position);
    QCOMPARE(textAt(missed.gap, "reason"), QByteArray("not_kept"));
    QCOMPARE(textAt(missed.gap, "from"), position);
    const Told unknown = comeAndLeave(relay, way, target, "0123456789ab-7");
    QCOMPARE(textAt(unknown.gap, "reason"), QByteArray("unknown_position"));
    QCOMPARE(textAt(unknown.gap, "from"), QByteArray("0123456789ab-7"));
    QVERIFY(!textAt(unknown.gap, "to").isEmpty());
}

// history.positions: what is dropped is counted, and who comes back is told that something may be
// missing; who listens to a channel that never had a message still is not.
void TestGaps::aPositionThatWasDroppedIsAGap()
{
    HubOptions options = forgetfulOptions();
    options.history.positions = 1;
    TestHub relay(options);
    const QByteArray quiet = comeAndLeave(relay, ComeBackBy::Meta, "/quiet").position;
    const QByteArray a = speak(relay, "a");
    QCOMPARE(relay.hub().idlePositions(), 1);
    QCOMPARE(relay.hub().droppedPositions(), 0U);
    const QByteArray b = speak(relay, "b");
    QCOMPARE(relay.hub().idlePositions(), 1);
    QCOMPARE(relay.hub().droppedPositions(), 1U);
    QCOMPARE(textAt(comeAndLeave(relay, ComeBackBy::Meta, "/a", a).gap, "reason"),
             QByteArray("unknown_position"));
    QCOMPARE(comeAndLeave(relay, ComeBackBy::Meta, "/b", b).gap, QJsonObject());
    QCOMPARE(comeAndLeave(relay, ComeBackBy::Meta, "/quiet", quiet).gap, QJsonObject());
}

RELAY_TEST(TestGaps)
#include "tst_gaps.moc"
