#pragma once

#include "base/result.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QJsonValue>
#include <QList>
#include <QString>

#include <cmath>
#include <limits>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

/// Structs to JSON and back. A struct says once which member has which name:
///
///     struct Point
///     {
///         double x = 0;
///         std::optional<QString> label;
///
///         static constexpr auto jsonFields()
///         {
///             return std::tuple{field("x", &Point::x), field("label", &Point::label)};
///         }
///     };
///
/// toJson(point) leaves out what is nothing; fromJson<Point>(object) takes missing optional members
/// for nothing, refuses a missing or wrong other one, and passes over names that it does not know: a
/// newer relay may say more. Whole numbers are exact below 2^53, as in JSON everywhere; larger ones,
/// and those that their member cannot hold, are refused.
namespace relay {

template <typename Struct, typename Member>
struct JsonField
{
    const char *name;
    Member Struct::*member;
};

template <typename Struct, typename Member>
constexpr JsonField<Struct, Member> field(const char *name, Member Struct::*member)
{
    return {name, member};
}

template <typename T>
concept JsonStruct = requires
{
    T::jsonFields();
};

namespace detail {

template <typename T>
struct IsOptional : std::false_type
{};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type
{};
template <typename T>
struct IsList : std::false_type
{};
template <typename T>
struct IsList<QList<T>> : std::true_type
{};

} // namespace detail

template <JsonStruct T>
QJsonObject toJson(const T &value);

template <typename T>
QJsonValue toJsonValue(const T &value)
{
    if constexpr (JsonStruct<T>) {
        return toJson(value);
    } else if constexpr (detail::IsList<T>::value) {
        QJsonArray array;
        for (const auto &element : value) {
            array.append(toJsonValue(element));
        }
        return array;
    } else if constexpr (detail::IsOptional<T>::value) {
        return value ? toJsonValue(*value) : QJsonValue(QJsonValue::Undefined);
    } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
        return static_cast<qint64>(value);
    } else {
        return value;
    }
}

template <JsonStruct T>
QJsonObject toJson(const T &value)
{
    QJsonObject object;
    std::apply(
        [&](const auto &...fields) {
            const auto insert = [&](const auto &one) {
                const QJsonValue json = toJsonValue(value.*one.member);
                if (!json.isUndefined()) {
                    object.insert(QLatin1String(one.name), json);
                }
            };
            (insert(fields), ...);
        },
        T::jsonFields());
    return object;
}

template <JsonStruct T>
Result<T> fromJson(const QJsonObject &object);

namespace detail {

template <typename T>
std::optional<Error> readFields(const QJsonObject &object, const QString &path, T &value);

/// Returns what is wrong; nothing when `value` was set.
template <typename T>
std::optional<Error> readJson(const QJsonValue &json, const QString &path, T &value)
{
    const auto wrong = [&path](const char *expected) {
        return Error{QStringLiteral("%1 is not %2").arg(path, QLatin1String(expected))};
    };
    if constexpr (IsOptional<T>::value) {
        if (json.isUndefined() || json.isNull()) {
            value.reset();
            return std::nullopt;
        }
        return readJson(json, path, value.emplace());
    } else if constexpr (JsonStruct<T>) {
        if (!json.isObject()) {
            return wrong("an object");
        }
        return readFields(json.toObject(), path, value);
    } else if constexpr (IsList<T>::value) {
        if (!json.isArray()) {
            return wrong("an array");
        }
        value.clear();
        const QJsonArray array = json.toArray();
        for (qsizetype i = 0; i < array.size(); ++i) {
            typename T::value_type element{};
            if (auto error = readJson(array[i], QStringLiteral("%1[%2]").arg(path).arg(i), element))
            {
                return error;
            }
            value.append(std::move(element));
        }
        return std::nullopt;
    } else if constexpr (std::is_same_v<T, bool>) {
        value = json.toBool();
        return json.isBool() ? std::nullopt : std::optional(wrong("true or false"));
    } else if constexpr (std::is_same_v<T, QString>) {
        value = json.toString();
        return json.isString() ? std::nullopt : std::optional(wrong("a string"));
    } else if constexpr (std::is_integral_v<T>) {
        // From 2^53 on two whole numbers may read the same, so that none is taken for exact.
        constexpr double kLeastInexact = 9007199254740992.0;
        const double number = json.toDouble();
        if (!json.isDouble() || std::abs(number) >= kLeastInexact || number != std::trunc(number)
            || number < static_cast<double>(std::numeric_limits<T>::min())
            || number > static_cast<double>(std::numeric_limits<T>::max()))
        {
            return wrong("a whole number");
        }
        value = static_cast<T>(number);
        return std::nullopt;
    } else {
        static_assert(std::is_same_v<T, double>);
        value = json.toDouble();
        return json.isDouble() ? std::nullopt : std::optional(wrong("a number"));
    }
}

template <typename T>
std::optional<Error> readFields(const QJsonObject &object, const QString &path, T &value)
{
    std::optional<Error> error;
    std::apply(
        [&](const auto &...fields) {
            const auto read = [&](const auto &one) {
                const QString name = QLatin1String(one.name);
                error = readJson(object.value(name),
                                 path.isEmpty() ? name : path + QLatin1Char('.') + name,
                                 value.*one.member);
                return !error;
            };
            (void)(read(fields) && ...);
        },
        T::jsonFields());
    return error;
}

} // namespace detail

template <JsonStruct T>
Result<T> fromJson(const QJsonObject &object)
{
    T value{};
    if (auto error = detail::readFields(object, QString(), value)) {
        return *std::move(error);
    }
    return value;
}

} // namespace relay
