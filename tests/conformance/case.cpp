#include "conformance/case.h"

#include <utility>

namespace relay::test {

Case::Case(QByteArray rfcSection, QByteArray caseName)
    : section(std::move(rfcSection))
    , name(std::move(caseName))
{}

Case &Case::send(const QByteArray &bytes, qsizetype pieceBytes)
{
    steps.append({.kind = Step::Kind::Send, .bytes = bytes, .pieceBytes = pieceBytes});
    return *this;
}

Case &Case::expect(Op opcode, const QByteArray &payload)
{
    steps.append({.kind = Step::Kind::Expect, .bytes = payload, .opcode = opcode});
    return *this;
}

Case &Case::closed(std::initializer_list<quint16> codes)
{
    closeCodes = codes;
    clientCloses = false;
    return *this;
}

Case Case::inWritesOf(qsizetype pieceBytes) const
{
    Case chopped = *this;
    chopped.name += ", in writes of " + QByteArray::number(pieceBytes);
    for (Step &step : chopped.steps) {
        step.pieceBytes = pieceBytes;
    }
    return chopped;
}

void addWholeAndByteByByte(QList<Case> &cases, const Case &testCase)
{
    cases.append(testCase);
    cases.append(testCase.inWritesOf(1));
}

QByteArray text(const QByteArray &payload)
{
    return clientFrame(Op::Text, payload);
}

QByteArray binary(const QByteArray &payload)
{
    return clientFrame(Op::Binary, payload);
}

QByteArray ping(const QByteArray &payload)
{
    return clientFrame(Op::Ping, payload);
}

QByteArray pong(const QByteArray &payload)
{
    return clientFrame(Op::Pong, payload);
}

QByteArray closeFrame(quint16 code, const QByteArray &reason)
{
    return clientFrame(Op::Close, closePayload(code, reason));
}

QByteArray begin(Op opcode, const QByteArray &payload)
{
    return clientFrame(opcode, payload, {.fin = false});
}

QByteArray more(const QByteArray &payload)
{
    return clientFrame(Op::Continuation, payload, {.fin = false});
}

QByteArray last(const QByteArray &payload)
{
    return clientFrame(Op::Continuation, payload);
}

QByteArray inFragments(Op opcode, const QByteArray &payload, qsizetype fragmentBytes)
{
    QByteArray frames;
    for (qsizetype at = 0; at < payload.size(); at += fragmentBytes) {
        frames += clientFrame(at == 0 ? opcode : Op::Continuation, payload.mid(at, fragmentBytes),
                              {.fin = at + fragmentBytes >= payload.size()});
    }
    return frames;
}

} // namespace relay::test
