#include "base/logging.h"

#include "base/visible_text.h"

#include <QJsonDocument>
#include <QJsonObject>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <poll.h>
#include <utility>

namespace relay {

namespace {

// The global state of the process' log, as Qt's message handler takes no argument of ours.
std::atomic<LogFormat> currentFormat{LogFormat::Text};
/// Made by the first installLogging() and never destroyed: any thread may log until the process ends.
std::atomic<LogWriter *> currentWriter{nullptr};

/// ISO 8601, UTC, milliseconds. Not by QDateTime, which needs 14,000 instructions for it.
QString timestamp(const std::timespec &when)
{
    std::tm utc{};
    ::gmtime_r(&when.tv_sec, &utc);
    std::array<char, 32> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
    const int milliseconds = static_cast<int>(when.tv_nsec / 1'000'000);
    return QString::fromLatin1(text.data(), static_cast<qsizetype>(length)) % QLatin1Char('.')
           % QLatin1Char(static_cast<char>('0' + milliseconds / 100))
           % QLatin1Char(static_cast<char>('0' + milliseconds / 10 % 10))
           % QLatin1Char(static_cast<char>('0' + milliseconds % 10)) % QLatin1Char('Z');
}

/// Blocks until standard error has taken all of it. Whoever shares the descriptor decides whether it blocks: making it
/// non-blocking would make it so for them, too.
bool writeToStandardError(QByteArrayView bytes)
{
    while (!bytes.isEmpty()) {
        const ssize_t written =
            ::write(STDERR_FILENO, bytes.data(), static_cast<std::size_t>(bytes.size()));
        if (written >= 0) {
            bytes = bytes.sliced(written);
        } else if (errno == EAGAIN) {
            pollfd descriptor{STDERR_FILENO, POLLOUT, 0};
            ::poll(&descriptor, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/// One write for each line, so that the lines of two processes do not mix.
bool writeLogLine(const LogLine &line)
{
    const QString text =
        formatLogLine(currentFormat.load(std::memory_order_relaxed), timestamp(line.when),
                      line.type, QString::fromUtf8(line.category), line.message);
    const QByteArray bytes = text.toUtf8() + '\n';
    return writeToStandardError(bytes);
}

void takeMessage(QtMsgType type, const QMessageLogContext &context, const QString &message)
{
    LogWriter *const writer = currentWriter.load(std::memory_order_acquire);
    LogLine line{{}, type, QByteArray(context.category), message};
    std::timespec_get(&line.when, TIME_UTC);
    if (type != QtFatalMsg) {
        writer->push(std::move(line));
        return;
    }
    // Qt aborts when this returns. If nobody reads the log, it must do so nevertheless.
    writer->pushLast(std::move(line));
    writer->flush(LogWriter::kMaxEndTime);
}

} // namespace

QString formatLogLine(LogFormat format,
                      const QString &when,
                      QtMsgType type,
                      const QString &category,
                      const QString &message)
{
    if (format == LogFormat::Json) {
        const QJsonObject object{{QStringLiteral("time"), when},
                                 {QStringLiteral("level"), logLevelName(type)},
                                 {QStringLiteral("category"), category},
                                 {QStringLiteral("message"), message}};
        return escapeInvisibleInJson(
            QString::fromUtf8(QJsonDocument(object).toJson(QJsonDocument::Compact)));
    }
    return QStringLiteral("%1 %2 %3: %4")
        .arg(when, logLevelName(type), category, escapeInvisible(message));
}

void installLogging(const LoggingOptions &options)
{
    currentFormat.store(options.format, std::memory_order_relaxed);
    if (LogWriter *const writer = currentWriter.load(std::memory_order_acquire)) {
        writer->setRate(options.rate);
    } else {
        currentWriter.store(new LogWriter(writeLogLine, options.rate), std::memory_order_release);
    }
    qInstallMessageHandler(takeMessage);

    // What is below its category's own least level stays off: Qt's say more than anybody wants.
    QString rules = QStringLiteral("*.debug=false\n");
    switch (options.level) {
    case LogLevel::Debug:
        rules = QStringLiteral("relay.*.debug=true\n");
        break;
    case LogLevel::Info:
        break;
    case LogLevel::Warning:
        rules = QStringLiteral("*.debug=false\n*.info=false\n");
        break;
    case LogLevel::Error:
        rules = QStringLiteral("*.debug=false\n*.info=false\n*.warning=false\n");
        break;
    }
    QLoggingCategory::setFilterRules(rules);
}

void flushLog()
{
    if (LogWriter *const writer = currentWriter.load(std::memory_order_acquire)) {
        writer->flush(LogWriter::kMaxEndTime);
    }
}

LogDropCounts droppedLogLines()
{
    const LogWriter *const writer = currentWriter.load(std::memory_order_acquire);
    return writer == nullptr ? LogDropCounts{} : writer->dropped();
}

} // namespace relay
