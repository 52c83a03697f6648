#pragma once

#include <QLoggingCategory>
#include <QString>

/// Logging is Qt's: categories `relay.<layer>`, filtered by level, formatted by one message
/// handler.
///
/// One line an event. A line never holds a message's payload, nor a byte that a client chose
/// without being escaped.
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
};

/// Installs the message handler (stderr) and the category filter for the whole process.
///
/// Thread: main, before others are started; may be called again later to change both.
void installLogging(const LoggingOptions &options);

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
