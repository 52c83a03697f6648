#include "config/schema.h"
#include "config/setting_row.h"

namespace relay {

namespace {

using RuleRow = SettingRow<ChannelRule>;

/// A rule for them would be dead: nobody listens there.
QString complainOfReservedNames(const SettingValue &value)
{
    return std::get<ChannelPattern>(value).bytes().startsWith("-/")
               ? QStringLiteral("matches no channel: names that begin with -/ are the relay's own")
               : QString();
}

std::vector<SettingOf<ChannelRule>> ruleSettings()
{
    return {
        RuleRow::required(RuleRow::checked(
            RuleRow::plain(
                "match", ValueType::Pattern,
                "Names that the rule is for: a name, in which a segment * stands for any one "
                "segment and a last segment ** for all the rest, which may be nothing.",
                [](auto &r) -> auto & { return r.match; }),
            complainOfReservedNames)),
        RuleRow::defaultingTo(
            "hub.echo",
            RuleRow::plain(
                "echo", ValueType::Boolean,
                "Whether a client gets its own messages back, unless it asks otherwise.",
                [](auto &r) -> auto & { return r.options.echo; })),
        RuleRow::plain(
            "publish", ValueType::Boolean, "Whether clients may publish.",
            [](auto &r) -> auto & { return r.options.publish; }),
        RuleRow::plain(
            "subscribe", ValueType::Boolean, "Whether clients may listen and read the history.",
            [](auto &r) -> auto & { return r.options.subscribe; }),
        RuleRow::number(
            "max_clients", ValueType::Integer, {0, 10'000'000},
            "Clients in the channel at once; one more is answered 503. 0: no limit of its own.",
            [](auto &r) -> auto & { return r.options.maxClients; }),
        RuleRow::number(
            "history.messages", ValueType::Integer, {0, 1'000'000},
            "The most messages that are kept; 0 keeps none.",
            [](auto &r) -> auto & { return r.options.history.messages; }),
        RuleRow::number(
            "history.size", ValueType::Size, {0, 1024 * kGiB},
            "Bytes of payload that are kept, at most history.total_size; a longer message is not "
            "kept at all.",
            [](auto &r) -> auto & { return r.options.history.size; }),
        RuleRow::number(
            "history.age", ValueType::Duration, {0, 720 * kHour},
            "How long a message is kept; 0: until another limit is met.",
            [](auto &r) -> auto & { return r.options.history.age; }),
    };
}

/// The rule that changes nothing.
ChannelRule defaultRule()
{
    return {ChannelPattern::fromText("**").value(), ChannelOptions()};
}

} // namespace

const Schema<ChannelRule> &channelRuleSchema()
{
    static const Schema<ChannelRule> kSchema{
        defaultRule(),
        ruleSettings(),
        {{QStringLiteral("history"), QStringLiteral("What is kept of the channel's messages.")}},
    };
    return kSchema;
}

} // namespace relay
