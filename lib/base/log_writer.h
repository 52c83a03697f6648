#pragma once

#include "base/clock.h"

#include <QByteArray>
#include <QString>
#include <QtGlobal>

#include <array>
#include <chrono>
#include <ctime>
#include <functional>
#include <memory>
#include <thread>

namespace relay {

/// One line of the log before it is formatted.
struct LogLine
{
    std::timespec when{}; ///< wall clock
    QtMsgType type = QtInfoMsg;
    QByteArray category;
    QString message;
};

/// As logging.level names it; a fatal message is an error.
QLatin1StringView logLevelName(QtMsgType type);

/// Why a line of the log was left out.
enum class LogDrop : quint8 {
    Rate,        ///< logging.rate was reached
    QueueFull,   ///< standard error does not take lines as fast as they come
    WriteFailed, ///< standard error is closed, or its disk is full
};
inline constexpr std::array<const char *, 3> kLogDropLabels{"rate", "queue_full", "write_failed"};
using LogDropCounts = std::array<quint64, kLogDropLabels.size()>;

/// Writes the log on a thread of its own, so that a log that nobody reads never stops the relay.
///
/// Lines that are left out are counted, and a line says so as soon as lines can be written again.
/// Thread: any. push() never waits for the sink: its lock is held to append a line or to swap the queue.
/// Owner: the process' log (base/logging), or a test.
/// Limits: kMaxQueuedLines and kMaxQueuedBytes; a line past either is left out, and so is one past `linesPerSecond`
/// (LogRate). The destructor waits kMaxEndTime for the sink, then leaves the thread to itself: a write(2) to a full pipe
/// cannot be called off.
/// Errors: are counts.
class LogWriter
{
public:
    static constexpr int kMaxQueuedLines = 10'000;
    /// As bytesOf() counts them.
    static constexpr qsizetype kMaxQueuedBytes = 2 << 20;
    static constexpr std::chrono::seconds kMaxEndTime{1};

    /// What a line takes of kMaxQueuedBytes: its text as QString keeps it, and its own overhead.
    [[nodiscard]] static qsizetype bytesOf(const LogLine &line);

    /// Writes a line, on the writer's thread, and may block. False when that is impossible.
    using Sink = std::function<bool(const LogLine &line)>;
    using Now = std::function<TimePoint()>;

    LogWriter(Sink sink, int linesPerSecond, Now now = Clock::now);
    ~LogWriter();
    LogWriter(const LogWriter &) = delete;
    LogWriter &operator=(const LogWriter &) = delete;

    void setRate(int linesPerSecond);

    /// Queues the line, or counts why not.
    void push(LogLine line);
    /// Queues the line whatever the limits say: for a process' last words.
    void pushLast(LogLine line);

    /// Waits until what was pushed before is written, and what was left out is told, at most so long. Returns whether it is.
    bool flush(std::chrono::milliseconds patience);

    /// By LogDrop.
    [[nodiscard]] LogDropCounts dropped() const;

private:
    class State;
    const std::shared_ptr<State> m_state; ///< shared with the thread, which may outlive this object
    std::thread m_thread;
};

} // namespace relay
