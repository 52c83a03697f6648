#include "bench_run.h"

#include <QJsonDocument>
#include <QProcess>
#include <QTest>

int Outcome::number(const char *key) const
{
    const QJsonValue value = json[QLatin1String(key)];
    return value.isBool() ? int{value.toBool()} : value.toInt(-1);
}

Outcome bench(const QStringList &arguments)
{
    QProcess process;
    process.start(QStringLiteral(RELAY_BENCH_PROGRAM), arguments);
    const bool hasEnded =
        QTest::qWaitFor([&process] { return process.state() == QProcess::NotRunning; }, 60000);
    Outcome outcome;
    outcome.status =
        hasEnded && process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    outcome.output = process.readAllStandardOutput();
    outcome.errors = process.readAllStandardError();
    outcome.json = QJsonDocument::fromJson(outcome.output).object();
    return outcome;
}

QStringList words(const char *text)
{
    return QString::fromLatin1(text).split(QLatin1Char(' '));
}
