#pragma once

#include "wire/frame.h"
#include "wire/frame_parser.h"
#include "wire/utf8_validator.h"

#include <QByteArray>

#include <memory>
#include <optional>
#include <span>

namespace relay {

/// What a client's byte stream contains, in order. One that answers Stop may already have deleted
/// the assembler.
class MessageSink
{
public:
    enum class Next : bool {
        GoOn,
        Stop
    };

    /// A whole text or binary message, already encoded as the frame that goes to every receiver.
    virtual Next messageReceived(Frame message) = 0;
    /// A whole, valid control frame. For Close, the payload's code and reason were checked.
    virtual Next controlReceived(Opcode opcode, QByteArrayView payload) = 0;

protected:
    ~MessageSink() = default;
};

/// Turns a client's bytes into whole messages: fragments joined, masks undone, text checked, sizes
/// held to the limit.
///
/// A message that arrives in one piece is copied once, from the receive buffer into the frame that
/// all receivers share. One that arrives in several grows a buffer with what came, never with what
/// was announced, and frees it when the message is done.
///
/// Thread: confined to its owner's.
/// Owner: a client, by value; one between messages owns no buffer.
///
/// Limits: maxMessageBytes over all fragments, checked at each head before anything is allocated.
///
/// Errors: a Violation; after it, and after Stop, no further bytes may be fed.
class MessageAssembler
{
public:
    explicit MessageAssembler(quint64 maxMessageBytes);
    ~MessageAssembler();
    MessageAssembler(const MessageAssembler &) = delete;
    MessageAssembler &operator=(const MessageAssembler &) = delete;
    MessageAssembler(MessageAssembler &&) noexcept;
    MessageAssembler &operator=(MessageAssembler &&) noexcept;

    /// Feeds what was received, up to `frames` frames, and takes what it has used off both: a caller
    /// that finds bytes left feeds them later. Returns the rule that was broken, if one was;
    /// everything before it was delivered. When the sink says Stop, the rest is left alone.
    [[nodiscard]] std::optional<Violation>
    feed(std::span<const char> &bytes, int &frames, MessageSink &sink);
    /// The same without a limit.
    [[nodiscard]] std::optional<Violation> feed(std::span<const char> bytes, MessageSink &sink);

    /// Whether bytes of an unfinished message or frame are kept.
    [[nodiscard]] bool isInMessage() const;
    /// What is kept for the unfinished message: its buffer's capacity.
    [[nodiscard]] qsizetype heldBytes() const;

private:
    struct Partial; // allocated only while a message or a control frame is unfinished

    /// Where a step left the stream: to go on, to stop because the sink said so, or broken.
    struct Step
    {
        MessageSink::Next next = MessageSink::Next::GoOn;
        std::optional<Violation> broken = std::nullopt;
    };

    Step headArrived(MessageSink &sink);
    Step payloadArrived(std::span<const char> chunk, MessageSink &sink);
    Step controlArrived(std::span<const char> chunk, MessageSink &sink);
    Step appendToMessage(std::span<const char> chunk, MessageSink &sink);
    [[nodiscard]] std::optional<Violation> checkDataHead() const;
    [[nodiscard]] qsizetype longestPossible() const;
    Partial &partial();
    void makeRoom(qsizetype bytes);

    FrameParser m_parser;
    quint64 m_maxMessageBytes;
    std::unique_ptr<Partial> m_partial;
};

} // namespace relay
