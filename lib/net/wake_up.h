#pragma once

#include <QString>

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

namespace relay {

/// How other threads get an event loop out of its wait. Costs them a system call only if it does
/// wait, or is about to.
///
/// Thread: wake() any; the rest the loop's.
/// Owner: the loop's dispatcher, by value.
/// Errors: aborts when the kernel gives no eventfd.
class WakeUp
{
public:
    WakeUp()
        : m_descriptor(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))
    {
        if (m_descriptor < 0) {
            qFatal("WakeUp: eventfd: %s", qPrintable(qt_error_string(errno)));
        }
    }
    ~WakeUp() { ::close(m_descriptor); }
    WakeUp(const WakeUp &) = delete;
    WakeUp &operator=(const WakeUp &) = delete;

    [[nodiscard]] int descriptor() const { return m_descriptor; }

    void wake()
    {
        if (m_state.exchange(State::Woken) == State::Blocked) {
            ::eventfd_write(m_descriptor, 1); // cannot fail short of 2^64 wake-ups
        }
    }
    [[nodiscard]] bool isWoken() const { return m_state.load() == State::Woken; }

    /// False if there was a wake-up since the last one that endWait() told of: then nobody writes
    /// to the descriptor, and the caller must not wait.
    bool beginWait()
    {
        State running = State::Running;
        return m_state.compare_exchange_strong(running, State::Blocked);
    }
    /// Whether there was a wake-up. It is taken: the next beginWait() may wait again.
    bool endWait() { return m_state.exchange(State::Running) == State::Woken; }

    /// Forgets what was written for wake-ups that are already taken. Only poll(2) needs that; epoll
    /// watches the edge.
    void drain() const
    {
        eventfd_t count = 0;
        ::eventfd_read(m_descriptor, &count);
    }

private:
    enum class State : std::uint8_t {
        Running,
        Blocked,
        Woken
    };

    const int m_descriptor;
    std::atomic<State> m_state{State::Running};
};

} // namespace relay
