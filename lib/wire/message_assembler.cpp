#include "wire/message_assembler.h"

#include "wire/close_code.h"

#include <QtEndian>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace relay {

namespace {

using ControlPayload = std::array<char, static_cast<std::size_t>(kMaxControlPayloadBytes)>;

/// The rules for a close frame's payload: nothing, or a code that may be sent and a reason in
/// UTF-8.
std::optional<Violation> checkClosePayload(QByteArrayView payload)
{
    constexpr qsizetype kCodeBytes = sizeof(quint16);
    if (payload.isEmpty()) {
        return std::nullopt;
    }
    if (payload.size() < kCodeBytes
        || !isSendableCloseCode(qFromBigEndian<quint16>(payload.data()))) {
        return Violation::InvalidClosePayload;
    }
    if (!payload.sliced(kCodeBytes).isValidUtf8()) {
        return Violation::InvalidUtf8;
    }
    return std::nullopt;
}

} // namespace

struct MessageAssembler::Partial
{
    // The message, from its first fragment on; isInMessage is false while only a control frame is
    // unfinished.
    bool isInMessage = false;
    Opcode opcode = Opcode::Binary;
    QByteArray buffer; ///< kMaxFrameHeadBytes for the head, then the payload so far
    Utf8Validator utf8;

    // A control frame that arrives in pieces; it may come between the fragments of the message.
    ControlPayload control{};

    [[nodiscard]] quint64 payloadBytes() const
    {
        return static_cast<quint64>(buffer.size() - kMaxFrameHeadBytes);
    }
};

MessageAssembler::MessageAssembler(quint64 maxMessageBytes)
    // What a QByteArray can hold bounds every limit, so that sums of sizes cannot overflow.
    : m_maxMessageBytes(
        std::min<quint64>(maxMessageBytes, std::numeric_limits<qsizetype>::max() / 4))
{}

MessageAssembler::~MessageAssembler() = default;
MessageAssembler::MessageAssembler(MessageAssembler &&) noexcept = default;
MessageAssembler &MessageAssembler::operator=(MessageAssembler &&) noexcept = default;

bool MessageAssembler::isInMessage() const
{
    return m_partial != nullptr || !m_parser.isBetweenFrames();
}

qsizetype MessageAssembler::heldBytes() const
{
    return m_partial ? m_partial->buffer.capacity() : 0;
}

std::optional<Violation> MessageAssembler::feed(std::span<const char> bytes, MessageSink &sink)
{
    int frames = std::numeric_limits<int>::max();
    return feed(bytes, frames, sink);
}

std::optional<Violation>
MessageAssembler::feed(std::span<const char> &bytes, int &frames, MessageSink &sink)
{
    while (frames > 0 || !m_parser.isBetweenFrames()) {
        Step step;
        switch (m_parser.next(bytes)) {
        case FrameParser::Event::NeedMore:
            return std::nullopt;
        case FrameParser::Event::Violation:
            return m_parser.violation();
        case FrameParser::Event::Head:
            --frames;
            step = headArrived(sink);
            break;
        case FrameParser::Event::Payload:
            step = payloadArrived(m_parser.chunk(), sink);
            break;
        }
        if (step.broken || step.next == MessageSink::Next::Stop) {
            return step
                .broken; // and nothing of this object is looked at: the sink may have deleted it
        }
    }
    return std::nullopt;
}

MessageAssembler::Step MessageAssembler::headArrived(MessageSink &sink)
{
    if (!isControl(m_parser.head().opcode)) {
        if (const auto broken = checkDataHead()) {
            return {.broken = broken};
        }
    }
    // An empty payload brings no Payload event.
    return m_parser.frameDone() ? payloadArrived({}, sink) : Step{};
}

/// The rules of fragmentation (RFC 6455, section 5.4), and the limit.
std::optional<Violation> MessageAssembler::checkDataHead() const
{
    const FrameHead &head = m_parser.head();
    const bool inMessage = m_partial && m_partial->isInMessage;
    if (head.opcode == Opcode::Continuation && !inMessage) {
        return Violation::UnexpectedContinuation;
    }
    if (head.opcode != Opcode::Continuation && inMessage) {
        return Violation::InterruptedMessage;
    }
    const quint64 before = inMessage ? m_partial->payloadBytes() : 0;
    if (head.payloadBytes > m_maxMessageBytes - before) {
        return Violation::MessageTooBig;
    }
    return std::nullopt;
}

MessageAssembler::Step MessageAssembler::payloadArrived(std::span<const char> chunk,
                                                        MessageSink &sink)
{
    const FrameHead &head = m_parser.head();
    if (isControl(head.opcode)) {
        return controlArrived(chunk, sink);
    }
    const bool isWholeMessage =
        head.fin && head.opcode != Opcode::Continuation && chunk.size() == head.payloadBytes;
    if (!isWholeMessage) {
        return appendToMessage(chunk, sink);
    }
    Frame message = Frame::fromMasked(head.opcode, chunk, head.mask);
    if (message.isText() && !message.payload().isValidUtf8()) {
        return {.broken = Violation::InvalidUtf8};
    }
    return {.next = sink.messageReceived(std::move(message))};
}

MessageAssembler::Step MessageAssembler::controlArrived(std::span<const char> chunk,
                                                        MessageSink &sink)
{
    const FrameHead &head = m_parser.head();
    ControlPayload
        payload; // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
    const auto payloadBytes = static_cast<qsizetype>(head.payloadBytes);
    if (chunk.size() == head.payloadBytes) {
        unmask(payload.data(), chunk, head.mask);
    } else {
        Partial &kept = partial();
        unmask(kept.control.data() + m_parser.chunkOffset(), chunk, head.mask,
               m_parser.chunkOffset());
        if (!m_parser.frameDone()) {
            return {};
        }
        std::copy_n(kept.control.begin(), payloadBytes, payload.begin());
        if (!kept.isInMessage) {
            m_partial.reset();
        }
    }
    const QByteArrayView whole(payload.data(), payloadBytes);
    if (head.opcode == Opcode::Close) {
        if (const auto broken = checkClosePayload(whole)) {
            return {.broken = broken};
        }
    }
    return {.next = sink.controlReceived(head.opcode, whole)};
}

MessageAssembler::Step MessageAssembler::appendToMessage(std::span<const char> chunk,
                                                         MessageSink &sink)
{
    const FrameHead &head = m_parser.head();
    Partial &kept = partial();
    if (!kept.isInMessage) {
        kept.isInMessage = true;
        kept.opcode = head.opcode;
    }

    const auto chunkBytes = static_cast<qsizetype>(chunk.size());
    makeRoom(chunkBytes);
    const qsizetype at = kept.buffer.size();
    kept.buffer.resize(at + chunkBytes);
    unmask(kept.buffer.data() + at, chunk, head.mask, m_parser.chunkOffset());

    const bool isDone = m_parser.frameDone() && head.fin;
    if (kept.opcode == Opcode::Text) {
        const bool isValid = kept.utf8.feed(QByteArrayView(kept.buffer).sliced(at));
        if (!isValid || (isDone && !kept.utf8.isComplete())) {
            return {.broken = Violation::InvalidUtf8};
        }
    }
    if (!isDone) {
        return {};
    }
    // Gone before the sink is called: it may delete this object, and a client between messages owns
    // no buffer.
    const std::unique_ptr<Partial> finished = std::move(m_partial);
    return {.next =
                sink.messageReceived(Frame::adopt(finished->opcode, std::move(finished->buffer)))};
}

MessageAssembler::Partial &MessageAssembler::partial()
{
    if (!m_partial) {
        m_partial = std::make_unique<Partial>();
    }
    return *m_partial;
}

/// Makes room for that many more bytes in the message's buffer, which starts with room for the
/// head. Grows to twice what has arrived, so that a message costs a constant number of copies a
/// byte, but never past what it can become: a message in one frame ends in a buffer of its own
/// size.
void MessageAssembler::makeRoom(qsizetype bytes)
{
    QByteArray &buffer = m_partial->buffer;
    const qsizetype longest = longestPossible();
    if (buffer.isEmpty()) {
        buffer.reserve(std::min(kMaxFrameHeadBytes + bytes, longest));
        buffer.resize(kMaxFrameHeadBytes);
        return;
    }
    const qsizetype needed = buffer.size() + bytes;
    if (needed > buffer.capacity()) {
        buffer.reserve(std::min(2 * needed, longest));
    }
}

/// The longest that the buffer of the message can become, by the limit and by the head of its last
/// frame.
qsizetype MessageAssembler::longestPossible() const
{
    const FrameHead &head = m_parser.head();
    quint64 payloadBytes = m_maxMessageBytes;
    if (head.fin) {
        const quint64 before = m_partial->buffer.isEmpty() ? 0 : m_partial->payloadBytes();
        payloadBytes = before - m_parser.chunkOffset() + head.payloadBytes;
    }
    return kMaxFrameHeadBytes + static_cast<qsizetype>(payloadBytes);
}

} // namespace relay
