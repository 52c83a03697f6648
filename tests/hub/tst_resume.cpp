#include "resuming_listener.h"
#include "support/http_peer.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QTest>
#include <QThread>

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <set>

using namespace std::chrono_literals;
using relay::ChannelName;
using relay::ChannelPattern;
using relay::HubOptions;
using relay::MessageKind;
using relay::test::HttpPeer;
using relay::test::PacedClient;
using relay::test::ResumingListener;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
using Entry = ResumingListener::Entry;

namespace {

constexpr int kListeners = 50;
constexpr int kPublishers = 4;
constexpr int kMessages = 20'000; // of all publishers together
/// Sent at once, by each publisher, before the answers are waited for.
constexpr int kWindow = 25;
/// Listeners that drop each time when they all were looked after.
constexpr int kDrops = 4;
const QByteArray kLast = "the last one";

HubOptions optionsWith(int historyMessages)
{
    relay::ChannelOptions channel;
    channel.history.messages = historyMessages;
    channel.history.size = 16 << 20;
    HubOptions options = testOptions(2);
    options.limits.queueSize = qint64{64} << 20; // nobody is slow, but under a sanitizer all are
    options.channels = {relay::ChannelRule{ChannelPattern::fromText("**").value(), channel}};
    return options;
}

/// How many messages each publisher may have sent: else they would be through before the listeners,
/// which share one thread, have dropped more than once.
using Allowance = std::atomic<int>;

/// Publishes its share by POST, in turns to all channels. Returns whether all was accepted.
bool publishByPost(quint16 port, int publisher, const QByteArrayList &paths, Allowance &allowance)
{
    HttpPeer peer(port);
    for (int first = 0; first < kMessages / kPublishers; first += kWindow) {
        if (!waitFor([&] { return allowance >= first + kWindow; })) {
            return false;
        }
        QByteArray requests;
        for (int i = first; i < first + kWindow; ++i) {
            requests += HttpPeer::post(paths[i % paths.size()],
                                       QByteArray::number(publisher) + ':' + QByteArray::number(i),
                                       {"Content-Type: text/plain"});
        }
        if (!peer.send(requests)) {
            return false;
        }
        for (int i = 0; i < kWindow; ++i) {
            if (peer.answer().status != 200) {
                return false;
            }
        }
    }
    return true;
}

/// The same by WebSocket, to one channel; it waits for its own echo.
bool publishByWebSocket(quint16 port, int publisher, const QByteArray &path, Allowance &allowance)
{
    PacedClient client(port);
    if (!client.upgrade({}, path)) {
        return false;
    }
    const QByteArray own = QByteArray::number(publisher) + ':';
    for (int first = 0; first < kMessages / kPublishers; first += kWindow) {
        if (!waitFor([&] { return allowance >= first + kWindow; })) {
            return false;
        }
        QByteArray frames;
        for (int i = first; i < first + kWindow; ++i) {
            frames += relay::test::clientFrame(relay::test::Op::Text, own + QByteArray::number(i));
        }
        if (!client.send(frames)) {
            return false;
        }
        for (int missing = kWindow; missing > 0;) {
            const auto frame = client.nextFrame();
            if (!frame) {
                return false;
            }
            missing -= frame->payload.startsWith(own) ? 1 : 0;
        }
    }
    return true;
}

/// Whether the newest entries are the last messages of so many channels.
bool hasAllLast(const ResumingListener &listener, std::ptrdiff_t channels)
{
    const auto &entries = listener.entries();
    const auto tail = entries.end() - std::min(std::ssize(entries), channels);
    return std::count_if(tail, entries.end(),
                         [](const Entry &entry) { return entry.payload == kLast; })
           == channels;
}

/// Everyone who publishes, each on a thread of its own.
class Publishers
{
public:
    Publishers(quint16 port, const QByteArrayList &paths)
    {
        for (int i = 0; i < kPublishers; ++i) {
            m_threads.emplace_back(QThread::create([this, port, paths, i] {
                const bool isByPost = paths.size() > 1 || i % 2 == 0;
                m_succeeded += isByPost ? publishByPost(port, i, paths, m_allowance)
                                        : publishByWebSocket(port, i, paths.first(), m_allowance);
                ++m_finished;
            }));
            m_threads.back()->start();
        }
    }
    ~Publishers()
    {
        for (const auto &thread : m_threads) {
            while (!thread->wait(1)) { // the hub accepts in this thread
                QCoreApplication::processEvents();
            }
        }
    }
    Publishers(const Publishers &) = delete;
    Publishers &operator=(const Publishers &) = delete;

    void allowAnotherWindow() { m_allowance += kWindow; }
    [[nodiscard]] bool areDone() const { return m_finished == kPublishers; }
    [[nodiscard]] bool haveSucceeded() const { return m_succeeded == kPublishers; }

private:
    Allowance m_allowance{0};
    std::atomic<int> m_finished{0};
    std::atomic<int> m_succeeded{0};
    std::vector<std::unique_ptr<QThread>> m_threads;
};

} // namespace

class TestResume : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void everyOffsetOnce();
    void everyOffsetOfAPatternOnce();
    void whatIsMissingIsWhatTheGapsSay();
    void whatIsMissingOfAPatternIsInTheGaps();

private:
    using Listeners = std::vector<std::unique_ptr<ResumingListener>>;
    /// Listens, publishes, drops and comes back, until everyone has had the last message of each
    /// channel. The first listener never drops.
    void run(TestHub &relay, const QByteArray &target, const QByteArrayList &paths);
    void shake(Listeners &listeners);

    std::mt19937 m_random;
    Listeners m_listeners;
};

void TestResume::initTestCase()
{
    const QByteArray given = qgetenv("RELAY_TEST_SEED");
    const unsigned seed = given.isEmpty() ? std::random_device{}() : given.toUInt();
    qInfo("RELAY_TEST_SEED=%u", seed);
    m_random.seed(seed);
}

void TestResume::shake(Listeners &listeners)
{
    for (const auto &listener : listeners) {
        const auto dice = m_random() % 10;
        if (!listener->isConnected()) {
            if (dice < 7) {
                listener->connect();
            }
        } else if (dice < 9) { // else what has come may be lost
            listener->poll();
        }
    }
    for (int i = 0; i < kDrops; ++i) {
        ResumingListener &listener = *listeners[1 + m_random() % (kListeners - 1)];
        // Seldom within its handshake: the relay would do nothing but accept.
        if (listener.isConnected() && (listener.isListening() || m_random() % 100 == 0)) {
            listener.vanish(m_random() % 2 == 0);
        }
    }
}

void TestResume::run(TestHub &relay, const QByteArray &target, const QByteArrayList &paths)
{
    m_listeners.clear();
    for (int i = 0; i < kListeners; ++i) {
        m_listeners.push_back(std::make_unique<ResumingListener>(
            i % 2 == 0 ? ResumingListener::Kind::WebSocket : ResumingListener::Kind::EventStream,
            relay.port(), target));
        m_listeners.back()->connect();
    }
    const auto pollAll = [&] {
        for (const auto &listener : m_listeners) {
            listener->poll();
        }
    };
    QVERIFY(waitFor([&] {
        pollAll();
        return std::all_of(m_listeners.begin(), m_listeners.end(),
                           [](const auto &listener) { return listener->isListening(); });
    }));
    {
        Publishers publishers(relay.port(), paths);

        QVERIFY(waitFor(
            [&] {
                shake(m_listeners);
                publishers.allowAnotherWindow();
                return publishers.areDone();
            },
            100s));
        QVERIFY(publishers.haveSucceeded());
    }
    for (const QByteArray &path : paths) {
        const auto name = ChannelName::fromPath(path).value();
        QCOMPARE(relay.hub().publish(name, kLast, MessageKind::Text).status,
                 relay::Hub::Published::Accepted);
    }
    int connections = 0;
    for (const auto &listener : m_listeners) {
        if (!listener->isConnected()) {
            listener->connect();
        }
        connections += listener->connections();
    }
    const auto isDone = [&](const auto &listener) {
        return hasAllLast(*listener, std::ssize(paths));
    };
    const bool areDone = waitFor(
        [&] {
            pollAll();
            return std::all_of(m_listeners.begin(), m_listeners.end(), isDone);
        },
        60s);
    for (const auto &listener : m_listeners) {
        QCOMPARE(listener->problem(), QByteArray());
        QVERIFY2(isDone(listener), qPrintable(QString::number(listener->entries().size())));
    }
    QVERIFY(areDone);
    qInfo("%d connections for %d listeners", connections, kListeners);
    QVERIFY(connections > 3 * kListeners);
}

// Whoever drops and comes back, at any moment of four publishers' doing, has every message once, in
// the order that all have.
void TestResume::everyOffsetOnce()
{
    TestHub relay(optionsWith(2 * kMessages));
    run(relay, "/load", {"/load"});
    if (QTest::currentTestFailed()) {
        return;
    }
    const auto &first = m_listeners.front()->entries();
    QCOMPARE(first.size(), std::size_t{kMessages + 1});
    for (const auto &listener : m_listeners) {
        const auto &entries = listener->entries();
        QCOMPARE(entries.size(), first.size());
        for (std::size_t i = 0; i < entries.size(); ++i) {
            QVERIFY(!entries[i].isGap);
            QCOMPARE(entries[i].offset, quint64{i} + 1);
            QCOMPARE(entries[i].payload, first[i].payload);
        }
    }
    const auto resumes = relay.hub().counters().resumes;
    QVERIFY(resumes[static_cast<std::size_t>(relay::ResumeResult::Exact)] > kListeners);
    QCOMPARE(resumes[static_cast<std::size_t>(relay::ResumeResult::Gap)], 0U);
    QCOMPARE(resumes[static_cast<std::size_t>(relay::ResumeResult::Unknown)], 0U);
}

// The same for who listens to five channels at once: one cursor stands for all of them.
void TestResume::everyOffsetOfAPatternOnce()
{
    TestHub relay(optionsWith(2 * kMessages));
    run(relay, "/load/*", {"/load/1", "/load/2", "/load/3", "/load/4", "/load/5"});
    if (QTest::currentTestFailed()) {
        return;
    }
    const auto &first = m_listeners.front()->entries();
    QCOMPARE(first.size(), std::size_t{kMessages + 5});
    for (const auto &listener : m_listeners) {
        std::map<QByteArray, quint64> last;
        quint64 position = 0;
        QCOMPARE(listener->entries().size(), first.size());
        for (std::size_t i = 0; i < first.size(); ++i) {
            const Entry &entry = listener->entries()[i];
            QVERIFY(!entry.isGap);
            QCOMPARE(entry.offset, ++last[entry.channel]);
            QVERIFY(entry.position > std::exchange(position, entry.position));
            QCOMPARE(entry.channel, first[i].channel);
            QCOMPARE(entry.payload, first[i].payload);
        }
    }
    QCOMPARE(relay.hub().counters().resumes[static_cast<std::size_t>(relay::ResumeResult::Gap)],
             0U);
}

// With a short history much is lost; but no offset is missing that no gap names, and a gap names no
// offset that was given.
void TestResume::whatIsMissingIsWhatTheGapsSay()
{
    TestHub relay(optionsWith(20));
    run(relay, "/load", {"/load"});
    if (QTest::currentTestFailed()) {
        return;
    }
    int gaps = 0;
    for (const auto &listener : m_listeners) {
        quint64 last = 0;
        for (const Entry &entry : listener->entries()) {
            if (entry.isGap) {
                ++gaps;
                QCOMPARE(entry.from, last);
                QVERIFY(entry.position > last);
                last = entry.position;
            } else {
                QCOMPARE(entry.offset, ++last);
            }
        }
        QCOMPARE(last, quint64{kMessages + 1});
    }
    qInfo("%d gaps", gaps);
    QVERIFY(gaps > 0);
}

// The histories of a pattern's channels end at different places: what is missing lies within a gap
// that was told, though some of what lies there could be given.
void TestResume::whatIsMissingOfAPatternIsInTheGaps()
{
    TestHub relay(optionsWith(20));
    run(relay, "/load/*", {"/load/1", "/load/1", "/load/1", "/load/2", "/load/3"});
    if (QTest::currentTestFailed()) {
        return;
    }
    const auto &all = m_listeners.front()->entries(); // it never dropped
    QCOMPARE(all.size(), std::size_t{kMessages + 5});
    int gaps = 0;
    for (const auto &listener : m_listeners) {
        std::set<quint64> given;
        std::vector<std::pair<quint64, quint64>> told;
        quint64 last = 0;
        for (const Entry &entry : listener->entries()) {
            if (entry.isGap) {
                told.emplace_back(entry.from, entry.position);
                QVERIFY(entry.position > entry.from);
            } else {
                QVERIFY(entry.position > std::exchange(last, entry.position));
                given.insert(entry.position);
            }
        }
        for (const Entry &entry : all) {
            const bool isTold = std::any_of(told.begin(), told.end(), [&](const auto &gap) {
                return gap.first < entry.position && entry.position <= gap.second;
            });
            QVERIFY2(given.contains(entry.position) || isTold,
                     qPrintable(QString::number(entry.position)));
        }
        gaps += static_cast<int>(told.size());
    }
    qInfo("%d gaps", gaps);
    QVERIFY(gaps > 0);
}

RELAY_TEST(TestResume)
#include "tst_resume.moc"
