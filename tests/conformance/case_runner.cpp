#include "conformance/case_runner.h"

#include <algorithm>

namespace relay::test {

namespace {

bool isMessage(const Step &step)
{
    return step.kind == Step::Kind::Expect
           && (step.opcode == Op::Text || step.opcode == Op::Binary);
}

bool isFrame(const Received &received, Op opcode, const QByteArray &payload)
{
    return received.kind == Received::Kind::Frame && received.frame.fin
           && received.frame.opcode == opcode && received.frame.payload == payload;
}

QByteArray
differs(const QByteArray &who, Op opcode, const QByteArray &payload, const Received &came)
{
    const Received expected{Received::Kind::Frame, {.opcode = opcode, .payload = payload}, {}};
    return who + " should get " + expected.toString() + "; came " + came.toString();
}

} // namespace

CaseRunner::CaseRunner(quint16 port)
    : m_port(port)
    , m_bystander(port)
    , m_isBystanderOpen(m_bystander.open())
{}

QByteArray CaseRunner::run(const Case &testCase)
{
    if (!m_isBystanderOpen) {
        return "the bystander cannot connect";
    }
    const QByteArray problem = play(testCase);
    // Asked whatever happened, so that what one case has sent is not taken for the next one's.
    const QByteArray disturbance = askBystander(testCase);
    return problem.isEmpty() ? disturbance : problem;
}

QByteArray CaseRunner::play(const Case &testCase)
{
    RawClient client(m_port);
    if (!client.open()) {
        return "the client cannot connect";
    }
    for (const Step &step : testCase.steps) {
        if (step.kind == Step::Kind::Send) {
            // A relay that has ended the connection takes no more; what it said is read below.
            (void)client.send(step.bytes, step.pieceBytes);
            continue;
        }
        const Received came = client.receiveFrame();
        if (!isFrame(came, step.opcode, step.bytes)) {
            return differs("the client", step.opcode, step.bytes, came);
        }
    }
    return finish(client, testCase);
}

/// The closing handshake, and the end of the connection: by the relay, without a reset, and with
/// nothing behind the close frame.
QByteArray CaseRunner::finish(RawClient &client, const Case &testCase)
{
    QList<quint16> codes = testCase.closeCodes;
    if (testCase.clientCloses) {
        (void)client.send(closeFrame(1000));
        codes = {1000};
    }
    const Received close = client.receiveFrame();
    if (close.kind != Received::Kind::Frame || close.frame.opcode != Op::Close
        || !codes.contains(close.frame.closeCode()))
    {
        return "the client should get Close code " + QByteArray::number(codes.constFirst())
               + "; came " + close.toString();
    }
    const Received end = client.receiveFrame();
    if (end.kind != Received::Kind::Closed) {
        return "the connection should end behind the close frame; came " + end.toString();
    }
    return {};
}

/// He sends a message himself: since all see the messages in one order, what comes before it is the
/// case's.
QByteArray CaseRunner::askBystander(const Case &testCase)
{
    const QByteArray marker = "case " + QByteArray::number(++m_caseNumber) + " is over";
    m_isBystanderOpen = m_bystander.sendFrame(Op::Text, marker);
    QByteArray problem;
    QList<Step> expected;
    for (const Step &step : testCase.steps) {
        if (isMessage(step)) {
            expected.append(step);
        }
    }
    expected.append({.kind = Step::Kind::Expect, .bytes = marker, .opcode = Op::Text});

    // Read up to the marker in any case: the next case begins behind it.
    qsizetype at = 0;
    while (true) {
        const Received came = m_bystander.receiveFrame();
        const Step &step = expected.at(std::min(at++, expected.size() - 1));
        if (problem.isEmpty() && !isFrame(came, step.opcode, step.bytes)) {
            problem = differs("the bystander", step.opcode, step.bytes, came);
        }
        if (came.kind != Received::Kind::Frame) {
            m_isBystanderOpen = false;
            return problem;
        }
        if (isFrame(came, Op::Text, marker)) {
            return problem;
        }
    }
}

} // namespace relay::test
