#pragma once

#include "base/result.h"

#include <QObject>

#include <memory>

class QSocketNotifier;

namespace relay {

/// SIGINT and SIGTERM as a Qt signal; and SIGPIPE ignored, as a write to a closed connection is an
/// error like others.
///
/// The handler only writes the signal's number to a descriptor, which the event loop reads. It
/// serves each signal once, then the system's default is back: a second signal of the kind ends the
/// process at once, even if the event loop hangs.
///
/// Thread: main.
/// Owner: main(); one at a time, as signal handlers are the process'.
/// Errors: install() returns them.
class TerminationSignals : public QObject
{
    Q_OBJECT

public:
    explicit TerminationSignals(QObject *parent = nullptr);
    /// Gives the signals their default meaning back.
    ~TerminationSignals() override;
    Q_DISABLE_COPY_MOVE(TerminationSignals)

    Outcome install();

Q_SIGNALS:
    /// SIGINT or SIGTERM has come. Emitted again for the other one of the two.
    void terminationRequested(int signalNumber);

private:
    void readPending();

    int m_readEnd = -1;
    std::unique_ptr<QSocketNotifier> m_notifier;
};

} // namespace relay
