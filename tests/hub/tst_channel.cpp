#include "hub/channel.h"

#include <QTest>

#include <memory>
#include <thread>
#include <vector>

using relay::Backpressure;
using relay::Channel;
using relay::ClientId;
using relay::Delivery;
using relay::Frame;
using relay::Inbox;
using relay::Opcode;

namespace {

Delivery delivery(const QByteArray &payload)
{
    return {Frame(Opcode::Text, payload), ClientId{1}, {}};
}

QByteArrayList drain(Inbox &inbox)
{
    Inbox::Content content;
    inbox.drain(content);
    QByteArrayList payloads;
    for (const Delivery &drained : content.deliveries) {
        payloads.append(drained.frame.payload().toByteArray());
    }
    return payloads;
}

} // namespace

class TestChannel : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void givesToThoseWhoHaveJoined();
    void wakesAllButTheSendersOwn();
    void saysWhatWaitsInTheSendersOwn();
    void givesNothingToAnyWhileOneIsFull();
    void everyInboxHasTheSameOrder();

private:
    static constexpr int kInboxes = 3;
    static constexpr qint64 kInboxBytes = 4 * 1024 * 1024;

    std::unique_ptr<Channel> m_channel;
    std::unique_ptr<Backpressure> m_backpressure;
    std::vector<int> m_wakeUps;
    std::vector<std::unique_ptr<Inbox>> m_inboxes;
};

void TestChannel::init()
{
    m_channel = std::make_unique<Channel>();
    m_backpressure = std::make_unique<Backpressure>([] {});
    m_wakeUps.assign(kInboxes, 0);
    m_inboxes.clear();
    for (std::size_t i = 0; i < kInboxes; ++i) {
        m_inboxes.push_back(
            std::make_unique<Inbox>(kInboxBytes, *m_backpressure, [this, i] { ++m_wakeUps[i]; }));
    }
}

// A worker without members is spared every message; one that has some gets all from then on.
void TestChannel::givesToThoseWhoHaveJoined()
{
    m_channel->publish(delivery("before"), nullptr);
    m_channel->join(*m_inboxes[0]);
    m_channel->publish(delivery("a"), nullptr);
    m_channel->join(*m_inboxes[1]);
    QVERIFY(m_channel->tryPublish(delivery("b")));
    m_channel->leave(*m_inboxes[0]);
    m_channel->publish(delivery("c"), nullptr);

    QCOMPARE(drain(*m_inboxes[0]), (QByteArrayList{"a", "b"}));
    QCOMPARE(drain(*m_inboxes[1]), (QByteArrayList{"b", "c"}));
    QCOMPARE(drain(*m_inboxes[2]), QByteArrayList{});
}

// The sender's worker drains its inbox at the end of this very turn; all others may be asleep.
void TestChannel::wakesAllButTheSendersOwn()
{
    for (const auto &inbox : m_inboxes) {
        m_channel->join(*inbox);
    }
    m_channel->publish(delivery("a"), m_inboxes[1].get());
    QCOMPARE(m_wakeUps, (std::vector<int>{1, 0, 1}));
    m_channel->publish(delivery("b"), m_inboxes[1].get());
    QCOMPARE(m_wakeUps, (std::vector<int>{1, 0, 1})); // not drained yet: they know
    for (const auto &inbox : m_inboxes) {
        QCOMPARE(drain(*inbox), (QByteArrayList{"a", "b"}));
    }
    QVERIFY(m_channel->tryPublish(delivery("c")));
    QCOMPARE(m_wakeUps, (std::vector<int>{2, 1, 2}));
}

// By it a worker knows when to write within its turn.
void TestChannel::saysWhatWaitsInTheSendersOwn()
{
    m_channel->join(*m_inboxes[0]);
    m_channel->join(*m_inboxes[1]);
    constexpr qint64 kMessageCost = 10 + Inbox::kDeliveryCost;
    QCOMPARE(m_channel->publish(delivery("12345678"), m_inboxes[0].get()), kMessageCost);
    QCOMPARE(m_channel->publish(delivery("12345678"), m_inboxes[0].get()), 2 * kMessageCost);
    QCOMPARE(m_channel->publish(delivery("12345678"), m_inboxes[2].get()), 0); // has not joined
}

// A publisher is answered for all members at once: no message reaches only a part of them.
void TestChannel::givesNothingToAnyWhileOneIsFull()
{
    m_channel->join(*m_inboxes[0]);
    m_channel->join(*m_inboxes[1]);
    (void)m_inboxes[1]->push(delivery(QByteArray(kInboxBytes, 'x')));
    QVERIFY(!m_channel->tryPublish(delivery("refused")));
    QCOMPARE(drain(*m_inboxes[0]), QByteArrayList{});
    QCOMPARE(drain(*m_inboxes[1]).size(), 1);
    QVERIFY(m_channel->tryPublish(delivery("taken")));
    QCOMPARE(drain(*m_inboxes[0]), QByteArrayList{"taken"});
    QCOMPARE(drain(*m_inboxes[1]), QByteArrayList{"taken"});
}

// Total order: whoever publishes from whatever thread, all workers get one and the same sequence.
void TestChannel::everyInboxHasTheSameOrder()
{
    constexpr int kThreads = 4;
    constexpr int kMessages = 2000;
    for (const auto &inbox : m_inboxes) {
        m_channel->join(*inbox);
    }
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([this, thread] {
            for (int i = 0; i < kMessages; ++i) {
                const QByteArray payload = QByteArray::number(thread) + ':' + QByteArray::number(i);
                if (i % 2 == 0) {
                    m_channel->publish(delivery(payload), nullptr);
                } else {
                    (void)m_channel->tryPublish(delivery(payload));
                }
            }
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    const QByteArrayList order = drain(*m_inboxes[0]);
    QCOMPARE(order.size(), kThreads * kMessages);
    std::vector<int> next(kThreads, 0);
    for (const QByteArray &payload : order) {
        const auto thread = static_cast<std::size_t>(payload.front() - '0');
        QCOMPARE(payload.mid(2).toInt(), next[thread]++);
    }
    QCOMPARE(drain(*m_inboxes[1]), order);
    QCOMPARE(drain(*m_inboxes[2]), order);
}

QTEST_APPLESS_MAIN(TestChannel)
#include "tst_channel.moc"
