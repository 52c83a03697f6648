#pragma once

#include "net/peer_address.h"
#include "net/socket_handle.h"

namespace relay {

/// A connection that was accepted and is not served yet.
struct AcceptedSocket
{
    SocketHandle socket;
    PeerAddress peer;
};

} // namespace relay
