#include "channel_plan.h"

#include <algorithm>

namespace relay::bench {

std::string ChannelPlan::targetOf(std::string_view target, int channel) const
{
    if (channels == 1) {
        return std::string(target);
    }
    const std::size_t query = std::min(target.find('?'), target.size());
    std::string path(target.substr(0, query));
    if (!path.ends_with('/')) {
        path += '/';
    }
    return path + "bench-" + std::to_string(channel) + std::string(target.substr(query));
}

std::string withSince(std::string target, const StreamPosition &position)
{
    target += target.find('?') == std::string::npos ? "?since=" : "&since=";
    return target + toText(position);
}

} // namespace relay::bench
