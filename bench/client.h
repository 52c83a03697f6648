#pragma once

#include "connection.h"
#include "nanoseconds.h"
#include "offset_checker.h"
#include "sequence_checker.h"

namespace relay::bench {

/// One client of the load: its connection, what it received, and, if it publishes, what it sent.
///
/// Thread: its worker's; the run reads it after the worker has ended.
/// Owner: Worker, by value.
struct Client
{
    Client(int clientNumber,
           int channelNumber,
           const ConnectionKind &itsKind,
           std::size_t publishers)
        : number(clientNumber)
        , channel(channelNumber)
        , kind(itsKind)
        , checker(publishers)
    {}

    int number; ///< in the whole run; publishers are the first
    int channel;
    ConnectionKind kind;
    Connection connection;
    SequenceChecker checker;     ///< of the publishers of its channel
    OffsetChecker offsets;       ///< of one that drops and comes back
    bool isArmedToWrite = false; ///< what epoll was told
    bool sawProbe = false;
    bool lastedToTheEnd = false;
    bool isAway = false;       ///< dropped its connection, and is not back yet
    Nanoseconds returnDue = 0; ///< when it is to come back

    std::uint64_t sent = 0; ///< messages: the next one's sequence
    std::uint64_t acknowledged =
        0; ///< one past the highest that came back to this client or to its witness
    std::uint64_t unsent = 0; ///< due, but too much waited already
    /// The publisher whose messages count as acknowledged when this client gets them: itself, or,
    /// with a relay that does not send to the sender, a neighbour on the same thread. Null: none.
    Client *witnessOf = nullptr;

    double slowAllowance = 0; ///< bytes that a slow client may read
};

} // namespace relay::bench
