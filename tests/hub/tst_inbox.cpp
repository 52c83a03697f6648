#include "hub/inbox.h"

#include "support/test_main.h"

#include <QTest>

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

using namespace std::chrono_literals;
using relay::Arrival;
using relay::Backpressure;
using relay::ClientId;
using relay::Delivery;
using relay::Frame;
using relay::Inbox;
using relay::Message;
using relay::Opcode;
using relay::SocketHandle;

namespace {

constexpr qsizetype kFrameBytes = 10;
/// What a message of kFrameBytes counts as.
constexpr qint64 kMessageCost = kFrameBytes + Message::kOverheadBytes + Inbox::kDeliveryCost;

/// A message of kFrameBytes on the wire.
Delivery delivery(char content)
{
    auto message = std::make_shared<Message>();
    message->frame = Frame(Opcode::Text, QByteArray(kFrameBytes - 2, content));
    return {std::move(message), nullptr};
}

} // namespace

class TestInbox : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void givesMessagesInTheirOrder();
    void needsOneWakeUpUntilItIsDrained();
    void arrivalsAskForAWakeUp();
    void drainingTwiceGivesNothing();
    void theShortestGraceCounts();
    void backpressureEndsWithTheDrain_data();
    void backpressureEndsWithTheDrain();
    void backpressureIsOnWhileAnyIsFull();
    void drainingOnlyMessagesKeepsTheRest();
    void anUndrainedArrivalIsClosed();

private:
    int m_wakeUps = 0;
    int m_reliefs = 0;
    std::unique_ptr<Backpressure> m_backpressure;
    std::unique_ptr<Inbox> m_inbox;
};

void TestInbox::init()
{
    m_wakeUps = 0;
    m_reliefs = 0;
    m_backpressure = std::make_unique<Backpressure>([this] { ++m_reliefs; });
    m_inbox = std::make_unique<Inbox>(3 * kMessageCost, *m_backpressure, [this] { ++m_wakeUps; });
}

// The order of a channel is the order in which its inboxes are pushed to.
void TestInbox::givesMessagesInTheirOrder()
{
    for (const char content : std::string_view("abcdef")) {
        (void)m_inbox->push(delivery(content));
    }
    Inbox::Content content;
    m_inbox->drain(content);
    QByteArray order;
    for (const Delivery &drained : content.deliveries) {
        order += drained.message->frame.payload().front();
    }
    QCOMPARE(order, QByteArray("abcdef"));
}

// One wake-up serves all that comes before the worker looks: a wake-up is a system call.
void TestInbox::needsOneWakeUpUntilItIsDrained()
{
    QVERIFY(m_inbox->push(delivery('a')));
    QVERIFY(!m_inbox->push(delivery('b')));
    QCOMPARE(m_wakeUps, 0); // the channel does it, once its lock is free
    m_inbox->wake();
    QCOMPARE(m_wakeUps, 1);
    Inbox::Content content;
    m_inbox->drain(content);
    QVERIFY(m_inbox->push(delivery('c')));
}

// A connection must not wait for a message to come by; one wake-up serves all that come together.
void TestInbox::arrivalsAskForAWakeUp()
{
    QVERIFY(m_inbox->push(Arrival{}));
    QVERIFY(!m_inbox->push(Arrival{}));
    QCOMPARE(m_wakeUps, 0);
    m_inbox->pushClose(1s);
    QCOMPARE(m_wakeUps, 1);
    Inbox::Content content;
    m_inbox->drain(content);
    QCOMPARE(content.arrivals.size(), std::size_t{2});
}

// Nothing is given twice, nor does an empty inbox disturb what it is drained into.
void TestInbox::drainingTwiceGivesNothing()
{
    (void)m_inbox->push(delivery('a'));
    m_inbox->pushClose(1s);
    Inbox::Content first;
    m_inbox->drain(first);
    QCOMPARE(first.deliveries.size(), std::size_t{1});
    QVERIFY(first.closeWithin.has_value());
    Inbox::Content second;
    m_inbox->drain(second);
    QVERIFY(second.deliveries.empty());
    QVERIFY(!second.closeWithin);
}

// Who asks for a quick end is not put off by an earlier or later patient one.
void TestInbox::theShortestGraceCounts()
{
    m_inbox->pushClose(5s);
    m_inbox->pushClose(1s);
    m_inbox->pushClose(3s);
    Inbox::Content content;
    m_inbox->drain(content);
    QCOMPARE(content.closeWithin.value(), 1000ms);
}

void TestInbox::backpressureEndsWithTheDrain_data()
{
    QTest::addColumn<int>("messages");
    QTest::addColumn<bool>("isOn");
    QTest::newRow("one below the limit") << 2 << false;
    QTest::newRow("at the limit") << 3 << true;
    QTest::newRow("past it: counted once") << 6 << true;
}

// Senders are paused while an inbox is full, and told when it was drained: by either way, once.
void TestInbox::backpressureEndsWithTheDrain()
{
    QFETCH(int, messages);
    QFETCH(bool, isOn);
    for (const bool onlyMessages : {false, true}) {
        m_reliefs = 0;
        for (int i = 0; i < messages; ++i) {
            (void)m_inbox->push(delivery('x'));
            QCOMPARE(m_inbox->waitingBytes(), (i + 1) * kMessageCost);
        }
        QCOMPARE(m_backpressure->isOn(), isOn);
        Inbox::Content content;
        if (onlyMessages) {
            m_inbox->drainDeliveries(content.deliveries);
        } else {
            m_inbox->drain(content);
        }
        QCOMPARE(content.deliveries.size(), static_cast<std::size_t>(messages));
        QCOMPARE(m_inbox->waitingBytes(), 0);
        QVERIFY(!m_backpressure->isOn());
        QCOMPARE(m_reliefs, isOn ? 1 : 0);
    }
}

// Hub::publish() and HTTP publishers are refused by this: while one worker cannot follow, no message
// reaches only a part of those who listen. The last one to be drained ends it.
void TestInbox::backpressureIsOnWhileAnyIsFull()
{
    Inbox other(kMessageCost, *m_backpressure, [] {});
    (void)other.push(delivery('x'));
    for (int i = 0; i < 3; ++i) {
        (void)m_inbox->push(delivery('x'));
    }
    Inbox::Content content;
    m_inbox->drain(content);
    QVERIFY(m_backpressure->isOn());
    QCOMPARE(m_reliefs, 0);
    other.drain(content = {});
    QVERIFY(!m_backpressure->isOn());
    QCOMPARE(m_reliefs, 1);
}

// A worker that writes within its turn leaves connections and the end for the turn's end.
void TestInbox::drainingOnlyMessagesKeepsTheRest()
{
    (void)m_inbox->push(Arrival{{}, ClientId{7}, true});
    (void)m_inbox->push(delivery('a'));
    m_inbox->pushClose(2s);
    std::vector<Delivery> deliveries;
    m_inbox->drainDeliveries(deliveries);
    QCOMPARE(deliveries.size(), std::size_t{1});
    Inbox::Content content;
    m_inbox->drain(content);
    QVERIFY(content.deliveries.empty());
    QCOMPARE(content.arrivals.size(), std::size_t{1});
    QCOMPARE(content.arrivals.front().id, ClientId{7});
    QVERIFY(content.arrivals.front().isOverLimit);
    QCOMPARE(content.closeWithin.value(), 2000ms);
}

// A connection that no worker takes any more does not leak its descriptor.
void TestInbox::anUndrainedArrivalIsClosed()
{
    const int descriptor = ::dup(STDERR_FILENO);
    QVERIFY(descriptor >= 0);
    (void)m_inbox->push(Arrival{{SocketHandle(descriptor), {}}, ClientId{1}, false});
    QVERIFY(::fcntl(descriptor, F_GETFD) >= 0);
    m_inbox.reset();
    QCOMPARE(::fcntl(descriptor, F_GETFD), -1);
}

RELAY_TEST(TestInbox)
#include "tst_inbox.moc"
