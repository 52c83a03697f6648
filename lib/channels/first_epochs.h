#pragma once

#include "base/channel_name.h"
#include "base/position.h"

#include <QByteArray>

#include <atomic>
#include <vector>

namespace relay {

/// The epochs with which channels begin. They are computed from the name and a random key of this
/// process, so that a channel that never had a message has the same epoch whenever it is used, and
/// costs no memory in between.
///
/// When a channel that had messages is forgotten, its name must begin with another epoch the next
/// time. A counter says how often, shared by the names with the same hash: with some luck (1 : 16,384
/// for each channel forgotten) another name gets another epoch, too, and a listener that had seen
/// nothing of it is told of a gap where there is none.
///
/// Thread: any.
/// Limits: 64 KiB.
class FirstEpochs
{
public:
    FirstEpochs();

    [[nodiscard]] Epoch of(const ChannelName &name) const;
    /// The name's next epoch differs from all that it had.
    void forget(const ChannelName &name);

private:
    static constexpr std::size_t kCounters = 16'384;

    const QByteArray m_key;
    std::vector<std::atomic<quint32>> m_timesForgotten;
};

} // namespace relay
