#include "conformance/case.h"

namespace relay::test {

namespace {

/// Where the length changes its form, and its neighbours.
constexpr qsizetype kLengths[] = {0, 1, 125, 126, 127, 128, 65535, 65536, 65537, kMaxMessageBytes};
/// Longer ones would cost a system call a byte.
constexpr qsizetype kLongestByteByByte = 128;

void addLengths(QList<Case> &cases, Op opcode, const QByteArray &kind)
{
    for (const qsizetype length : kLengths) {
        const QByteArray payload = patterned(length);
        Case whole("5.2", kind + " message of " + QByteArray::number(length) + " bytes");
        whole.send(clientFrame(opcode, payload)).expect(opcode, payload);
        cases.append(whole);
        if (length > 0 && length <= kLongestByteByByte) {
            cases.append(whole.inWritesOf(1));
        }
        if (length > kLongestByteByByte) {
            cases.append(whole.inWritesOf(997));
        }
    }
}

/// A mask that is applied with a wrong phase, or not at all, shows at one of these lengths.
void addMasks(QList<Case> &cases)
{
    const Mask masks[] = {{0, 0, 0, 0}, {0xFF, 0xFF, 0xFF, 0xFF}, {0x80, 0, 0, 1}, {1, 2, 3, 4}};
    for (const Mask &mask : masks) {
        const auto key = QByteArray(reinterpret_cast<const char *>(mask.data()), 4).toHex();
        Case all("5.3", "mask " + key + ", messages of 1 to 40 bytes");
        for (qsizetype length = 1; length <= 40; ++length) {
            const QByteArray payload = patterned(length);
            all.send(clientFrame(Op::Text, payload, {.mask = mask})).expect(Op::Text, payload);
        }
        addWholeAndByteByByte(cases, all);
    }
    Case changing("5.3", "a mask of its own for each fragment");
    QByteArray frames;
    QByteArray payload;
    for (quint8 i = 0; i < 20; ++i) {
        const QByteArray part = patterned(i);
        frames +=
            clientFrame(i == 0 ? Op::Text : Op::Continuation, part,
                        {.fin = i == 19, .mask = Mask{i, static_cast<quint8>(i * 3), 0x5A, 0xC3}});
        payload += part;
    }
    addWholeAndByteByByte(cases, changing.send(frames).expect(Op::Text, payload));
}

void addFrameTrains(QList<Case> &cases)
{
    Case alternating("5.2", "100 messages in one write, text and binary in turn");
    Case growing("5.2", "messages of 0 to 300 bytes in one write");
    Case empty("5.2", "50 empty messages in one write");
    QByteArray frames[3];
    for (int i = 0; i < 100; ++i) {
        const Op opcode = i % 2 == 0 ? Op::Text : Op::Binary;
        frames[0] += clientFrame(opcode, QByteArray::number(i));
    }
    for (int i = 0; i <= 300; ++i) {
        frames[1] += binary(patterned(i));
    }
    for (int i = 0; i < 50; ++i) {
        frames[2] += text({});
    }
    alternating.send(frames[0]);
    growing.send(frames[1]);
    empty.send(frames[2]);
    for (int i = 0; i < 100; ++i) {
        alternating.expect(i % 2 == 0 ? Op::Text : Op::Binary, QByteArray::number(i));
    }
    for (int i = 0; i <= 300; ++i) {
        growing.expect(Op::Binary, patterned(i));
    }
    for (int i = 0; i < 50; ++i) {
        empty.expect(Op::Text, {});
    }
    addWholeAndByteByByte(cases, alternating);
    cases.append({growing, growing.inWritesOf(997)});
    addWholeAndByteByByte(cases, empty);
}

} // namespace

/// Every message comes back as it was sent, whatever its length, its mask and the writes it came
/// in.
QList<Case> framingCases()
{
    QList<Case> cases;
    addLengths(cases, Op::Text, "text");
    addLengths(cases, Op::Binary, "binary");

    QByteArray everyByte;
    for (int byte = 0; byte < 256; ++byte) {
        everyByte.append(static_cast<char>(byte));
    }
    addWholeAndByteByByte(cases, Case("5.6", "binary message of all bytes")
                                     .send(binary(everyByte))
                                     .expect(Op::Binary, everyByte));
    const QByteArray large = patterned(65536);
    cases.append(Case("5.2", "binary message of 65536 bytes")
                     .send(binary(large))
                     .expect(Op::Binary, large)
                     .inWritesOf(1));

    addMasks(cases);
    addFrameTrains(cases);
    return cases;
}

} // namespace relay::test
