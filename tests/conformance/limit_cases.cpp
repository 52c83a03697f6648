#include "conformance/case.h"

namespace relay::test {

namespace {

void addAtTheLimit(QList<Case> &cases, Op opcode, const QByteArray &kind)
{
    const QByteArray payload = patterned(kMaxMessageBytes);
    const QByteArray name = kind + " of the greatest size";
    const auto add = [&](const QByteArray &how, const QByteArray &frames) {
        cases.append(Case("10.4", name + ", " + how).send(frames).expect(opcode, payload));
    };
    constexpr qsizetype half = kMaxMessageBytes / 2;
    add("in two halves", begin(opcode, payload.left(half)) + last(payload.mid(half)));
    add("in one frame and an empty one", begin(opcode, payload) + last({}));
    add("in an empty frame and one", begin(opcode, {}) + last(payload));
    add("all but a byte, and the byte", begin(opcode, payload.chopped(1)) + last(payload.right(1)));
    add("in fragments of 4 KiB", inFragments(opcode, payload, 4096));
}

void addPastTheLimit(QList<Case> &cases, Op opcode, const QByteArray &kind)
{
    const QByteArray tooLong = patterned(kMaxMessageBytes + 1);
    const QByteArray fits = tooLong.chopped(1);
    const QByteArray name = kind + " one byte too long";
    const auto add = [&](const QByteArray &how, const QByteArray &frames) {
        cases.append(Case("7.4.1", name + ", " + how).send(frames).fails(1009));
    };
    add("in one frame", clientFrame(opcode, tooLong));
    add("in one frame and a byte", begin(opcode, fits) + last("x"));
    add("in a byte and one frame", begin(opcode, "x") + last(fits));
    add("in fragments of 4 KiB", inFragments(opcode, tooLong, 4096));
    add("in fragments that do not end", begin(opcode, fits) + more({}) + more("x"));
    // Told by the head alone: nobody waits for what will be refused.
    const QByteArray head = clientFrame(opcode, {}, {.announced = kMaxMessageBytes + 1});
    add("only its head", head);
    cases.append(Case("7.4.1", name + ", only its head").send(head).fails(1009).inWritesOf(1));
    add("only the head of its last fragment",
        begin(opcode, "x") + clientFrame(Op::Continuation, {}, {.announced = kMaxMessageBytes}));
}

void addHugeLengths(QList<Case> &cases)
{
    for (const quint64 length : {0x8000'0000U - 1ULL, 0x1'0000'0000ULL, 0x1'0000'0005ULL,
                                 0x4000'0000'0000'0000ULL, 0x7FFF'FFFF'FFFF'FFFFULL})
    {
        const QByteArray name = "length " + QByteArray::number(length, 16);
        addWholeAndByteByByte(cases,
                              Case("7.4.1", name)
                                  .send(clientFrame(Op::Binary, "few", {.announced = length}))
                                  .fails(1009));
        cases.append(Case("7.4.1", name + " as a continuation")
                         .send(begin(Op::Text, "x")
                               + clientFrame(Op::Continuation, "few", {.announced = length}))
                         .fails(1009));
    }
}

} // namespace

/// A message of limits.message_size passes, one byte more ends with 1009, however it is cut; a size
/// that is only announced costs nothing.
QList<Case> limitCases()
{
    QList<Case> cases;
    addAtTheLimit(cases, Op::Text, "text");
    addAtTheLimit(cases, Op::Binary, "binary");
    addPastTheLimit(cases, Op::Text, "text");
    addPastTheLimit(cases, Op::Binary, "binary");
    addHugeLengths(cases);
    cases.append(
        Case("7.4.1", "too long a message right behind a sound one")
            .send(text("before") + clientFrame(Op::Text, {}, {.announced = kMaxMessageBytes + 1}))
            .expect(Op::Text, "before")
            .fails(1009));
    return cases;
}

} // namespace relay::test
