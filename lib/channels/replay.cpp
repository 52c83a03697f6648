#include "channels/replay.h"

namespace relay {

std::span<const MessagePtr> newestWithin(std::span<const MessagePtr> messages, qint64 bytes)
{
    std::size_t given = 0;
    while (given < messages.size()) {
        bytes -= messages[messages.size() - given - 1]->cost();
        if (bytes < 0) {
            break;
        }
        ++given;
    }
    return messages.last(given);
}

} // namespace relay
