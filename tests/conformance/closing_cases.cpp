#include "conformance/case.h"

#include <initializer_list>

namespace relay::test {

namespace {

/// An empty close frame names no code: the answer is as empty, or says 1000.
constexpr std::initializer_list<quint16> kEmptyAnswers{0, 1000};

constexpr quint16 kSendable[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010,
                                 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999};
constexpr quint16 kNotSendable[] = {0,    1,    999,  1004, 1005, 1006, 1015,  1016,
                                    1099, 1100, 1999, 2000, 2999, 5000, 32768, 65535};

void addCodes(QList<Case> &cases)
{
    for (const quint16 code : kSendable) {
        const QByteArray name = "code " + QByteArray::number(code);
        addWholeAndByteByByte(cases, Case("7.4", name).send(closeFrame(code)).closed({code}));
        cases.append(
            Case("7.4", name + " and a reason").send(closeFrame(code, "because")).closed({code}));
    }
    for (const quint16 code : kNotSendable) {
        const QByteArray name = "code " + QByteArray::number(code) + ", which must not be sent";
        addWholeAndByteByByte(cases, Case("7.4", name).send(closeFrame(code)).fails(1002));
        cases.append(
            Case("7.4", name + ", and a reason").send(closeFrame(code, "because")).fails(1002));
    }
}

void addPayloads(QList<Case> &cases)
{
    addWholeAndByteByByte(
        cases,
        Case("5.5.1", "empty close frame").send(clientFrame(Op::Close, {})).closed(kEmptyAnswers));
    addWholeAndByteByByte(
        cases,
        Case("5.5.1", "close payload of 1 byte").send(clientFrame(Op::Close, "\x03")).fails(1002));

    const QByteArray longest = patterned(123);
    addWholeAndByteByByte(
        cases, Case("5.5.1", "reason of 123 bytes").send(closeFrame(1000, longest)).closed({1000}));
    addWholeAndByteByByte(
        cases,
        Case("5.5.1", "reason of 124 bytes").send(closeFrame(1000, patterned(124))).fails(1002));

    const char *valid[] = {"c3a9", "e282ac", "f09f9880", "00", "f48fbfbf", "efbfbf"};
    for (const char *reason : valid) {
        addWholeAndByteByByte(cases, Case("5.5.1", QByteArray("reason ") + reason)
                                         .send(closeFrame(1000, QByteArray::fromHex(reason)))
                                         .closed({1000}));
    }
    const char *invalid[] = {"80",       "ff", "c080", "e08080", "eda080", "f4908080",
                             "f8888080", "c3", "e282", "f09f98", "61c3",   "cebaeda080"};
    for (const char *reason : invalid) {
        addWholeAndByteByByte(cases, Case("5.5.1", QByteArray("reason ") + reason + ", not UTF-8")
                                         .send(closeFrame(1000, QByteArray::fromHex(reason)))
                                         .fails(1007));
    }
    const QByteArray cutAtTheEnd = QByteArray(122, 'x') + '\xC3';
    cases.append(Case("5.5.1", "reason of 123 bytes that ends within a code point")
                     .send(closeFrame(1000, cutAtTheEnd))
                     .fails(1007));
}

void addWhatFollows(QList<Case> &cases)
{
    struct Behind
    {
        const char *name;
        QByteArray bytes;
    };
    const Behind behinds[] = {
        {"text", text("too late")},
        {"ping", ping("too late")},
        {"the same close frame", closeFrame(1000)},
        {"another close frame", closeFrame(4000, "another")},
        {"an invalid close frame", closeFrame(1005)},
        {"a reserved opcode", clientFrame(Op{3}, "too late")},
        {"invalid text", text(QByteArray::fromHex("ff"))},
        {"a frame without a mask", clientFrame(Op::Text, "x", {.mask = std::nullopt})},
        {"bytes that are no frames", QByteArray(1000, '\xFF')},
        {"a message of 256 KiB", binary(patterned(256 * 1024))},
        {"half a frame", text("too late").left(9)},
    };
    for (const auto &[what, bytes] : behinds) {
        const QByteArray name = what;
        const Case atOnce = Case("5.5.1", name + " behind a close frame, at once")
                                .send(closeFrame(1000) + bytes)
                                .closed({1000});
        cases.append(atOnce);
        if (bytes.size() <= 1000) {
            cases.append(atOnce.inWritesOf(1));
        }
        cases.append(Case("5.5.1", name + " behind a close frame, in a write of its own")
                         .send(closeFrame(1000))
                         .send(bytes)
                         .closed({1000}));
        cases.append(Case("7.1.7", name + " behind a violation")
                         .send(clientFrame(Op{5}, "x"))
                         .send(bytes)
                         .fails(1002));
    }
}

void addWhatGoesBefore(QList<Case> &cases)
{
    addWholeAndByteByByte(cases, Case("5.5.1", "close frame in a fragmented message")
                                     .send(begin(Op::Text, "never ends") + closeFrame(1000))
                                     .closed({1000}));
    addWholeAndByteByByte(cases,
                          Case("5.5.1", "close frame between the fragments of a message")
                              .send(begin(Op::Text, "frag") + closeFrame(1000) + last("ment"))
                              .closed({1000}));
    addWholeAndByteByByte(cases, Case("5.5.1", "empty close frame in a fragmented message")
                                     .send(begin(Op::Binary, {}) + clientFrame(Op::Close, {}))
                                     .closed(kEmptyAnswers));
    addWholeAndByteByByte(cases, Case("5.5.1", "close frame right behind a message")
                                     .send(text("last words") + closeFrame(1000))
                                     .expect(Op::Text, "last words")
                                     .closed({1000}));
    const QByteArray large = patterned(256 * 1024);
    cases.append(Case("5.5.1", "close frame right behind a message of 256 KiB")
                     .send(binary(large) + closeFrame(3000))
                     .expect(Op::Binary, large)
                     .closed({3000}));
    addWholeAndByteByByte(cases, Case("5.5.1", "close frame right behind a ping")
                                     .send(ping("last") + closeFrame(1000))
                                     .expect(Op::Pong, "last")
                                     .closed({1000}));
    Case many("5.5.1", "close frame right behind 50 messages");
    QByteArray frames;
    for (int i = 0; i < 50; ++i) {
        frames += text(QByteArray::number(i));
    }
    many.send(frames + closeFrame(1000));
    for (int i = 0; i < 50; ++i) {
        many.expect(Op::Text, QByteArray::number(i));
    }
    addWholeAndByteByByte(cases, many.closed({1000}));
    cases.append(Case("7.1.2", "close frame of a client that has said nothing"));
}

} // namespace

/// A sound close frame is answered with its own code, a malformed one with 1002 or 1007; what went
/// before it is delivered, what follows is ignored, and the relay ends the connection.
QList<Case> closingCases()
{
    QList<Case> cases;
    addCodes(cases);
    addPayloads(cases);
    addWhatFollows(cases);
    addWhatGoesBefore(cases);
    return cases;
}

} // namespace relay::test
