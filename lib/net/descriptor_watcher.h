#pragma once

#include <cstdint>

namespace relay {

/// Who is told of a descriptor's readiness without a QSocketNotifier in between.
class DescriptorWatcher
{
public:
    /// `events` are EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR as epoll_wait(2) gave them
    /// (level-triggered).
    ///
    /// May watch, change and unwatch any descriptor, its own too, and delete any watcher: one that
    /// is unwatched is not told any more, not even of an event that this turn had already fetched,
    /// nor is a new watcher of a reused descriptor told of its predecessor's.
    virtual void descriptorReady(std::uint32_t events) = 0;

protected:
    ~DescriptorWatcher() = default;
};

} // namespace relay
