#include "conformance/case.h"

#include <utility>

namespace relay::test {

namespace {

void addSinglePings(QList<Case> &cases)
{
    for (const qsizetype length : {0, 1, 2, 124, 125}) {
        const QByteArray payload = patterned(length);
        const QByteArray bytes = QByteArray::number(length) + " bytes";
        addWholeAndByteByByte(
            cases, Case("5.5.2", "ping of " + bytes).send(ping(payload)).expect(Op::Pong, payload));
        addWholeAndByteByByte(cases, Case("5.5.3", "unsolicited pong of " + bytes + ", then a ping")
                                         .send(pong(payload))
                                         .send(ping("alive"))
                                         .expect(Op::Pong, "alive"));
    }
    const QByteArray noText = QByteArray::fromHex("00fffefdfcfb00ff");
    addWholeAndByteByByte(cases, Case("5.5.2", "ping of bytes that are no text")
                                     .send(ping(noText))
                                     .expect(Op::Pong, noText));
}

void addTooLong(QList<Case> &cases)
{
    const std::pair<Op, QByteArray> controls[] = {
        {Op::Ping, "ping"}, {Op::Pong, "pong"}, {Op::Close, "close"}};
    for (const auto &[opcode, name] : controls) {
        for (const qsizetype length : {126, 127, 65536}) {
            Case tooLong("5.5", name + " of " + QByteArray::number(length) + " bytes");
            tooLong.send(clientFrame(opcode, patterned(length))).fails(1002);
            cases.append(tooLong);
            if (length == 126) {
                cases.append(tooLong.inWritesOf(1));
            }
            Case headOnly("5.5", tooLong.name + ", only its first two bytes");
            cases.append(headOnly.send(clientFrame(opcode, patterned(length), {.truncatedTo = 2}))
                             .fails(1002));
        }
    }
}

void addTrains(QList<Case> &cases)
{
    Case pings("5.5.2", "10 pings at once");
    Case mixed("5.5.3", "10 pongs and 10 pings in turn, at once");
    QByteArray allPings;
    QByteArray allMixed;
    for (int i = 0; i < 10; ++i) {
        const QByteArray payload = "ping " + QByteArray::number(i);
        allPings += ping(payload);
        allMixed += pong("pong " + QByteArray::number(i)) + ping(payload);
    }
    pings.send(allPings);
    mixed.send(allMixed);
    for (int i = 0; i < 10; ++i) {
        const QByteArray payload = "ping " + QByteArray::number(i);
        pings.expect(Op::Pong, payload);
        mixed.expect(Op::Pong, payload);
    }
    addWholeAndByteByByte(cases, pings);
    addWholeAndByteByByte(cases, mixed);

    Case oneByOne("5.5.2", "10 pings, each when the one before is answered");
    for (int i = 0; i < 10; ++i) {
        const QByteArray payload = QByteArray::number(i);
        oneByOne.send(ping(payload)).expect(Op::Pong, payload);
    }
    addWholeAndByteByByte(cases, oneByOne);
}

void addAroundMessages(QList<Case> &cases)
{
    addWholeAndByteByByte(cases, Case("5.5.2", "ping before a message")
                                     .send(ping("p"))
                                     .expect(Op::Pong, "p")
                                     .send(text("message"))
                                     .expect(Op::Text, "message"));
    addWholeAndByteByByte(cases, Case("5.5.2", "ping after a message")
                                     .send(text("message"))
                                     .expect(Op::Text, "message")
                                     .send(ping("p"))
                                     .expect(Op::Pong, "p"));
    addWholeAndByteByByte(cases, Case("5.5.3", "unsolicited pong before and after a message")
                                     .send(pong("a"))
                                     .send(binary("message"))
                                     .send(pong("b"))
                                     .expect(Op::Binary, "message"));
}

/// A control frame inside a fragmented message is answered before the message is done.
void addBetweenFragments(QList<Case> &cases)
{
    for (const Op opcode : {Op::Text, Op::Binary}) {
        const QByteArray kind = opcode == Op::Text ? "text" : "binary";
        addWholeAndByteByByte(cases,
                              Case("5.4", "ping between the fragments of a " + kind + " message")
                                  .send(begin(opcode, "frag"))
                                  .send(ping("inside"))
                                  .expect(Op::Pong, "inside")
                                  .send(last("ment"))
                                  .expect(opcode, "fragment"));
        addWholeAndByteByByte(
            cases, Case("5.4", "ping between the fragments of a " + kind + " message, all at once")
                       .send(begin(opcode, "frag") + ping("inside") + last("ment"))
                       .expect(Op::Pong, "inside")
                       .expect(opcode, "fragment"));
        addWholeAndByteByByte(cases,
                              Case("5.4", "pong between the fragments of a " + kind + " message")
                                  .send(begin(opcode, "frag") + pong("inside") + last("ment"))
                                  .expect(opcode, "fragment"));
    }
    Case everywhere("5.4", "a ping behind each of 6 fragments");
    everywhere.send(begin(Op::Text, "0") + ping("ping 0"));
    for (int i = 1; i < 5; ++i) {
        const QByteArray number = QByteArray::number(i);
        everywhere.send(more(number) + ping("ping " + number));
    }
    for (int i = 0; i < 5; ++i) {
        everywhere.expect(Op::Pong, "ping " + QByteArray::number(i));
    }
    everywhere.send(last("5")).expect(Op::Text, "012345");
    addWholeAndByteByByte(cases, everywhere);

    const QByteArray full = patterned(125);
    addWholeAndByteByByte(cases, Case("5.4", "two full pings between empty fragments")
                                     .send(begin(Op::Text, {}) + ping(full) + more({}) + ping(full))
                                     .expect(Op::Pong, full)
                                     .expect(Op::Pong, full)
                                     .send(last({}))
                                     .expect(Op::Text, {}));
}

} // namespace

/// Each ping is answered at once with its payload, wherever it comes; a pong is never answered.
QList<Case> controlCases()
{
    QList<Case> cases;
    addSinglePings(cases);
    addTooLong(cases);
    addTrains(cases);
    addAroundMessages(cases);
    addBetweenFragments(cases);
    return cases;
}

} // namespace relay::test
