#include "conformance/case.h"

namespace relay::test {

namespace {

void addSound(QList<Case> &cases, Op opcode, const QByteArray &kind)
{
    const auto add = [&](const QByteArray &name, const QByteArray &frames,
                         const QByteArray &payload) {
        addWholeAndByteByByte(
            cases, Case("5.4", kind + " in " + name).send(frames).expect(opcode, payload));
    };
    add("two fragments", begin(opcode, "one ") + last("two"), "one two");
    add("three fragments", begin(opcode, "one ") + more("two ") + last("three"), "one two three");
    add("two empty fragments", begin(opcode, {}) + last({}), {});
    add("three empty fragments", begin(opcode, {}) + more({}) + last({}), {});
    add("fragments of which the first is empty", begin(opcode, {}) + more("a") + last("b"), "ab");
    add("fragments of which the middle is empty", begin(opcode, "a") + more({}) + last("b"), "ab");
    add("fragments of which the last is empty", begin(opcode, "a") + more("b") + last({}), "ab");
    add("empty fragments around one byte", begin(opcode, {}) + more("x") + last({}), "x");
    add("200 fragments of a byte", inFragments(opcode, patterned(200), 1), patterned(200));
    add("200 empty fragments before its only byte",
        begin(opcode, {}) + more({}).repeated(200) + last("x"), "x");

    const QByteArray edge = patterned(65536);
    cases.append(Case("5.4", kind + " in fragments of 126 and 65535 and 65536 bytes")
                     .send(begin(opcode, edge.left(126)) + more(edge.left(65535)) + last(edge))
                     .expect(opcode, edge.left(126) + edge.left(65535) + edge));
    addWholeAndByteByByte(cases, Case("5.4", kind + " in fragments, one after the other, twice")
                                     .send(begin(opcode, "a") + last("b") + begin(opcode, "c")
                                           + more("d") + last("e"))
                                     .expect(opcode, "ab")
                                     .expect(opcode, "cde"));
}

void addLarge(QList<Case> &cases, Op opcode, const QByteArray &kind)
{
    const QByteArray payload = patterned(256 * 1024);
    for (const qsizetype fragment : {64, 256, 1024, 4096, 16384, 65536}) {
        Case large("5.4", kind + " of 256 KiB in fragments of " + QByteArray::number(fragment));
        large.send(inFragments(opcode, payload, fragment)).expect(opcode, payload);
        cases.append({large, large.inWritesOf(997)});
    }
}

void addOutOfOrder(QList<Case> &cases)
{
    const auto add = [&cases](const QByteArray &name, const QByteArray &frames) {
        addWholeAndByteByByte(cases, Case("5.4", name).send(frames + text("behind")).fails(1002));
    };
    add("continuation first", last("nothing to continue"));
    add("continuation first, empty", last({}));
    add("continuation first, without FIN", more("nothing to continue"));
    add("continuation first, without FIN and empty", more({}));
    add("continuation first, then its end", more("nothing") + last("to continue"));
    add("continuation behind a pong", pong("x") + last("nothing to continue"));

    for (const Op first : {Op::Text, Op::Binary}) {
        for (const Op second : {Op::Text, Op::Binary}) {
            const QByteArray name = QByteArray(first == Op::Text ? "text" : "binary")
                                    + " without FIN, then "
                                    + (second == Op::Text ? "text" : "binary");
            add(name, begin(first, "begun") + clientFrame(second, "interrupts"));
            add(name + " without FIN", begin(first, "begun") + begin(second, "interrupts"));
            add(name + " after a continuation",
                begin(first, "begun") + more("goes on") + clientFrame(second, "interrupts"));
        }
    }
    add("empty text without FIN, then empty text", begin(Op::Text, {}) + text({}));

    const auto addBehindMessage = [&cases](const QByteArray &name, const QByteArray &before,
                                           const QByteArray &after) {
        cases.append(Case("5.4", name + " that came back")
                         .send(before)
                         .expect(Op::Text, "whole")
                         .send(after)
                         .fails(1002));
        addWholeAndByteByByte(
            cases, Case("5.4", name).send(before + after).expect(Op::Text, "whole").fails(1002));
    };
    addBehindMessage("continuation behind a message", text("whole"), last("too late"));
    addBehindMessage("continuation without FIN behind a message", text("whole"), more("too late"));
    addBehindMessage("continuation behind a fragmented message",
                     begin(Op::Text, "who") + last("le"), last("too late"));
    addBehindMessage("interruption behind a message", text("whole"),
                     begin(Op::Text, "a") + text("b"));
}

void addFragmentedControl(QList<Case> &cases)
{
    const auto add = [&cases](const QByteArray &name, const QByteArray &frames) {
        addWholeAndByteByByte(cases, Case("5.5", name).send(frames).fails(1002));
    };
    add("ping without FIN", begin(Op::Ping, "half"));
    add("pong without FIN", begin(Op::Pong, "half"));
    add("close without FIN", begin(Op::Close, closePayload(1000)));
    add("empty ping without FIN", begin(Op::Ping, {}));
    add("empty pong without FIN", begin(Op::Pong, {}));
    add("empty close without FIN", begin(Op::Close, {}));
    add("ping in two fragments", begin(Op::Ping, "half") + last("half"));
    add("close in two fragments", begin(Op::Close, closePayload(1000)) + last("reason"));
    add("ping without FIN in a fragmented message",
        begin(Op::Text, "begun") + begin(Op::Ping, "half") + last("end"));
}

} // namespace

/// Fragments are joined in order, whatever their number and size; a frame out of turn ends the
/// connection with 1002.
QList<Case> fragmentationCases()
{
    QList<Case> cases;
    addSound(cases, Op::Text, "text");
    addSound(cases, Op::Binary, "binary");
    addLarge(cases, Op::Text, "text");
    addLarge(cases, Op::Binary, "binary");
    addOutOfOrder(cases);
    addFragmentedControl(cases);
    return cases;
}

} // namespace relay::test
