#include "conformance/case.h"

#include <optional>

namespace relay::test {

namespace {

struct NamedFrame
{
    QByteArray name;
    QByteArray before; ///< sent first: what makes the frame's place sound
    Op opcode;
    bool fin = true;
};

QList<NamedFrame> frameKinds()
{
    return {
        {"text", {}, Op::Text},
        {"binary", {}, Op::Binary},
        {"first fragment", {}, Op::Text, false},
        {"continuation", begin(Op::Text, "begun"), Op::Continuation},
        {"inner continuation", begin(Op::Binary, "begun"), Op::Continuation, false},
        {"ping", {}, Op::Ping},
        {"ping in a fragmented message", begin(Op::Text, "begun"), Op::Ping},
        {"pong", {}, Op::Pong},
        {"close", {}, Op::Close},
    };
}

QByteArray soundPayload(Op opcode)
{
    return opcode == Op::Close ? closePayload(1000) : QByteArray("payload");
}

/// A valid message goes ahead of the fault, a ping follows it: the message must come back, the ping
/// not.
void addAmongOthers(QList<Case> &cases,
                    const QByteArray &section,
                    const QByteArray &name,
                    const QByteArray &fault)
{
    cases.append(Case(section, name + ", after a message that came back")
                     .send(text("before"))
                     .expect(Op::Text, "before")
                     .send(fault + ping("after"))
                     .fails(1002));
    addWholeAndByteByByte(cases, Case(section, name + ", right behind a message")
                                     .send(text("before") + fault + ping("after"))
                                     .expect(Op::Text, "before")
                                     .fails(1002));
}

void addReservedBits(QList<Case> &cases)
{
    for (const NamedFrame &kind : frameKinds()) {
        for (quint8 rsv = 1; rsv <= 7; ++rsv) {
            const QByteArray frame =
                clientFrame(kind.opcode, soundPayload(kind.opcode), {.fin = kind.fin, .rsv = rsv});
            const QByteArray name = kind.name + " with reserved bits "
                                    + QByteArray::number(rsv, 2).rightJustified(3, '0');
            cases.append(Case("5.2", name).send(kind.before + frame).fails(1002));
            if (rsv == 4) {
                cases.append(Case("5.2", name).send(kind.before + frame).fails(1002).inWritesOf(1));
                addAmongOthers(cases, "5.2", name, kind.before + frame);
            }
        }
    }
    cases.append(Case("5.2", "reserved bit in the only byte that comes")
                     .send(clientFrame(Op::Text, "never whole", {.rsv = 2, .truncatedTo = 1}))
                     .fails(1002));
}

void addReservedOpcodes(QList<Case> &cases)
{
    for (const int value : {3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF}) {
        const Op opcode{static_cast<quint8>(value)};
        const QByteArray name = "reserved opcode " + QByteArray::number(value, 16).toUpper();
        const QByteArray frame = clientFrame(opcode, "payload");
        cases.append(Case("5.2", name + ", empty").send(clientFrame(opcode, {})).fails(1002));
        addWholeAndByteByByte(cases, Case("5.2", name).send(frame).fails(1002));
        cases.append(Case("5.2", name + ", without FIN")
                         .send(clientFrame(opcode, "payload", {.fin = false}))
                         .fails(1002));
        cases.append(Case("5.2", name + ", in a fragmented message")
                         .send(begin(Op::Text, "begun") + frame)
                         .fails(1002));
        addAmongOthers(cases, "5.2", name, frame);
    }
}

void addUnmasked(QList<Case> &cases)
{
    for (const NamedFrame &kind : frameKinds()) {
        const QByteArray payload = soundPayload(kind.opcode);
        const QByteArray frame =
            clientFrame(kind.opcode, payload, {.fin = kind.fin, .mask = std::nullopt});
        addWholeAndByteByByte(
            cases,
            Case("5.1", kind.name + " without a mask").send(kind.before + frame).fails(1002));
        const QByteArray empty =
            clientFrame(kind.opcode, {}, {.fin = kind.fin, .mask = std::nullopt});
        cases.append(Case("5.1", kind.name + " without a mask, empty")
                         .send(kind.before + empty)
                         .fails(1002));
    }
    addAmongOthers(cases, "5.1", "text without a mask",
                   clientFrame(Op::Text, "clear", {.mask = std::nullopt}));
}

void addLongLengths(QList<Case> &cases)
{
    struct Encoding
    {
        qsizetype length;
        LengthForm form;
    };
    constexpr Encoding kEncodings[] = {
        {0, LengthForm::SixteenBits},       {1, LengthForm::SixteenBits},
        {125, LengthForm::SixteenBits},     {0, LengthForm::SixtyFourBits},
        {1, LengthForm::SixtyFourBits},     {125, LengthForm::SixtyFourBits},
        {126, LengthForm::SixtyFourBits},   {127, LengthForm::SixtyFourBits},
        {65535, LengthForm::SixtyFourBits},
    };
    for (const auto &[length, form] : kEncodings) {
        const QByteArray name = QByteArray::number(length) + " bytes in "
                                + (form == LengthForm::SixteenBits ? "16" : "64") + " bits";
        for (const Op opcode : {Op::Text, Op::Binary}) {
            const QByteArray frame = clientFrame(opcode, patterned(length), {.lengthForm = form});
            Case longer("5.2", (opcode == Op::Text ? "text of " : "binary of ") + name);
            longer.send(frame).fails(1002);
            cases.append(longer);
            if (length <= 127) {
                cases.append(longer.inWritesOf(1));
            }
        }
        if (length <= 125) {
            cases.append(Case("5.2", "ping of " + name)
                             .send(clientFrame(Op::Ping, patterned(length), {.lengthForm = form}))
                             .fails(1002));
        }
        cases.append(
            Case("5.2", "continuation of " + name)
                .send(begin(Op::Text, "begun")
                      + clientFrame(Op::Continuation, patterned(length), {.lengthForm = form}))
                .fails(1002));
    }
}

/// The highest bit of a length in 64 bits must be 0: such a frame is malformed, not too big.
void addTopBit(QList<Case> &cases)
{
    for (const quint64 length :
         {0x8000'0000'0000'0000U, 0x8000'0000'0000'0005U, 0xFFFF'FFFF'FFFF'FFFFU})
    {
        for (const Op opcode : {Op::Text, Op::Binary}) {
            const QByteArray kind = opcode == Op::Text ? "text" : "binary";
            const QByteArray name = kind + " of length " + QByteArray::number(length, 16);
            const FrameOptions options{.lengthForm = LengthForm::SixtyFourBits,
                                       .announced = length};
            addWholeAndByteByByte(
                cases, Case("5.2", name).send(clientFrame(opcode, "bytes", options)).fails(1002));
        }
    }
    const FrameOptions options{.lengthForm = LengthForm::SixtyFourBits,
                               .announced = 0x8000'0000'0000'0005U};
    addAmongOthers(cases, "5.2", "length with the top bit",
                   clientFrame(Op::Text, "bytes", options));
}

} // namespace

/// Whatever a head must not say ends the connection with 1002; what was whole before it comes back,
/// and what follows is ignored.
QList<Case> violationCases()
{
    QList<Case> cases;
    addReservedBits(cases);
    addReservedOpcodes(cases);
    addUnmasked(cases);
    addLongLengths(cases);
    addTopBit(cases);
    return cases;
}

} // namespace relay::test
