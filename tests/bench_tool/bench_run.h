#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QStringList>

/// How a run of relay-bench ended.
struct Outcome
{
    int status = -1;
    QJsonObject json; ///< with --json
    QByteArray output;
    QByteArray errors;

    [[nodiscard]] QByteArray text() const { return output + errors; }
    /// What the JSON result says under that key, a truth as 0 or 1; -1 if it says nothing.
    [[nodiscard]] int number(const char *key) const;
};

/// Runs relay-bench to its end while this process' event loop goes on.
Outcome bench(const QStringList &arguments);

QStringList words(const char *text);
