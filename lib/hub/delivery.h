#pragma once

#include "channels/message.h"

namespace relay {

class Room;

/// A message on its way to the members of a room.
struct Delivery
{
    MessagePtr message;
    Room *room; ///< of the worker whose inbox it is in
};

} // namespace relay
