#pragma once

#include "base/channel_name.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "channels/list_link.h"

#include <chrono>
#include <optional>

namespace relay {

/// What is remembered of channels that vanished: how many, and for how long.
struct IdleLimits
{
    int positions = 100'000;
    std::chrono::milliseconds age = std::chrono::hours(24);
};

/// The channels that vanished and whose positions are kept, in the order in which they vanished.
///
/// Thread: any. Its lock is taken inside that of a part of the registry; nothing is called and no
/// lock is taken under it.
/// Owner: ChannelRegistry.
/// Limits: says which channel is to be forgotten; the registry forgets it.
class IdleChannels
{
public:
    /// An idle channel's place in the list. Owner: the name's.
    class Place : public ListLink<Place>
    {
    public:
        /// Before it is added. `name` must outlive it.
        void nameIt(const ChannelName &name) { m_name = &name; }

    private:
        friend class IdleChannels;

        const ChannelName *m_name = nullptr;
        TimePoint m_since; // guarded by the list's lock
    };

    explicit IdleChannels(const IdleLimits &limits)
        : m_limits(limits)
    {}

    void add(Place &place);
    void remove(Place &place);
    /// Removes it if it is the first of all, and returns whether it was.
    bool removeFirst(Place &place);

    /// The first of all if there are more than may be.
    [[nodiscard]] std::optional<ChannelName> firstOfTooMany() const;
    /// Tells the time, from which ages are counted, and returns the first of all if it is too old.
    [[nodiscard]] std::optional<ChannelName> firstTooOld(TimePoint now);
    [[nodiscard]] int count() const;

private:
    const IdleLimits m_limits;

    mutable Mutex m_mutex;
    std::optional<TimePoint> m_now RELAY_GUARDED_BY(m_mutex); // as it was last told
    TimePoint m_firstNow RELAY_GUARDED_BY(m_mutex);
    int m_count RELAY_GUARDED_BY(m_mutex) = 0;
    Place m_end RELAY_GUARDED_BY(m_mutex);
};

} // namespace relay
