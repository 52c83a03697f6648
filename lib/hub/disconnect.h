#pragma once

#include "metrics/relay_counters.h"
#include "wire/frame_parser.h"

#include <QtGlobal>

#include <optional>

namespace relay {

/// Why a client's connection ended. One table, in disconnect.cpp, says what each means to the
/// client.
enum class DisconnectReason : quint8 {
    PeerClosed,     ///< the client sent a close frame: its own code counts
    StreamClosed,   ///< an event stream's client has ended it: there is no close frame, and no code
    PeerVanished,   ///< the connection ended without a close frame
    ProtocolError,  ///< a Violation with code 1002
    InvalidPayload, ///< a Violation with code 1007
    MessageTooBig,  ///< limits.message_size
    QueueFull,      ///< limits.queue_size, policy disconnect
    SlowTooLong,    ///< slow_clients.grace, policy disconnect
    ControlFrames,  ///< limits.control_frames
    KeepaliveTimeout, ///< no sign of life
    PatternPublish,   ///< a message from a client that listens to a pattern
    PublishForbidden, ///< the channel's options: publish: false
    ChannelFull,      ///< the channel's options: max_clients
    RelayFull,        ///< limits.connections
    Operator,         ///< Hub::disconnectClient()
    ServerShutdown,   ///< Hub::close() and Hub::drain()
};

inline constexpr int kDisconnectReasonCount =
    static_cast<int>(DisconnectReason::ServerShutdown) + 1;

struct DisconnectInfo
{
    quint16 closeCode =
        0; ///< sent in the close frame (RFC 6455, section 7.4.1), or only reported; 0: none
    const char *text = "";     ///< the close frame's reason, and the log's
    bool mayReconnect = false; ///< whether a client does well to come back by itself
    bool isAbrupt = false;     ///< no close frame is tried: nobody is there to read it
    bool dropsQueue = false;   ///< what waits for the client is dropped: it does not take it
    std::optional<LimitHit> limit = std::nullopt; ///< counted in relay_limit_disconnections_total
};

const DisconnectInfo &describe(DisconnectReason reason);

DisconnectReason reasonOf(Violation violation);

/// As what a client counts that was refused for want of room: ChannelFull or RelayFull.
HandshakeFailure failureOf(DisconnectReason reason);

} // namespace relay
