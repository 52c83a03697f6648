#include "hub/worker_watch.h"

#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QDeadlineTimer>
#include <QTest>

using namespace std::chrono_literals;
using relay::Clock;
using relay::StuckWorker;
using relay::TimePoint;
using relay::WorkerWatch;
using relay::test::PacedClient;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
using relay::test::WorkerHold;

namespace {

/// A worker that answers when the test says so.
struct FakeWorker
{
    std::vector<std::function<void()>> questions;

    WorkerWatch::Ask ask()
    {
        return [this](std::function<void()> answer) { questions.push_back(std::move(answer)); };
    }
    void answer()
    {
        for (const auto &question : std::exchange(questions, {})) {
            question();
        }
    }
};

const TimePoint kWatchStart{100s};

} // namespace

/// Who hangs is found, and nobody else.
class TestWorkerWatch : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void idleWorkersAreHealthy();
    void aQuestionOpenForFiveSecondsIsAHang();
    void aWorkerIsAskedOnceAtATime();
    void anAnswerAfterTheEndHurtsNobody();
    void aBlockedWorkerIsFoundAndRecovers();
    void aLongTurnIsTold();
};

// A worker with nothing to do answers each question; no time that passes between questions makes it
// suspect.
void TestWorkerWatch::idleWorkersAreHealthy()
{
    FakeWorker worker;
    WorkerWatch watch;
    watch.watch({worker.ask()});
    QVERIFY(watch.stuck(kWatchStart + 1h).empty()); // never asked
    for (int second = 0; second < 20; ++second) {
        watch.ask(kWatchStart + std::chrono::seconds(second));
        QCOMPARE(worker.questions.size(), std::size_t{1});
        worker.answer();
        QVERIFY(watch.stuck(kWatchStart + 1h).empty());
    }
}

// At five seconds it is told which worker and for how long, not before; with its answer all is well.
void TestWorkerWatch::aQuestionOpenForFiveSecondsIsAHang()
{
    FakeWorker good;
    FakeWorker bad;
    WorkerWatch watch;
    watch.watch({good.ask(), bad.ask()});
    watch.ask(kWatchStart);
    good.answer();
    QVERIFY(watch.stuck(kWatchStart + 5s - 1ns).empty());
    const std::vector<StuckWorker> stuck = watch.stuck(kWatchStart + 7s);
    QCOMPARE(stuck.size(), std::size_t{1});
    QCOMPARE(stuck.front().number, 2);
    QVERIFY(stuck.front().silentFor == 7s);
    QVERIFY(watch.silences(kWatchStart + 2s) == (std::vector<std::chrono::nanoseconds>{0s, 2s}));

    QTest::ignoreMessage(QtWarningMsg, "worker 2 has not answered for 8 seconds: its clients wait");
    watch.ask(kWatchStart + 8s);
    watch.ask(kWatchStart + 9s); // said once
    bad.answer();
    QVERIFY(watch.stuck(kWatchStart + 9s).empty());
    QTest::ignoreMessage(QtWarningMsg, "worker 2 answers again, after 10 seconds");
    watch.ask(kWatchStart + 10s);
}

// A worker that hangs does not find a heap of questions when it comes back.
void TestWorkerWatch::aWorkerIsAskedOnceAtATime()
{
    FakeWorker worker;
    WorkerWatch watch;
    watch.watch({worker.ask()});
    for (int i = 0; i < 4; ++i) {
        watch.ask(kWatchStart + i * 1s);
    }
    QCOMPARE(worker.questions.size(), std::size_t{1});
}

void TestWorkerWatch::anAnswerAfterTheEndHurtsNobody()
{
    FakeWorker worker;
    {
        WorkerWatch watch;
        watch.watch({worker.ask()});
        watch.ask(kWatchStart);
        watch.watch({}); // nobody any more
        QVERIFY(watch.stuck(kWatchStart + 1h).empty());
    }
    worker.answer();
}

// A receiver of the hub's signals that blocks its worker: the worker that it blocks counts as stuck
// once a question is open for long enough, and is healthy again when it goes on.
void TestWorkerWatch::aBlockedWorkerIsFoundAndRecovers()
{
    TestHub relay(testOptions(2), TestHub::Follow::MessagesToo);
    WorkerHold hold(relay.hub(), "hold");
    PacedClient client(relay.port());
    QVERIFY(client.upgrade());
    QVERIFY(relay.hub().stuckWorkers().empty());
    QVERIFY(client.sendText("hold"));
    QVERIFY(hold.waitUntilHeld());
    // Seen an hour from now: an open question is as good as a hang. The other worker's never stays open.
    std::vector<StuckWorker> stuck;
    QVERIFY(waitFor([&] {
        stuck = relay.hub().stuckWorkers(Clock::now() + 1h);
        return stuck.size() == 1;
    }));
    const int blocked = stuck.front().number;
    QVERIFY(blocked == 1 || blocked == 2);
    hold.release();
    QVERIFY(waitFor([&] { return relay.hub().stuckWorkers(Clock::now() + 1h).empty(); }));
    QCOMPARE(client.nextFrame().value_or(relay::test::ServerFrame()).payload, QByteArray("hold"));
}

// The longest turn is at least as long as a worker was held up, also while it still is.
void TestWorkerWatch::aLongTurnIsTold()
{
    TestHub relay(testOptions(), TestHub::Follow::MessagesToo);
    WorkerHold hold(relay.hub(), "hold");
    PacedClient client(relay.port());
    QVERIFY(client.upgrade());
    QVERIFY(client.sendText("hold"));
    QVERIFY(hold.waitUntilHeld());
    const TimePoint held = Clock::now();
    QVERIFY(waitFor([&] { return !relay.hub().stuckWorkers(Clock::now() + 1h).empty(); }));
    QVERIFY(waitFor([&] { return relay.hub().workerStats().front().longestTurn.count() > 0; }));
    const auto heldFor = Clock::now() - held;
    hold.release();
    QVERIFY(client.nextFrame().has_value());
    QVERIFY(waitFor([&] { return relay.hub().stuckWorkers(Clock::now() + 1h).empty(); }));
    QVERIFY(relay.hub().workerStats().front().longestTurn
            >= std::chrono::floor<std::chrono::microseconds>(heldFor));
    const auto turns = relay.hub().counters().turnSeconds;
    QVERIFY(turns.sum >= std::chrono::duration<double>(heldFor).count());
}

RELAY_TEST(TestWorkerWatch)
#include "tst_worker_watch.moc"
