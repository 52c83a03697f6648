#include "config/schema.h"
#include "config/setting_row.h"

namespace relay {

namespace {

using RuleRow = SettingRow<ChannelRule>;

/// Such a rule would have no effect: nobody can listen there.
QString complainOfReservedNames(const SettingValue &value)
{
    return std::get<ChannelPattern>(value).bytes().startsWith("-/") ? QStringLiteral(
               "matches no channel: names that begin with -/ are reserved for the relay")
                                                                    : QString();
}

std::vector<SettingOf<ChannelRule>> ruleSettings()
{
    return {
        RuleRow::required(RuleRow::checked(RuleRow::plain(
                                               "match", ValueType::Pattern,
                                               "The channels that the rule applies to: a name, in "
                                               "which * stands for any one segment, and "
                                               "** at the end for any further segments, or none.",
                                               [](auto &r) -> auto & { return r.match; }),
                                           complainOfReservedNames)),
        RuleRow::defaultingTo(
            "hub.echo", RuleRow::plain(
                            "echo", ValueType::Boolean,
                            "Whether a client receives its own messages, unless it asks otherwise.",
                            [](auto &r) -> auto & { return r.options.echo; })),
        RuleRow::plain(
            "publish", ValueType::Boolean, "Whether clients may publish.",
            [](auto &r) -> auto & { return r.options.publish; }),
        RuleRow::plain(
            "subscribe", ValueType::Boolean, "Whether clients may listen and read the history.",
            [](auto &r) -> auto & { return r.options.subscribe; }),
        RuleRow::number(
            "max_clients", ValueType::Integer, {0, 10'000'000},
            "Clients in the channel at the same time; one more is answered 503. 0: no limit for "
            "this "
            "channel.",
            [](auto &r) -> auto & { return r.options.maxClients; }),
        RuleRow::number(
            "history.messages", ValueType::Integer, {0, 1'000'000},
            "The most messages that are kept; 0 keeps none.",
            [](auto &r) -> auto & { return r.options.history.messages; }),
        RuleRow::number(
            "history.size", ValueType::Size, {0, 1024 * kGiB},
            "The most bytes of payload that are kept, at most history.total_size. A longer message "
            "is "
            "not kept.",
            [](auto &r) -> auto & { return r.options.history.size; }),
        RuleRow::number(
            "history.age", ValueType::Duration, {0, 720 * kHour},
            "How long a message is kept; 0: until another limit is reached.",
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
        {{QStringLiteral("history"),
          QStringLiteral("How many of the channel's messages are kept.")}},
    };
    return kSchema;
}

} // namespace relay
