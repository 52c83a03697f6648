#include "wire/message_assembler.h"

#include "property.h"

#include <QList>
#include <QRandomGenerator>
#include <QStringDecoder>

#include <functional>
#include <optional>

using namespace relay;

namespace {

/// Small, so that small inputs reach it.
constexpr quint64 kMaxMessageBytes = 200;

struct Event
{
    Opcode opcode = Opcode::Text;
    QByteArray payload;

    friend bool operator==(const Event &, const Event &) = default;
};

/// What a connection makes of its bytes.
struct Reading
{
    QList<Event> events;
    std::optional<Violation> violation;

    friend bool operator==(const Reading &, const Reading &) = default;
};

class Recorder final : public MessageSink
{
public:
    QList<Event> events;

    Next messageReceived(Frame message) override
    {
        events.append({message.opcode(), message.payload().toByteArray()});
        return Next::GoOn;
    }
    Next controlReceived(Opcode opcode, QByteArrayView payload) override
    {
        events.append({opcode, payload.toByteArray()});
        return Next::GoOn;
    }
};

/// Reads the input in parts as long as nextLength() says.
Reading read(QByteArrayView input, const std::function<qsizetype()> &nextLength)
{
    MessageAssembler assembler(kMaxMessageBytes);
    Recorder recorder;
    Reading reading;
    while (!reading.violation && !input.isEmpty()) {
        const QByteArray part = input.first(std::min(nextLength(), input.size())).toByteArray();
        input = input.sliced(part.size());
        reading.violation =
            assembler.feed({part.constData(), static_cast<std::size_t>(part.size())}, recorder);
        require(assembler.heldBytes() <= static_cast<qsizetype>(4 * kMaxMessageBytes),
                "what is kept is bounded");
    }
    reading.events = recorder.events;
    return reading;
}

bool isUtf8(QByteArrayView text)
{
    QStringDecoder decode(QStringDecoder::Utf8, QStringDecoder::Flag::Stateless);
    [[maybe_unused]] const QString decoded = decode(text);
    return !decode.hasError();
}

/// The obvious decoder: RFC 6455, section 5.2, over bytes that are all there. Text is checked only when a message is complete,
/// so it may find another rule broken, or find it later, than one that checks each piece.
class Decoder
{
public:
    explicit Decoder(QByteArrayView input)
        : m_input(input)
    {}

    Reading run()
    {
        while (!m_reading.violation && nextFrame()) {
        }
        return m_reading;
    }

private:
    bool fail(Violation violation)
    {
        m_reading.violation = violation;
        return false;
    }

    bool nextFrame()
    {
        if (m_input.size() - m_at < 2) {
            return false;
        }
        const auto byte = [this](qsizetype i) { return static_cast<quint8>(m_input[m_at + i]); };
        const bool fin = (byte(0) & 0x80) != 0;
        const auto opcode = static_cast<Opcode>(byte(0) & 0x0F);
        qsizetype headBytes = 2;
        quint64 length = byte(1) & 0x7F;
        const int extended = length == 126 ? 2 : length == 127 ? 8 : 0;
        if (m_input.size() - m_at < 2 + extended + 4) {
            return false;
        }
        if (extended > 0) {
            length = 0;
            for (int i = 0; i < extended; ++i) {
                length = length << 8 | byte(2 + i);
            }
            headBytes += extended;
        }
        const QByteArrayView mask = m_input.sliced(m_at + headBytes, 4);
        headBytes += 4;
        if (length > static_cast<quint64>(m_input.size() - m_at - headBytes)) {
            return false;
        }
        QByteArray payload =
            m_input.sliced(m_at + headBytes, static_cast<qsizetype>(length)).toByteArray();
        for (qsizetype i = 0; i < payload.size(); ++i) {
            payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
        }
        m_at += headBytes + payload.size();
        if (isControl(opcode)) {
            m_reading.events.append({opcode, payload});
            return true;
        }
        return takeData(opcode, fin, payload);
    }

    bool takeData(Opcode opcode, bool fin, const QByteArray &payload)
    {
        if (opcode != Opcode::Continuation) {
            m_opcode = opcode;
            m_message.clear();
        }
        m_message += payload;
        if (!fin) {
            return true;
        }
        if (m_opcode == Opcode::Text && !isUtf8(m_message)) {
            return fail(Violation::InvalidUtf8);
        }
        m_reading.events.append({m_opcode, m_message});
        return true;
    }

    QByteArrayView m_input;
    qsizetype m_at = 0;
    Opcode m_opcode = Opcode::Text;
    QByteArray m_message;
    Reading m_reading;
};

} // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it
extern "C" int LLVMFuzzerTestOneInput(const quint8 *data, std::size_t size)
{
    const QByteArrayView input(data, static_cast<qsizetype>(size));
    if (input.isEmpty()) {
        return 0;
    }
    const Reading whole = read(input, [&] { return input.size(); });
    require(whole == read(input, [] { return qsizetype{1}; }),
            "byte by byte gives what the whole gives");
    QRandomGenerator random(static_cast<quint32>(qHash(input, 0))); // the same in each run
    for (const quint32 longest : {4U, 16U}) {
        require(whole == read(input, [&] { return qsizetype{1} + random.bounded(longest); }),
                "parts give what the whole gives");
    }
    // The obvious decoder knows no rules, so it is right as far as none was broken.
    const Reading obvious = Decoder(input).run();
    require(whole.events.size() <= obvious.events.size()
                && obvious.events.first(whole.events.size()) == whole.events,
            "the messages are those of the obvious decoder");
    require(whole.violation || (whole.events == obvious.events && !obvious.violation),
            "without a violation all messages of the obvious decoder are there");
    for (const Event &event : whole.events) {
        require(event.payload.size() <= static_cast<qsizetype>(kMaxMessageBytes),
                "no message is longer than the limit");
        require(event.opcode != Opcode::Text || isUtf8(event.payload), "text is UTF-8");
    }
    return 0;
}
