#include "conformance/case.h"

#include <QString>

#include <utility>

namespace relay::test {

namespace {

struct Sample
{
    const char *name;
    QByteArray bytes;
};

QByteArray hex(const char *digits)
{
    return QByteArray::fromHex(digits);
}

QByteArray encoded(char32_t codePoint)
{
    return QString::fromUcs4(&codePoint, 1).toUtf8();
}

/// A code point of each length; each of them is split at each of its bytes.
QList<Sample> splitSamples()
{
    return {
        {"code points of 1 byte", "Ab"},
        {"code points of 2 bytes", hex("c3a9dfbf")},
        {"code points of 3 bytes", hex("e282acefbfbd")},
        {"code points of 4 bytes", hex("f09f9880f48fbfbf")},
        {"code points of 1 to 4 bytes", hex("41c3a9e282acf09f9880")},
        {"code points of 4 to 1 bytes", hex("f09f9880e282acc3a941")},
        {"a Greek word", hex("cebae1bdb9cf83cebcceb5")},
        {"a sentence in many scripts",
         hex("48656c6c6f2dc2b540c39fc3b6c3a4c3bcc3a0c3a12d5554462d3821")},
    };
}

/// Tells the rules apart that a check may have one byte wrong: each is refused at its last byte,
/// none before.
QList<Sample> invalidSamples()
{
    return {
        {"a lone continuation byte, the first", hex("80")},
        {"a lone continuation byte, the last", hex("bf")},
        {"a continuation byte too many", hex("c3a9a9")},
        {"a byte FE", hex("fe")},
        {"a byte FF", hex("ff")},
        {"a byte F5", hex("f5")},
        {"a byte F8 (a head of 5 bytes)", hex("f8")},
        {"a byte FC (a head of 6 bytes)", hex("fc")},
        {"overlong in 2 bytes, C0", hex("c0")},
        {"overlong in 2 bytes, C1", hex("c1")},
        {"overlong in 3 bytes, the least", hex("e080")},
        {"overlong in 3 bytes, the greatest", hex("e09f")},
        {"overlong in 4 bytes, the least", hex("f080")},
        {"overlong in 4 bytes, the greatest", hex("f08f")},
        {"the first surrogate", hex("eda0")},
        {"the last high surrogate", hex("edaf")},
        {"the first low surrogate", hex("edb0")},
        {"the last surrogate", hex("edbf")},
        {"above U+10FFFF, the first", hex("f490")},
        {"above U+10FFFF, further", hex("f4bf")},
        {"2 bytes cut off by ASCII", hex("c341")},
        {"3 bytes cut off by ASCII after 1", hex("e241")},
        {"3 bytes cut off by ASCII after 2", hex("e28241")},
        {"4 bytes cut off by ASCII after 1", hex("f041")},
        {"4 bytes cut off by ASCII after 2", hex("f09f41")},
        {"4 bytes cut off by ASCII after 3", hex("f09f9841")},
        {"3 bytes cut off by a head", hex("e282c3")},
        {"4 bytes cut off by a head", hex("f09f98f0")},
        {"2 bytes cut off by a head", hex("c3c3")},
        {"a surrogate far behind", QByteArray(300, 'x') + hex("eda0")},
        {"a Greek word, then a surrogate", hex("cebae1bdb9cf83cebcceb5eda0")},
    };
}

/// What may go on but must not end.
QList<Sample> truncatedSamples()
{
    return {
        {"1 of 2 bytes", hex("c3")},          {"1 of 3 bytes", hex("e2")},
        {"2 of 3 bytes", hex("e282")},        {"1 of 4 bytes", hex("f0")},
        {"2 of 4 bytes", hex("f09f")},        {"3 of 4 bytes", hex("f09f98")},
        {"text and 1 of 2", hex("4142c3")},   {"text and 3 of 4 bytes", hex("4142f09f98")},
        {"2 of 3 at U+0800", hex("e0a0")},    {"2 of 3 at U+D7FF", hex("ed9f")},
        {"3 of 4 at U+10000", hex("f09080")}, {"3 of 4 at U+10FFFF", hex("f48fbf")},
    };
}

void addSplits(QList<Case> &cases, const Sample &sample)
{
    const QByteArray &bytes = sample.bytes;
    const QByteArray name = sample.name;
    for (qsizetype at = 1; at < bytes.size(); ++at) {
        cases.append(Case("5.6", name + ", fragments split behind byte " + QByteArray::number(at))
                         .send(begin(Op::Text, bytes.left(at)) + last(bytes.mid(at)))
                         .expect(Op::Text, bytes));
    }
    addWholeAndByteByByte(cases, Case("5.6", name).send(text(bytes)).expect(Op::Text, bytes));
    addWholeAndByteByByte(cases, Case("5.6", name + ", each byte a fragment")
                                     .send(inFragments(Op::Text, bytes, 1))
                                     .expect(Op::Text, bytes));

    Case interrupted("5.6", name + ", an empty fragment and a ping behind each byte");
    interrupted.send(begin(Op::Text, {}));
    for (const char byte : bytes) {
        interrupted.send(more(QByteArray(1, byte)) + more({}) + ping("p")).expect(Op::Pong, "p");
    }
    addWholeAndByteByByte(cases, interrupted.send(last({})).expect(Op::Text, bytes));
}

void addBoundaries(QList<Case> &cases)
{
    QList<char32_t> codePoints{0x00,   0x7F,   0x80,   0x7FF,  0x800,   0xFFF,   0x1000,
                               0xCFFF, 0xD000, 0xD7FF, 0xE000, 0xFEFF,  0xFFFC,  0xFFFD,
                               0xFFFE, 0xFFFF, 0xFDD0, 0xFDEF, 0x10000, 0x40000, 0x100000};
    // The two non-characters at the end of each plane are valid UTF-8.
    for (char32_t plane = 1; plane <= 0x10; ++plane) {
        codePoints.append({(plane << 16) | 0xFFFE, (plane << 16) | 0xFFFF});
    }
    for (const char32_t codePoint : std::as_const(codePoints)) {
        const QByteArray bytes = encoded(codePoint);
        const QByteArray name =
            "U+" + QByteArray::number(static_cast<uint>(codePoint), 16).toUpper();
        addWholeAndByteByByte(cases, Case("8.1", name).send(text(bytes)).expect(Op::Text, bytes));
        cases.append(Case("8.1", name + " between letters, each byte a fragment")
                         .send(inFragments(Op::Text, "a" + bytes + "b", 1))
                         .expect(Op::Text, "a" + bytes + "b"));
    }
}

} // namespace

/// Text comes back whole wherever a fragment or a write cuts a code point.
QList<Case> validTextCases()
{
    QList<Case> cases;
    for (const Sample &sample : splitSamples()) {
        addSplits(cases, sample);
    }
    addBoundaries(cases);
    return cases;
}

/// Text that is not UTF-8 is refused with 1007 at its first byte that cannot be right, even when
/// the message is never finished, and nobody is sent any of it.
QList<Case> invalidTextCases()
{
    QList<Case> cases;
    for (const Sample &sample : invalidSamples()) {
        const QByteArray name = sample.name;
        const QByteArray &bytes = sample.bytes;
        addWholeAndByteByByte(
            cases, Case("8.1", name).send(text(bytes + "and on") + ping("after")).fails(1007));
        cases.append(Case("8.1", name + ", each byte a fragment")
                         .send(inFragments(Op::Text, bytes + "and on", 1))
                         .fails(1007));
        cases.append(Case("8.1", name + ", in a fragment that is not the last")
                         .send(begin(Op::Text, bytes))
                         .fails(1007));
        const FrameOptions unfinished{.announced = static_cast<quint64>(bytes.size() + 64)};
        addWholeAndByteByByte(cases, Case("8.1", name + ", the frame is never finished")
                                         .send(clientFrame(Op::Text, bytes, unfinished))
                                         .fails(1007));
        cases.append(
            Case("8.1", name + " in binary").send(binary(bytes)).expect(Op::Binary, bytes));
    }
    for (const Sample &sample : truncatedSamples()) {
        const QByteArray name = QByteArray("ends with ") + sample.name;
        addWholeAndByteByByte(cases, Case("8.1", name).send(text(sample.bytes)).fails(1007));
        addWholeAndByteByByte(cases, Case("8.1", name + ", each byte a fragment")
                                         .send(inFragments(Op::Text, sample.bytes, 1))
                                         .fails(1007));
        cases.append(Case("8.1", name + ", then an empty last fragment")
                         .send(begin(Op::Text, sample.bytes) + last({}))
                         .fails(1007));
    }
    cases.append(Case("8.1", "invalid text right behind a valid message")
                     .send(text("before") + text(hex("ff")))
                     .expect(Op::Text, "before")
                     .fails(1007));
    return cases;
}

} // namespace relay::test
