#include "base/logging.h"

#include "base/visible_text.h"

#include <QJsonDocument>
#include <QJsonObject>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <ctime>

namespace relay {

namespace {

/// The one piece of global state: Qt's message handler takes no argument of ours.
std::atomic<LogFormat> currentFormat{LogFormat::Text};

QLatin1StringView levelName(QtMsgType type)
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

/// ISO 8601, UTC, milliseconds. Not by QDateTime, which needs 14,000 instructions for it: as much
/// as a tenth of a WebSocket handshake, and each has its line.
QString timestamp()
{
    std::timespec now{};
    std::timespec_get(&now, TIME_UTC);
    std::tm utc{};
    ::gmtime_r(&now.tv_sec, &utc);
    std::array<char, 32> text{};
    const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
    const int milliseconds = static_cast<int>(now.tv_nsec / 1'000'000);
    return QString::fromLatin1(text.data(), static_cast<qsizetype>(length)) % QLatin1Char('.')
           % QLatin1Char(static_cast<char>('0' + milliseconds / 100))
           % QLatin1Char(static_cast<char>('0' + milliseconds / 10 % 10))
           % QLatin1Char(static_cast<char>('0' + milliseconds % 10)) % QLatin1Char('Z');
}

void writeLogLine(QtMsgType type, const QMessageLogContext &context, const QString &message)
{
    const QByteArray line =
        formatLogLine(currentFormat.load(std::memory_order_relaxed), timestamp(), type,
                      QString::fromUtf8(context.category), message)
            .toUtf8()
        + '\n';
    // One write, so that the lines of two threads never mix.
    std::fwrite(line.constData(), 1, static_cast<size_t>(line.size()), stderr);
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
                                 {QStringLiteral("level"), levelName(type)},
                                 {QStringLiteral("category"), category},
                                 {QStringLiteral("message"), message}};
        return escapeInvisibleInJson(
            QString::fromUtf8(QJsonDocument(object).toJson(QJsonDocument::Compact)));
    }
    return QStringLiteral("%1 %2 %3: %4")
        .arg(when, levelName(type), category, escapeInvisible(message));
}

void installLogging(const LoggingOptions &options)
{
    currentFormat.store(options.format, std::memory_order_relaxed);
    qInstallMessageHandler(writeLogLine);

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

} // namespace relay
