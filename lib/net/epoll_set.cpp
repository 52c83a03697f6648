#include "net/epoll_set.h"

#include <QString>

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <poll.h>
#include <utility>

namespace relay {

using std::chrono::milliseconds;

namespace {

constexpr std::uint32_t kAlwaysReported = EPOLLERR | EPOLLHUP;

} // namespace

EpollSet::EpollSet()
    : m_epoll(::epoll_create1(EPOLL_CLOEXEC))
{
    if (m_epoll < 0) {
        qFatal("EpollSet: epoll_create1: %s", qPrintable(qt_error_string(errno)));
    }
    epoll_event event{};
    // The edge, so that nobody has to read the counter back; generation 0 belongs to no
    // registration.
    event.events = EPOLLIN | EPOLLET;
    event.data.u64 = tag(m_wakeUp.descriptor(), 0);
    if (::epoll_ctl(m_epoll, EPOLL_CTL_ADD, m_wakeUp.descriptor(), &event) < 0) {
        qFatal("EpollSet: epoll_ctl: %s", qPrintable(qt_error_string(errno)));
    }
}

std::uint64_t EpollSet::tag(int descriptor, std::uint32_t generation)
{
    return (std::uint64_t{generation} << 32) | static_cast<std::uint32_t>(descriptor);
}

EpollSet::~EpollSet()
{
    ::close(m_epoll);
}

void EpollSet::add(int descriptor, std::uint32_t events, DescriptorWatcher &watcher)
{
    const auto index = static_cast<std::size_t>(descriptor);
    if (index >= m_registrations.size()) {
        m_registrations.resize(index + 1);
    }
    if (++m_lastGeneration == 0) {
        ++m_lastGeneration;
    }
    m_registrations[index] = {&watcher, m_lastGeneration, events};
    control(descriptor, EPOLL_CTL_ADD);
}

void EpollSet::change(int descriptor, std::uint32_t events)
{
    Registration &registration = m_registrations[static_cast<std::size_t>(descriptor)];
    if (std::exchange(registration.events, events) != events) {
        control(descriptor, EPOLL_CTL_MOD);
    }
}

void EpollSet::remove(int descriptor)
{
    m_registrations[static_cast<std::size_t>(descriptor)] = {};
    // Fails if the descriptor was closed first, which took it out of the epoll set as well.
    ::epoll_ctl(m_epoll, EPOLL_CTL_DEL, descriptor, nullptr);
    std::erase(m_alwaysReady, descriptor);
}

void EpollSet::control(int descriptor, int operation)
{
    const Registration &registration = m_registrations[static_cast<std::size_t>(descriptor)];
    epoll_event event{};
    event.events = registration.events;
    event.data.u64 = tag(descriptor, registration.generation);
    if (::epoll_ctl(m_epoll, operation, descriptor, &event) == 0) {
        return;
    }
    if (errno == EPERM) {
        if (operation == EPOLL_CTL_ADD) {
            m_alwaysReady.push_back(descriptor);
        }
        return;
    }
    // Closed and opened anew under a registration that was never ended, or a duplicate that kept
    // the old one alive.
    if ((operation == EPOLL_CTL_MOD && errno == ENOENT)
        || (operation == EPOLL_CTL_ADD && errno == EEXIST))
    {
        const int other = operation == EPOLL_CTL_MOD ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
        if (::epoll_ctl(m_epoll, other, descriptor, &event) == 0) {
            return;
        }
    }
    qWarning("EpollSet: descriptor %d cannot be watched: %s", descriptor,
             qPrintable(qt_error_string(errno)));
}

bool EpollSet::isWatched(int descriptor) const
{
    const auto index = static_cast<std::size_t>(descriptor);
    return index < m_registrations.size() && m_registrations[index].generation != 0;
}

int EpollSet::fetch(epoll_event *events, milliseconds timeout)
{
    if (!m_wakeUp.beginWait() || !m_alwaysReady.empty()) {
        timeout = milliseconds::zero();
    }
    const int count = ::epoll_wait(m_epoll, events, kMaxEvents, static_cast<int>(timeout.count()));
    const int error = errno;
    m_wasWoken |= m_wakeUp.endWait();
    ++m_fetches;
    if (count < 0 && error != EINTR) {
        qFatal("EpollSet: epoll_wait: %s", qPrintable(qt_error_string(error)));
    }
    return count;
}

int EpollSet::waitAndDispatch(milliseconds timeout)
{
    // On the stack, for a nested call has its own; not initialised, for the kernel fills it.
    std::array<epoll_event, kMaxEvents> events; // NOLINT(cppcoreguidelines-pro-type-member-init)
    const int count = fetch(events.data(), timeout);
    const std::uint64_t fetched = m_fetches;
    int dispatched = 0;
    for (int i = 0; i < count && fetched == m_fetches; ++i) {
        const epoll_event &event = events[static_cast<std::size_t>(i)];
        const std::uint64_t data = event.data.u64;
        if (dispatch(static_cast<int>(data & 0xffff'ffffU), static_cast<std::uint32_t>(data >> 32),
                     event.events))
        {
            ++dispatched;
        }
    }
    if (!m_alwaysReady.empty() && fetched == m_fetches) {
        dispatched += dispatchAlwaysReady();
    }
    return dispatched;
}

bool EpollSet::dispatch(int descriptor, std::uint32_t generation, std::uint32_t events)
{
    if (generation == 0) {
        return false; // the wake-up
    }
    // The registration may have ended, changed, or been replaced since the event was fetched.
    const Registration &registration = m_registrations[static_cast<std::size_t>(descriptor)];
    const std::uint32_t wanted = events & (registration.events | kAlwaysReported);
    if (registration.generation != generation || wanted == 0) {
        return false;
    }
    registration.watcher->descriptorReady(wanted);
    return true;
}

int EpollSet::dispatchAlwaysReady()
{
    const std::uint64_t fetched = m_fetches;
    int dispatched = 0;
    // By index, newest first: a callback may take any of them off the list.
    for (std::size_t left = m_alwaysReady.size(); left > 0 && fetched == m_fetches; --left) {
        if (left > m_alwaysReady.size()) {
            continue;
        }
        const int descriptor = m_alwaysReady[left - 1];
        const Registration &registration = m_registrations[static_cast<std::size_t>(descriptor)];
        if (dispatch(descriptor, registration.generation, EPOLLIN | EPOLLOUT)) {
            ++dispatched;
        }
    }
    return dispatched;
}

void EpollSet::waitForWakeUp(milliseconds timeout)
{
    m_wakeUp.drain();
    if (!m_wakeUp.beginWait()) {
        timeout = milliseconds::zero();
    }
    pollfd waited{m_wakeUp.descriptor(), POLLIN, 0};
    ::poll(&waited, 1, static_cast<int>(timeout.count()));
    m_wasWoken |= m_wakeUp.endWait();
}

} // namespace relay
