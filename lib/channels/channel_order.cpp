#include "channels/channel_order.h"

#include <algorithm>
#include <utility>

namespace relay {

quint64 ChannelOrder::append(Place &place)
{
    if (&place.next() != &m_end) { // else it is the newest already
        place.unlink();
        place.insertBefore(m_end);
    }
    place.m_sequence = ++m_sequence;
    return m_sequence;
}

quint64 ChannelOrder::number(Place &place)
{
    const MutexLock lock(m_mutex);
    return append(place);
}

std::optional<quint64> ChannelOrder::number(Place &place, quint64 listenersVersion)
{
    const MutexLock lock(m_mutex);
    if (listenersVersion != m_listenersVersion) {
        return std::nullopt;
    }
    return append(place);
}

quint64 ChannelOrder::numberUnheard()
{
    const MutexLock lock(m_mutex);
    return ++m_sequence;
}

quint64 ChannelOrder::listenersChanged(quint64 version)
{
    const MutexLock lock(m_mutex);
    m_listenersVersion = version;
    return m_sequence;
}

quint64 ChannelOrder::lastSequence() const
{
    const MutexLock lock(m_mutex);
    return m_sequence;
}

quint64 ChannelOrder::sequenceOf(const Place &place) const
{
    const MutexLock lock(m_mutex);
    return place.m_sequence;
}

void ChannelOrder::remove(Place &place)
{
    const MutexLock lock(m_mutex);
    place.unlink();
}

/// The end of the list if there is none.
ChannelOrder::Place &ChannelOrder::olderThan(const Place &bookmark)
{
    Place *place = &bookmark.previous();
    while (place->m_name == nullptr && place != &m_end) { // another walk's bookmark
        place = &place->previous();
    }
    return *place;
}

// Walking

ChannelOrder::Walk::Walk(ChannelOrder &order, quint64 downTo)
    : m_order(order)
    , m_downTo(downTo)
{}

ChannelOrder::Walk::~Walk()
{
    const MutexLock lock(m_order.m_mutex);
    m_bookmark.unlink();
}

void ChannelOrder::Walk::stopAt(quint64 downTo)
{
    m_downTo = std::max(m_downTo, downTo);
}

/// A round begins at the newest end.
void ChannelOrder::Walk::begin()
{
    m_bookmark.unlink();
    m_bookmark.insertBefore(m_order.m_end);
    m_begunAt = m_order.m_sequence;
}

ChannelOrder::Walk::Slice ChannelOrder::Walk::next(const ChannelPattern &pattern,
                                                   std::size_t most,
                                                   std::vector<ChannelName> &names)
{
    const MutexLock lock(m_order.m_mutex);
    Slice slice;
    bool isRoundBegunHere = !std::exchange(m_isBegun, true);
    if (isRoundBegunHere) {
        begin();
    }
    const std::size_t enough = names.size() + most;
    while (slice.looked < kSlice && names.size() < enough) {
        Place &place = m_order.olderThan(m_bookmark);
        if (place.m_sequence > m_downTo) { // not the end, whose number is 0
            ++slice.looked;
            if (pattern.matches(*place.m_name)) {
                names.push_back(*place.m_name);
            }
            m_bookmark.unlink();
            m_bookmark.insertBefore(place);
        } else if (isRoundBegunHere) { // nothing can have moved
            slice.isDone = true;
            break;
        } else {
            m_downTo = std::max(m_downTo, m_begunAt);
            begin();
            isRoundBegunHere = true;
            m_isLookingAgain = true;
        }
    }
    m_unseenUpTo = m_order.olderThan(m_bookmark).m_sequence;
    return slice;
}

} // namespace relay
