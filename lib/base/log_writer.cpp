#include "base/log_writer.h"

#include "base/log_rate.h"
#include "base/mutex.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <iterator>
#include <thread>
#include <utility>
#include <vector>

namespace relay {

namespace {

constexpr const char *kOwnCategory = "relay.log";

constexpr std::size_t index(LogDrop reason)
{
    return static_cast<std::size_t>(reason);
}

/// "1 line", "2 info lines"
QString counted(quint64 lines, QLatin1StringView level = {})
{
    return QString::number(lines) + (level.isEmpty() ? QString() : QLatin1Char(' ') + level)
           + (lines == 1 ? QStringLiteral(" line") : QStringLiteral(" lines"));
}

LogLine notice(QString message)
{
    LogLine line;
    std::timespec_get(&line.when, TIME_UTC);
    line.type = QtWarningMsg;
    line.category = kOwnCategory;
    line.message = std::move(message);
    return line;
}

/// A terminal that stops who writes in the background (SIGTTOU), a reader that is gone (SIGPIPE) and a file that may not
/// grow (SIGXFSZ) are errors of the write for a thread that blocks the signals.
void blockAllSignals()
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

} // namespace

class LogWriter::State
{
public:
    State(Sink sink, int linesPerSecond, Now now)
        : m_sink(std::move(sink))
        , m_now(std::move(now))
        , m_rate(linesPerSecond)
    {}

    void push(LogLine &&line)
    {
        {
            const MutexLock lock(m_mutex);
            if (!m_rate.admits(line.category, line.type, m_now())) {
                count(LogDrop::Rate);
                if (m_isTimed) {
                    return; // the thread will look by itself
                }
            } else if (!hasRoomFor(line)) {
                count(LogDrop::QueueFull);
                ++m_untoldQueueFull;
                return;
            } else {
                append(std::move(line));
            }
        }
        m_changed.notify_one();
    }

    void pushLast(LogLine &&line)
    {
        {
            const MutexLock lock(m_mutex);
            append(std::move(line));
        }
        m_changed.notify_one();
    }

    void setRate(int linesPerSecond)
    {
        const MutexLock lock(m_mutex);
        m_rate.setLimit(linesPerSecond);
    }

    bool flush(std::chrono::milliseconds patience, bool isEnd)
    {
        if (std::this_thread::get_id() == m_threadId.load()) {
            return false; // nobody else could write it
        }
        const auto deadline = std::chrono::steady_clock::now() + patience;
        const MutexLock lock(m_mutex);
        m_isEnding = m_isEnding || isEnd;
        const quint64 mine = ++m_wantedFlush;
        m_changed.notify_one();
        while (m_doneFlush < mine) {
            if (m_flushed.wait_until(m_mutex, deadline) == std::cv_status::timeout) {
                return m_doneFlush >= mine;
            }
        }
        return true;
    }

    /// What has not been written by then never is.
    void abandon() { m_isAbandoned = true; }

    /// The thread's whole life.
    void run()
    {
        m_threadId = std::this_thread::get_id();
        blockAllSignals();
        bool isLast = false;
        while (!isLast && !m_isAbandoned) {
            const Turn turn = nextTurn();
            for (const LogLine &line : turn.lines) {
                if (!m_isAbandoned) {
                    write(line);
                }
            }
            isLast = turn.isLast;
            const MutexLock lock(m_mutex);
            m_doneFlush = turn.flush;
            m_flushed.notify_all();
        }
    }

    [[nodiscard]] LogDropCounts dropped() const
    {
        LogDropCounts counts{};
        std::transform(m_dropped.begin(), m_dropped.end(), counts.begin(),
                       [](const auto &value) { return value.load(std::memory_order_relaxed); });
        return counts;
    }

private:
    struct Turn
    {
        std::deque<LogLine> lines;
        quint64 flush = 0; ///< that is done with this turn
        bool isLast = false;
    };

    /// Waits until there is something to write or to tell.
    Turn nextTurn()
    {
        const MutexLock lock(m_mutex);
        while (m_lines.empty() && m_wantedFlush == m_doneFlush) {
            m_isTimed = m_rate.hasLeftOut();
            if (!m_isTimed) {
                m_changed.wait(m_mutex);
            } else if (m_changed.wait_for(m_mutex, LogRate::kWindow) == std::cv_status::timeout) {
                break; // to tell what was left out
            }
        }
        Turn turn;
        turn.flush = m_wantedFlush;
        turn.isLast = m_isEnding;
        turn.lines.swap(m_lines);
        m_queuedBytes = 0;
        tellLeftOut(turn);
        return turn;
    }

    /// The queue was full of what stands before it in this turn.
    void tellLeftOut(Turn &turn) RELAY_REQUIRES(m_mutex)
    {
        if (const quint64 lines = std::exchange(m_untoldQueueFull, 0); lines > 0) {
            turn.lines.push_back(notice(counted(lines)
                                        + QStringLiteral(" left out: standard error did not take "
                                                         "them in time")));
        }
        const bool isFlush = m_wantedFlush != m_doneFlush;
        for (const auto &leftOut : m_rate.takeLeftOut(isFlush ? TimePoint::max() : m_now())) {
            turn.lines.push_back(notice(
                QStringLiteral("%1 of %2 left out: more than logging.rate (%3) in a second")
                    .arg(counted(leftOut.lines, logLevelName(leftOut.type)),
                         QString::fromUtf8(leftOut.category), QString::number(m_rate.limit()))));
        }
    }

    /// On the thread, without the lock.
    void write(const LogLine &line)
    {
        if (!m_sink(line)) {
            count(LogDrop::WriteFailed);
            ++m_untoldFailures;
            return;
        }
        if (const quint64 lines = std::exchange(m_untoldFailures, 0); lines > 0) {
            write(notice(counted(lines)
                         + QStringLiteral(" left out before the last one: they could not be "
                                          "written to standard error")));
        }
    }

    [[nodiscard]] bool hasRoomFor(const LogLine &line) const RELAY_REQUIRES(m_mutex)
    {
        return std::ssize(m_lines) < kMaxQueuedLines
               && m_queuedBytes + bytesOf(line) <= kMaxQueuedBytes;
    }
    void append(LogLine &&line) RELAY_REQUIRES(m_mutex)
    {
        m_queuedBytes += bytesOf(line);
        m_lines.push_back(std::move(line));
    }
    void count(LogDrop reason) { m_dropped[index(reason)].fetch_add(1, std::memory_order_relaxed); }

    const Sink m_sink;
    const Now m_now;
    std::array<std::atomic<quint64>, kLogDropLabels.size()> m_dropped{};
    std::atomic<std::thread::id> m_threadId;
    std::atomic<bool> m_isAbandoned = false;
    quint64 m_untoldFailures = 0; ///< the thread's

    Mutex m_mutex;
    std::condition_variable_any m_changed; ///< the thread waits for it
    std::condition_variable_any m_flushed;
    std::deque<LogLine> m_lines RELAY_GUARDED_BY(m_mutex);
    qsizetype m_queuedBytes RELAY_GUARDED_BY(m_mutex) = 0;
    LogRate m_rate RELAY_GUARDED_BY(m_mutex);
    quint64 m_untoldQueueFull RELAY_GUARDED_BY(m_mutex) = 0;
    bool m_isTimed RELAY_GUARDED_BY(m_mutex) = false; ///< the thread wakes up by itself
    bool m_isEnding RELAY_GUARDED_BY(m_mutex) = false;
    quint64 m_wantedFlush RELAY_GUARDED_BY(m_mutex) = 0;
    quint64 m_doneFlush RELAY_GUARDED_BY(m_mutex) = 0;
};

QLatin1StringView logLevelName(QtMsgType type)
{
    switch (type) {
    case QtDebugMsg:
        return QLatin1StringView("debug");
    case QtInfoMsg:
        return QLatin1StringView("info");
    case QtWarningMsg:
        return QLatin1StringView("warning");
    case QtCriticalMsg:
    case QtFatalMsg:
        return QLatin1StringView("error");
    }
    return QLatin1StringView("info");
}

qsizetype LogWriter::bytesOf(const LogLine &line)
{
    return static_cast<qsizetype>(sizeof(LogLine)) + line.category.size()
           + line.message.size() * static_cast<qsizetype>(sizeof(QChar));
}

LogWriter::LogWriter(Sink sink, int linesPerSecond, Now now)
    : m_state(std::make_shared<State>(std::move(sink), linesPerSecond, std::move(now)))
    , m_thread([state = m_state] { state->run(); })
{}

LogWriter::~LogWriter()
{
    if (m_state->flush(kMaxEndTime, true)) {
        m_thread.join();
    } else {
        m_state->abandon();
        m_thread.detach();
    }
}

void LogWriter::setRate(int linesPerSecond)
{
    m_state->setRate(linesPerSecond);
}

void LogWriter::push(LogLine line)
{
    m_state->push(std::move(line));
}

void LogWriter::pushLast(LogLine line)
{
    m_state->pushLast(std::move(line));
}

bool LogWriter::flush(std::chrono::milliseconds patience)
{
    return m_state->flush(patience, false);
}

LogDropCounts LogWriter::dropped() const
{
    return m_state->dropped();
}

} // namespace relay
