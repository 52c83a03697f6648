#pragma once

#include "config/setting.h"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

/// How the rows of a schema are written down.
namespace relay {

inline constexpr qint64 kKiB = 1024;
inline constexpr qint64 kMiB = 1024 * kKiB;
inline constexpr qint64 kGiB = 1024 * kMiB;

inline constexpr qint64 kSecond = 1000; // milliseconds
inline constexpr qint64 kMinute = 60 * kSecond;
inline constexpr qint64 kHour = 60 * kMinute;

/// Makes settings of a Holder. Each takes an accessor, `[](auto &h) -> auto & { return h.field; }`:
/// the field to read and write, whose type says how.
template <typename Holder>
class SettingRow
{
public:
    struct Bounds
    {
        qint64 minimum;
        qint64 maximum;
    };

    template <typename Access>
    using FieldOf = std::remove_reference_t<std::invoke_result_t<Access, Holder &>>;

    /// A setting whose field's type is its value's.
    template <typename Access>
    static SettingOf<Holder> plain(const char *key, ValueType type, const char *help, Access access)
    {
        using Field = FieldOf<Access>;
        SettingOf<Holder> row = empty(key, type, help);
        row.read = [access](const Holder &holder) { return SettingValue{access(holder)}; };
        row.write = [access](Holder &holder, const SettingValue &value) {
            access(holder) = std::get<Field>(value);
        };
        return row;
    }

    /// A whole number within bounds, kept in an integer or a std::chrono field.
    template <typename Access>
    static SettingOf<Holder>
    number(const char *key, ValueType type, Bounds bounds, const char *help, Access access)
    {
        using Field = FieldOf<Access>;
        SettingOf<Holder> row = empty(key, type, help);
        row.minimum = bounds.minimum;
        row.maximum = bounds.maximum;
        row.read = [access](const Holder &holder) {
            if constexpr (std::is_integral_v<Field>) {
                return SettingValue{qint64{access(holder)}};
            } else {
                return SettingValue{qint64{access(holder).count()}};
            }
        };
        row.write = [access](Holder &holder, const SettingValue &value) {
            const auto count = std::get<qint64>(value);
            if constexpr (std::is_integral_v<Field>) {
                access(holder) = static_cast<Field>(count);
            } else {
                access(holder) = Field(count);
            }
        };
        return row;
    }

    /// One of some names, each for a value of the field's enumeration.
    template <typename Access, typename Enum = FieldOf<Access>>
    static SettingOf<Holder> choice(const char *key,
                                    const std::vector<std::pair<const char *, Enum>> &names,
                                    const char *help,
                                    Access access)
    {
        SettingOf<Holder> row = empty(key, ValueType::Choice, help);
        for (const auto &[name, value] : names) {
            row.choices.append(QString::fromLatin1(name));
        }
        row.read = [names, access](const Holder &holder) {
            const auto found = std::find_if(names.begin(), names.end(), [&](const auto &name) {
                return name.second == access(holder);
            });
            return SettingValue{QString::fromLatin1(found->first)};
        };
        row.write = [names, choices = row.choices, access](Holder &holder,
                                                           const SettingValue &value) {
            const qsizetype index = choices.indexOf(std::get<QString>(value));
            access(holder) = names[static_cast<std::size_t>(index)].second;
        };
        return row;
    }

    static SettingOf<Holder> checked(SettingOf<Holder> row,
                                     QString (*complaint)(const SettingValue &))
    {
        row.complaint = complaint;
        return row;
    }

    static SettingOf<Holder> secret(SettingOf<Holder> row)
    {
        row.isSecret = true;
        return row;
    }

    static SettingOf<Holder> required(SettingOf<Holder> row)
    {
        row.isRequired = true;
        return row;
    }

    static SettingOf<Holder> defaultingTo(const char *key, SettingOf<Holder> row)
    {
        row.defaultKey = QString::fromLatin1(key);
        return row;
    }

private:
    static SettingOf<Holder> empty(const char *key, ValueType type, const char *help)
    {
        SettingOf<Holder> row;
        row.key = QString::fromLatin1(key);
        row.type = type;
        row.help = QString::fromUtf8(help);
        return row;
    }
};

} // namespace relay
