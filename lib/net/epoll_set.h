#pragma once

#include "net/descriptor_watcher.h"
#include "net/wake_up.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

struct epoll_event;

namespace relay {

/// Descriptors, who watches each, and the wait for all of them and for a wake-up.
///
/// Calls may be nested: a callback may add and remove any descriptor, and wait again. What the
/// outer wait had fetched and not yet dispatched is dropped then; it is fetched again if it still
/// holds (all watching is level-triggered).
///
/// Thread: the dispatcher's, but wake(), which may come from any.
/// Owner: EpollDispatcher, by value.
/// Limits: 16 bytes a descriptor; 512 of them told in one wait.
/// Errors: aborts when the kernel gives no epoll descriptor; warns of a descriptor that the kernel
/// refuses.
class EpollSet
{
public:
    EpollSet();
    ~EpollSet();
    EpollSet(const EpollSet &) = delete;
    EpollSet &operator=(const EpollSet &) = delete;

    /// Precondition: !isWatched(descriptor); the others: isWatched(descriptor).
    void add(int descriptor, std::uint32_t events, DescriptorWatcher &watcher);
    void change(int descriptor, std::uint32_t events);
    void remove(int descriptor);
    [[nodiscard]] bool isWatched(int descriptor) const;

    /// Waits up to `timeout` (negative: for ever) unless woken, and tells the watchers. Gives how
    /// many were told.
    int waitAndDispatch(std::chrono::milliseconds timeout);
    /// Waits for a wake-up only.
    void waitForWakeUp(std::chrono::milliseconds timeout);
    /// Counts the calls of waitAndDispatch(): who sees it change over a callback knows that it
    /// waited in there.
    [[nodiscard]] std::uint64_t fetches() const { return m_fetches; }

    /// Ends a wait, or the next one before it begins.
    /// Thread: any.
    void wake() { m_wakeUp.wake(); }
    /// Whether the next wait will not wait.
    [[nodiscard]] bool isWoken() const { return m_wakeUp.isWoken(); }
    /// Whether a wait was ended by wake() since the last call.
    bool takeWakeUp() { return std::exchange(m_wasWoken, false); }

private:
    struct Registration
    {
        DescriptorWatcher *watcher = nullptr;
        /// 0: not watched. Events carry it, so that those of an earlier registration are known.
        std::uint32_t generation = 0;
        std::uint32_t events = 0;
    };
    /// With more ready, the next wait takes up where this one ended: epoll rotates its ready list.
    static constexpr int kMaxEvents = 512;

    static std::uint64_t tag(int descriptor, std::uint32_t generation);
    void control(int descriptor, int operation);
    int fetch(epoll_event *events, std::chrono::milliseconds timeout);
    bool dispatch(int descriptor, std::uint32_t generation, std::uint32_t events);
    int dispatchAlwaysReady();

    const int m_epoll;
    WakeUp m_wakeUp;
    /// By descriptor: the kernel hands out the lowest that is free, so the vector has no more holes
    /// than the process.
    std::vector<Registration> m_registrations;
    std::uint32_t m_lastGeneration = 0;
    /// Descriptors that epoll does not take because they never block (files, /dev/null).
    std::vector<int> m_alwaysReady;
    std::uint64_t m_fetches = 0;
    bool m_wasWoken = false;
};

} // namespace relay
