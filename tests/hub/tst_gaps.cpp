#include "support/http_peer.h"
#include "support/test_hub.h"

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
enum class Way {
    EventSource,
    Meta,
    Json
};

/// What a client is told when it comes.
struct Welcome
{
    QByteArray position; ///< to come back with
    QJsonObject gap;     ///< empty without one
};

QJsonObject object(const QByteArray &json)
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

Welcome listenByEventSource(TestHub &relay, const QByteArray &target, const QByteArray &since)
{
    HttpPeer peer(relay.port());
    QByteArrayList fields;
    if (!since.isEmpty()) {
        fields.append("Last-Event-ID: " + since);
    }
    Welcome welcome;
    // A gap comes before the first heartbeat.
    const bool isTold =
        peer.listen(target, fields).status == 200 && peer.waitForStream([&](auto &events) {
            while (const auto event = events.next()) {
                welcome.gap = event->type == "gap" ? object(event->data) : welcome.gap;
            }
            return events.comments() > 0;
        });
    welcome.position = peer.events().lastId();
    return isTold ? welcome : Welcome();
}

Welcome listenByMeta(TestHub &relay, const QByteArray &target, const QByteArray &since)
{
    PacedClient client(relay.port());
    if (!client.upgrade({"Sec-WebSocket-Protocol: relay.meta"}, with(target, since))) {
        return {};
    }
    const auto frame = client.nextFrame();
    const QJsonObject head = object(frame ? frame->payload : QByteArray());
    return {textAt(head, "position"), head.value(QLatin1String("gap")).toObject()};
}

Welcome readJson(TestHub &relay, const QByteArray &target, const QByteArray &since)
{
    HttpPeer peer(relay.port());
    const QJsonObject json = peer.ask(HttpPeer::get(with(target, since))).json();
    const QByteArray offset = QByteArray::number(json.value(QLatin1String("offset")).toInteger());
    return {json.contains(QLatin1String("position")) ? textAt(json, "position")
                                                     : textAt(json, "epoch") + '-' + offset,
            json.value(QLatin1String("gap")).toObject()};
}

/// Comes, is told, and has gone when this returns.
Welcome visit(TestHub &relay, Way way, const QByteArray &target, const QByteArray &since = {})
{
    const auto come = way == Way::EventSource ? listenByEventSource
                      : way == Way::Meta      ? listenByMeta
                                              : readJson;
    Welcome welcome = come(relay, target, since);
    if (!relay.waitForClients(0)) {
        return {};
    }
    return welcome;
}

/// Keeps no messages: a channel vanishes when its last client goes.
HubOptions forgetfulOptions()
{
    HubOptions options = optionsKeeping(0);
    options.eventSource.heartbeat = std::chrono::milliseconds(20);
    return options;
}

QByteArray publish(TestHub &relay, const QByteArray &channel)
{
    return relay.hub()
        .publish(ChannelName::fromText(channel).value(), "x", MessageKind::Text)
        .position.toText();
}

} // namespace

Q_DECLARE_METATYPE(Way)

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
    QTest::addColumn<Way>("way");
    QTest::addColumn<QByteArray>("target");
    for (const auto &[name, way] :
         {std::pair("EventSource", Way::EventSource), std::pair("relay.meta", Way::Meta),
          std::pair("JSON", Way::Json)})
    {
        for (const QByteArray target : {"/new", "/", "/spoken", "/new/*", "/**"}) {
            QTest::newRow((name + QByteArray(", ") + target).constData()) << way << target;
        }
    }
}

// The first thing that anybody does: open the page of a new channel, and reload it. The channel
// vanishes in between; its position does not.
void TestGaps::whoMissedNothingIsToldOfNoGap()
{
    QFETCH(Way, way);
    QFETCH(QByteArray, target);
    TestHub relay(forgetfulOptions());
    publish(relay, "spoken");
    const Welcome first = visit(relay, way, target);
    QVERIFY(first.position.size() > 13);
    QCOMPARE(relay.hub().channelCount(), 0);
    for (int i = 0; i < 3; ++i) {
        const Welcome again = visit(relay, way, target, first.position);
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
    const QByteArray before = visit(relay, Way::Meta, "/a/*").position;
    (void)visit(relay, Way::Meta, "/a/1"); // nothing is said there
    publish(relay, "b/1");
    QCOMPARE(visit(relay, Way::Meta, "/a/*", before).gap, QJsonObject());
    publish(relay, "a/2");
    const QJsonObject gap = visit(relay, Way::Meta, "/a/*", before).gap;
    QCOMPARE(textAt(gap, "from"), before);
    QCOMPARE(textAt(gap, "reason"), QByteArray("not_kept"));
    const QByteArray after = visit(relay, Way::Meta, "/a/*").position;
    QCOMPARE(visit(relay, Way::Meta, "/a/*", after).gap, QJsonObject());
}

void TestGaps::aGapSaysWhy_data()
{
    QTest::addColumn<Way>("way");
    QTest::addColumn<QByteArray>("target");
    for (const auto &[name, way] :
         {std::pair("EventSource", Way::EventSource), std::pair("relay.meta", Way::Meta),
          std::pair("JSON", Way::Json)})
    {
        for (const QByteArray target : {"/a", "/a/*"}) {
            QTest::newRow((name + QByteArray(", ") + target).constData()) << way << target;
        }
    }
}

// Messages that are certainly missing, and a position that says nothing (of another life of the relay),
// are told apart: a page need not cry that the relay began anew.
void TestGaps::aGapSaysWhy()
{
    QFETCH(Way, way);
    QFETCH(QByteArray, target);
    TestHub relay(forgetfulOptions());
    const QByteArray position = visit(relay, way, target).position;
    publish(relay, "a");
    publish(relay, "a/1");
    const Welcome missed = visit(relay, way, target, position);
    QCOMPARE(textAt(missed.gap, "reason"), QByteArray("not_kept"));
    QCOMPARE(textAt(missed.gap, "from"), position);
    const Welcome unknown = visit(relay, way, target, "0123456789ab-7");
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
    const QByteArray quiet = visit(relay, Way::Meta, "/quiet").position;
    const QByteArray a = publish(relay, "a");
    QCOMPARE(relay.hub().idlePositions(), 1);
    QCOMPARE(relay.hub().droppedPositions(), 0U);
    const QByteArray b = publish(relay, "b");
    QCOMPARE(relay.hub().idlePositions(), 1);
    QCOMPARE(relay.hub().droppedPositions(), 1U);
    QCOMPARE(textAt(visit(relay, Way::Meta, "/a", a).gap, "reason"),
             QByteArray("unknown_position"));
    QCOMPARE(visit(relay, Way::Meta, "/b", b).gap, QJsonObject());
    QCOMPARE(visit(relay, Way::Meta, "/quiet", quiet).gap, QJsonObject());
}

QTEST_GUILESS_MAIN(TestGaps)
#include "tst_gaps.moc"
