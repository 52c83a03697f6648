#pragma once

#include "base/log_writer.h"

#include <QLoggingCategory>
#include <QString>

#include <chrono>

/// Logging is Qt's: categories `relay.<layer>`, filtered by level, taken by one message handler and written to standard
/// error by a LogWriter.
///
/// One line for each event. A line never holds a message's payload, and what a client chose is escaped.
namespace relay {

enum class LogLevel {
    Debug,
    Info,
    Warning,
    Error
};
enum class LogFormat {
    Text,
    Json
};

struct LoggingOptions
{
    /// Lines below this level are not written. Info has a line for each connect and disconnect.
    LogLevel level = LogLevel::Info;
    /// Text for people, Json (one object a line) for machines.
    LogFormat format = LogFormat::Text;
    /// Lines per second of one category and level; more are left out, counted, and reported in one line. 0: no limit.
    int rate = 1000;
};

/// Installs the message handler and the category filter for the whole process. From then on a log call costs its thread
/// an append to a queue, and never waits for standard error. A fatal message waits for at most a second, as the process
/// ends after it.
///
/// Thread: main, before other threads are started; may be called again later to change the options.
void installLogging(const LoggingOptions &options);

/// Waits until the lines so far are written, at most LogWriter::kMaxEndTime. To be called last: what is still queued when
/// a process ends is lost. Does nothing before installLogging().
void flushLog();

/// Lines that were left out since installLogging(), by LogDrop.
/// Thread: any.
LogDropCounts droppedLogLines();

/// One line as the handler writes it, without the newline. `when` is ISO 8601 with milliseconds,
/// UTC.
///
/// What is invisible in `message` is escaped, so that a client cannot forge a line, nor a name.
QString formatLogLine(LogFormat format,
                      const QString &when,
                      QtMsgType type,
                      const QString &category,
                      const QString &message);

} // namespace relay
