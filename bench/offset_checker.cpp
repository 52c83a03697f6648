#include "offset_checker.h"

namespace relay::bench {

void OffsetChecker::begin(const StreamPosition &position)
{
    if (m_last && position.epoch != m_last->epoch) {
        ++m_holes;
    } else if (m_last && position.offset <= m_last->offset) {
        return; // if it repeats something, that will be seen
    } else if (m_last) {
        m_holes += position.offset - m_last->offset;
    }
    m_last = position;
}

void OffsetChecker::tellGap(const StreamPosition &to)
{
    ++m_gapsTold;
    if (m_last && to.epoch != m_last->epoch) {
        m_offsetsTold = kUnknown;
    } else if (m_last && to.offset <= m_last->offset) {
        return;
    } else if (m_last && m_offsetsTold != kUnknown) {
        m_offsetsTold += to.offset - m_last->offset;
    }
    m_last = to;
}

void OffsetChecker::observe(const StreamPosition &position)
{
    if (m_last && position.epoch == m_last->epoch) {
        if (position.offset <= m_last->offset) {
            ++m_doubles;
            return;
        }
        m_holes += position.offset - m_last->offset - 1;
    } else if (m_last) {
        ++m_holes;
    }
    m_last = position;
}

} // namespace relay::bench
