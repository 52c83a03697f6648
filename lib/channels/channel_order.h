#pragma once

#include "base/channel_name.h"
#include "base/mutex.h"
#include "channels/list_link.h"

#include <QtGlobal>

#include <optional>
#include <vector>

namespace relay {

/// The one order of all messages of the process, and the channels in the order of their newest
/// message.
///
/// Every message gets its number here (Message::sequence), and its channel becomes the newest one
/// under the same short lock. A pattern's replay walks from the newest channel to older ones and stops
/// where nothing older can matter, so its cost depends on what it finds and not on how many channels
/// there are. A channel keeps its place after it vanished, for as long as its position is kept.
///
/// Thread: any. Its lock is the innermost one: nothing is called and no lock is taken under it.
/// Owner: PatternListeners.
/// Limits: none of its own. A place is part of what the registry keeps for a name.
class ChannelOrder
{
public:
    /// A channel's place in the order. It is in the order from its first message on.
    ///
    /// Owner: the name's; ChannelOrder::remove() before its end.
    class Place : public ListLink<Place>
    {
    public:
        /// Before its first message. `name` must outlive it.
        void nameIt(const ChannelName &name) { m_name = &name; }

    private:
        friend class ChannelOrder;

        const ChannelName *m_name = nullptr; // null for the end of the list, and for bookmarks
        quint64 m_sequence = 0;              // of the newest message; guarded by the order's lock
    };

    /// Numbers a message of the channel at `place`.
    quint64 number(Place &place);
    /// The same, but only while the pattern listeners are those of this version: otherwise returns
    /// nullopt and does nothing.
    std::optional<quint64> number(Place &place, quint64 listenersVersion);
    /// Numbers a message that nobody may listen to.
    quint64 numberUnheard();

    /// The pattern listeners have changed. Returns the last number given: messages up to it were
    /// numbered before the change, all others are numbered after it.
    quint64 listenersChanged(quint64 version);
    [[nodiscard]] quint64 lastSequence() const;
    /// The number of the channel's newest message; 0 if it had none.
    [[nodiscard]] quint64 sequenceOf(const Place &place) const;
    void remove(Place &place);

    /// Looks at channels from the newest to the oldest, a slice at a time, and misses none that is
    /// there from the walk's beginning to its end: a channel that gets a message meanwhile moves to
    /// the newest end, and is looked at again.
    ///
    /// Thread: confined to one. Others may use the order between two slices.
    class Walk
    {
    public:
        /// How many channels are looked at under one lock: a few microseconds.
        static constexpr int kSlice = 64;

        /// Channels whose newest message has a number up to `downTo` are not looked at.
        Walk(ChannelOrder &order, quint64 downTo);
        ~Walk();
        Walk(const Walk &) = delete;
        Walk &operator=(const Walk &) = delete;

        struct Slice
        {
            int looked = 0;
            bool isDone = false;
        };
        /// Appends the names that match, at most `most`.
        Slice
        next(const ChannelPattern &pattern, std::size_t most, std::vector<ChannelName> &names);
        /// Channels whose newest message has a number up to `downTo` need not be looked at any more.
        void stopAt(quint64 downTo);

        /// All channels that have not been looked at have only messages up to this number, except
        /// those that have moved to the newest end since the walk began.
        [[nodiscard]] quint64 unseenUpTo() const { return m_unseenUpTo; }
        /// Whether it looks at the channels that have moved: unseenUpTo() says nothing then.
        [[nodiscard]] bool isLookingAgain() const { return m_isLookingAgain; }

    private:
        void begin() RELAY_REQUIRES(m_order.m_mutex);

        ChannelOrder &m_order;
        Place m_bookmark;
        quint64 m_downTo;
        quint64 m_begunAt = 0; // the last number when this round began
        quint64 m_unseenUpTo = 0;
        bool m_isBegun = false;
        bool m_isLookingAgain = false;
    };

private:
    quint64 append(Place &place) RELAY_REQUIRES(m_mutex);
    Place &olderThan(const Place &bookmark) RELAY_REQUIRES(m_mutex);

    mutable Mutex m_mutex;
    quint64 m_sequence RELAY_GUARDED_BY(m_mutex) = 0;
    quint64 m_listenersVersion RELAY_GUARDED_BY(m_mutex) = 1;
    Place m_end RELAY_GUARDED_BY(m_mutex); // the newest channel is before it
};

} // namespace relay
