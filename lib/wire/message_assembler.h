#pragma once

#include "wire/frame.h"
#include "wire/frame_parser.h"
#include "wire/utf8_validator.h"

#include <QByteArray>

#include <memory>
#include <optional>
#include <span>

namespace relay {

/// What a client's byte stream contains, in order.
class MessageSink
{
public:
    enum class Next : bool { GoOn, Stop };

    /// A whole text or binary message, already encoded as the frame that goes to every receiver.
    virtual Next messageReceived(Frame message) = 0;
    /// A whole, valid control frame. For Close, the payload's code and reason were checked.
    virtual Next controlReceived(Opcode opcode, QByteArrayView payload) = 0;

protected:
    ~MessageSink() = default;
};

/// Turns a client's bytes into whole messages: fragments joined, masks undone, text checked, sizes held to the limit.
///
/// A message that arrives in one piece is copied once, from the receive buffer into the frame that all receivers share.
/// One that arrives in several grows a buffer with what came, never with what was announced.
/// Thread: confined to its owner's.   Owner: a client, by value; a client that is between messages owns no buffer.
/// Limits: maxMessageBytes over all fragments, checked at each head before anything is allocated.
/// Errors: a Violation; after it, and after Stop, no further bytes may be fed.
class MessageAssembler
{
public:
    explicit MessageAssembler(quint64 maxMessageBytes) : m_maxMessageBytes(maxMessageBytes) {}

    /// Feeds what was received. Returns the rule that was broken, if one was; everything before it was delivered.
    [[nodiscard]] std::optional<Violation> feed(std::span<const char> bytes, MessageSink &sink);

    /// Whether bytes of an unfinished message or frame are kept.
    [[nodiscard]] bool isInMessage() const { return m_partial != nullptr; }

private:
    struct Partial; // allocated only while a message is unfinished

    FrameParser m_parser;
    quint64 m_maxMessageBytes;
    std::unique_ptr<Partial> m_partial;
};

} // namespace relay
