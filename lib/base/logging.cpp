#include "base/logging.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QJsonObject>

#include <atomic>
#include <cstdio>

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

QString escapeControls(const QString &text)
{
    QString escaped;
    escaped.reserve(text.size());
    for (const QChar c : text) {
        if (c.category() == QChar::Other_Control) {
            escaped += QStringLiteral("\\x%1").arg(uint{c.unicode()}, 2, 16, QLatin1Char('0'));
        } else {
            escaped += c;
        }
    }
    return escaped;
}

void writeLogLine(QtMsgType type, const QMessageLogContext &context, const QString &message)
{
    const QString when = QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs);
    const QByteArray line = formatLogLine(currentFormat.load(std::memory_order_relaxed), when, type,
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
        return QString::fromUtf8(QJsonDocument(object).toJson(QJsonDocument::Compact));
    }
    return QStringLiteral("%1 %2 %3: %4")
        .arg(when, levelName(type), category, escapeControls(message));
}

void installLogging(const LoggingOptions &options)
{
    currentFormat.store(options.format, std::memory_order_relaxed);
    qInstallMessageHandler(writeLogLine);

    QString rules = QStringLiteral("*.debug=false\n*.info=true\n*.warning=true\n");
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
