#include "base/log_writer.h"

#include "support/test_main.h"
#include "support/wait_for.h"

#include <QTest>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

using namespace relay;
using namespace std::chrono_literals;

namespace {

/// What the writer writes to: it takes lines only while it is open, as a pipe that is read or not.
class Sink
{
public:
    explicit Sink(bool isOpen = true)
        : m_isOpen(isOpen)
    {}

    bool take(const LogLine &line)
    {
        std::unique_lock lock(m_mutex);
        m_isEntered = true;
        m_changed.notify_all();
        m_changed.wait(lock, [&] { return m_isOpen; });
        if (m_fails) {
            return false;
        }
        m_lines.append(line.message);
        return true;
    }

    void open()
    {
        const std::lock_guard lock(m_mutex);
        m_isOpen = true;
        m_changed.notify_all();
    }
    void setFails(bool fails)
    {
        const std::lock_guard lock(m_mutex);
        m_fails = fails;
    }
    /// Waits until the writer's thread is in take().
    void waitUntilEntered()
    {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [&] { return m_isEntered; });
    }
    QStringList lines()
    {
        const std::lock_guard lock(m_mutex);
        return m_lines;
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_changed;
    bool m_isOpen;
    bool m_isEntered = false;
    bool m_fails = false;
    QStringList m_lines;
};

LogWriter::Sink into(const std::shared_ptr<Sink> &sink)
{
    return [sink](const LogLine &line) { return sink->take(line); };
}

LogLine line(const QString &message)
{
    return {{}, QtInfoMsg, "relay.hub", message};
}

quint64 dropped(const LogWriter &writer, LogDrop reason)
{
    return writer.dropped()[static_cast<std::size_t>(reason)];
}

} // namespace

/// Relaying never waits for the log.
class TestLogWriter : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void linesComeOutInTheirOrder();
    void whatAFullQueueLeavesOutIsCountedAndTold();
    void queueHoldsSoManyBytes();
    void whatTheRateLeavesOutIsCountedAndTold();
    void failedWritesAreCountedAndTold();
    void lastWordsPassTheLimits();
    void flushHasAnEnd();
    void theEndWritesWhatWaits();
    void theEndDoesNotWaitForABlockedSink();
};

void TestLogWriter::linesComeOutInTheirOrder()
{
    const auto sink = std::make_shared<Sink>();
    LogWriter writer(into(sink), 0);
    QStringList pushed;
    for (int i = 0; i < 1000; ++i) {
        pushed.append(QString::number(i));
        writer.push(line(pushed.last()));
    }
    QVERIFY(writer.flush(test::kPatience));
    QCOMPARE(sink->lines(), pushed);
    QCOMPARE(writer.dropped(), LogDropCounts{});
}

/// While nobody reads the log, pushing returns nevertheless. The queue holds as many lines as its limit says; the next is left
/// out, counted, and reported after those that the queue was full of.
void TestLogWriter::whatAFullQueueLeavesOutIsCountedAndTold()
{
    const auto sink = std::make_shared<Sink>(false);
    LogWriter writer(into(sink), 0);
    writer.push(line(QStringLiteral("in the sink")));
    sink->waitUntilEntered();
    for (int i = 0; i < LogWriter::kMaxQueuedLines; ++i) {
        writer.push(line(QString()));
    }
    QCOMPARE(dropped(writer, LogDrop::QueueFull), 0U);
    writer.push(line(QStringLiteral("one more")));
    QCOMPARE(dropped(writer, LogDrop::QueueFull), 1U);

    sink->open();
    QVERIFY(writer.flush(test::kPatience));
    writer.push(line(QStringLiteral("afterwards")));
    QVERIFY(writer.flush(test::kPatience));
    const QStringList lines = sink->lines();
    QCOMPARE(lines.size(), LogWriter::kMaxQueuedLines + 3);
    QCOMPARE(lines[LogWriter::kMaxQueuedLines + 1],
             QStringLiteral("1 line left out: standard error did not take them in time"));
    QCOMPARE(lines.last(), QStringLiteral("afterwards"));
}

/// Long lines fill the queue by their bytes.
void TestLogWriter::queueHoldsSoManyBytes()
{
    const auto sink = std::make_shared<Sink>(false);
    LogWriter writer(into(sink), 0);
    writer.push(line(QStringLiteral("in the sink")));
    sink->waitUntilEntered();
    const qsizetype room = LogWriter::kMaxQueuedBytes - LogWriter::bytesOf(line(QString()));
    const QString longest(room / 2, QLatin1Char('x'));
    QVERIFY(LogWriter::bytesOf(line(longest)) > LogWriter::kMaxQueuedBytes - 2);
    writer.push(line(longest + QLatin1Char('x')));
    QCOMPARE(dropped(writer, LogDrop::QueueFull), 1U);
    writer.push(line(longest));
    QCOMPARE(dropped(writer, LogDrop::QueueFull), 1U);
    writer.push(line(QString()));
    QCOMPARE(dropped(writer, LogDrop::QueueFull), 2U);

    sink->open();
    QVERIFY(writer.flush(test::kPatience));
    QVERIFY(sink->lines().contains(longest));
}

/// The line that tells of it names the key.
void TestLogWriter::whatTheRateLeavesOutIsCountedAndTold()
{
    const auto sink = std::make_shared<Sink>();
    LogWriter writer(into(sink), 2, [] { return TimePoint(); });
    for (const char *message : {"a", "b", "c", "d"}) {
        writer.push(line(QString::fromLatin1(message)));
    }
    QCOMPARE(dropped(writer, LogDrop::Rate), 2U);
    QVERIFY(writer.flush(test::kPatience));
    QCOMPARE(sink->lines(),
             QStringList({QStringLiteral("a"), QStringLiteral("b"),
                          QStringLiteral("2 info lines of relay.hub left out: more than "
                                         "logging.rate (2) in a second")}));
}

/// A full disk, or a reader that is gone: the lines are counted, and the log says so once it can be written again.
void TestLogWriter::failedWritesAreCountedAndTold()
{
    const auto sink = std::make_shared<Sink>();
    LogWriter writer(into(sink), 0);
    sink->setFails(true);
    writer.push(line(QStringLiteral("a")));
    writer.push(line(QStringLiteral("b")));
    QVERIFY(writer.flush(test::kPatience));
    QCOMPARE(dropped(writer, LogDrop::WriteFailed), 2U);
    sink->setFails(false);
    writer.push(line(QStringLiteral("c")));
    QVERIFY(writer.flush(test::kPatience));
    QCOMPARE(sink->lines().first(), QStringLiteral("c"));
    QVERIFY(sink->lines().last().startsWith(QStringLiteral("2 lines left out")));
}

/// The reason why a process ends is written even if its log is over every limit.
void TestLogWriter::lastWordsPassTheLimits()
{
    const auto sink = std::make_shared<Sink>(false);
    LogWriter writer(into(sink), 0);
    writer.push(line(QStringLiteral("in the sink")));
    sink->waitUntilEntered();
    for (int i = 0; i <= LogWriter::kMaxQueuedLines; ++i) {
        writer.push(line(QString()));
    }
    writer.pushLast(line(QStringLiteral("out of memory")));
    sink->open();
    QVERIFY(writer.flush(test::kPatience));
    QVERIFY(sink->lines().contains(QStringLiteral("out of memory")));
}

void TestLogWriter::flushHasAnEnd()
{
    const auto sink = std::make_shared<Sink>(false);
    LogWriter writer(into(sink), 0);
    writer.push(line(QStringLiteral("a")));
    QVERIFY(!writer.flush(0ms));
    sink->open();
    QVERIFY(writer.flush(test::kPatience));
}

/// What is logged last, before a program ends, is written, and so is what was left out.
void TestLogWriter::theEndWritesWhatWaits()
{
    const auto sink = std::make_shared<Sink>();
    {
        LogWriter writer(into(sink), 1, [] { return TimePoint(); });
        writer.push(line(QStringLiteral("stopped")));
        writer.push(line(QStringLiteral("left out")));
    }
    QCOMPARE(sink->lines().size(), 2);
    QCOMPARE(sink->lines().first(), QStringLiteral("stopped"));
}

/// A program whose log nobody reads ends nevertheless, and its thread writes nothing after that.
void TestLogWriter::theEndDoesNotWaitForABlockedSink()
{
    auto sink = std::make_shared<Sink>(false);
    {
        LogWriter writer(into(sink), 0);
        writer.push(line(QStringLiteral("in the sink")));
        sink->waitUntilEntered();
        writer.push(line(QStringLiteral("waits")));
    }
    sink->open();
    // The thread, the last other owner, has ended.
    QVERIFY(test::waitFor([&] { return sink.use_count() == 1; }));
    QCOMPARE(sink->lines(), QStringList({QStringLiteral("in the sink")}));
}

RELAY_TEST(TestLogWriter)
#include "tst_log_writer.moc"
