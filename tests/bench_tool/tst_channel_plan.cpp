#include "channel_plan.h"
#include "support/test_main.h"

#include <QTest>

#include <vector>

using relay::bench::ChannelPlan;

class TestChannelPlan : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void countsAsAWalkDoes_data();
    void countsAsAWalkDoes();
    void namesChannels_data();
    void namesChannels();
    void asksToResume();
};

void TestChannelPlan::countsAsAWalkDoes_data()
{
    QTest::addColumn<int>("channels");
    QTest::addColumn<int>("publishers");
    QTest::addColumn<int>("clients");
    QTest::addRow("one of all") << 1 << 1 << 1;
    QTest::addRow("one channel") << 1 << 3 << 10;
    QTest::addRow("two, even") << 2 << 4 << 10;
    QTest::addRow("two, one more on the first") << 2 << 3 << 11;
    QTest::addRow("channels without a publisher") << 5 << 2 << 11;
    QTest::addRow("everybody alone") << 7 << 7 << 7;
}

// Each client is on one channel, each publisher has a place of its own there, and the sums that the
// verdict rests on are what walking over all clients gives.
void TestChannelPlan::countsAsAWalkDoes()
{
    QFETCH(int, channels);
    QFETCH(int, publishers);
    QFETCH(int, clients);
    const ChannelPlan plan{.channels = channels, .publishers = publishers};
    std::vector<int> members(static_cast<std::size_t>(channels));
    std::vector<std::size_t> senders(static_cast<std::size_t>(channels));
    int probers = 0;
    for (int client = 0; client < clients; ++client) {
        const auto channel = static_cast<std::size_t>(plan.channelOf(client));
        QCOMPARE(plan.isProber(client), members[channel] == 0);
        probers += plan.isProber(client) ? 1 : 0;
        ++members[channel];
        if (client < publishers) {
            QCOMPARE(plan.slotOf(client), senders[channel]);
            ++senders[channel];
        }
    }
    QCOMPARE(probers, channels);
    for (int channel = 0; channel < channels; ++channel) {
        QCOMPARE(plan.membersOf(channel, clients), members[static_cast<std::size_t>(channel)]);
        QCOMPARE(plan.publishersOf(channel), senders[static_cast<std::size_t>(channel)]);
    }
}

void TestChannelPlan::namesChannels_data()
{
    QTest::addColumn<int>("channels");
    QTest::addColumn<QByteArray>("target");
    QTest::addColumn<QByteArray>("channel2");
    QTest::addRow("one: as it is") << 1 << QByteArray("/a/?x=1") << QByteArray("/a/?x=1");
    QTest::addRow("root") << 3 << QByteArray("/") << QByteArray("/bench-2");
    QTest::addRow("a path") << 3 << QByteArray("/a") << QByteArray("/a/bench-2");
    QTest::addRow("a path with a slash") << 3 << QByteArray("/a/") << QByteArray("/a/bench-2");
    QTest::addRow("a query") << 3 << QByteArray("/a?echo=0&x=/")
                             << QByteArray("/a/bench-2?echo=0&x=/");
}

void TestChannelPlan::namesChannels()
{
    QFETCH(int, channels);
    QFETCH(QByteArray, target);
    const ChannelPlan plan{.channels = channels, .publishers = 1};
    QTEST(QByteArray::fromStdString(plan.targetOf(target.toStdString(), 2)), "channel2");
}

void TestChannelPlan::asksToResume()
{
    const relay::bench::StreamPosition position{.epoch = 0x5F2C9A11C07B, .offset = 17};
    QCOMPARE(relay::bench::withSince("/a", position), std::string("/a?since=5f2c9a11c07b-17"));
    QCOMPARE(relay::bench::withSince("/?echo=0", position),
             std::string("/?echo=0&since=5f2c9a11c07b-17"));
}

RELAY_TEST(TestChannelPlan)
#include "tst_channel_plan.moc"
