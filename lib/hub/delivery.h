#pragma once

#include "base/clock.h"
#include "base/ids.h"
#include "wire/frame.h"

namespace relay {

/// A message on its way to the members of its channel.
struct Delivery
{
    Frame frame;
    ClientId sender = kNoClient;
    TimePoint acceptedAt;
};

} // namespace relay
