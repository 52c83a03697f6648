#pragma once

#include "base/result.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QJsonValue>
#include <QList>
#include <QString>

#include <cmath>
#include <concepts>
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

// Each sets `value` and returns nothing, or returns what is wrong. All are declared first: they call
// each other.
std::optional<Error> readJson(const QJsonValue &json, const QString &path, bool &value);
std::optional<Error> readJson(const QJsonValue &json, const QString &path, double &value);
std::optional<Error> readJson(const QJsonValue &json, const QString &path, QString &value);
template <std::integral T>
std::optional<Error> readJson(const QJsonValue &json, const QString &path, T &value);
template <JsonStruct T>
std::optional<Error> readJson(const QJsonValue &json, const QString &path, T &value);
template <typename T>
std::optional<Error> readJson(const QJsonValue &json, const QString &path, std::optional<T> &value);
template <typename T>
std::optional<Error> readJson(const QJsonValue &json, const QString &path, QList<T> &value);

inline std::optional<Error> check(bool isRight, const QString &path, const char *expected)
{
    return isRight ? std::nullopt
                   : std::optional(
                       Error{QStringLiteral("%1 is not %2").arg(path, QLatin1String(expected))});
}

inline std::optional<Error> readJson(const QJsonValue &json, const QString &path, bool &value)
{
    value = json.toBool();
    return check(json.isBool(), path, "true or false");
}

inline std::optional<Error> readJson(const QJsonValue &json, const QString &path, double &value)
{
    value = json.toDouble();
    return check(json.isDouble(), path, "a number");
}

inline std::optional<Error> readJson(const QJsonValue &json, const QString &path, QString &value)
{
    value = json.toString();
    return check(json.isString(), path, "a string");
}

/// Whether T can hold it, and no other number reads the same.
template <std::integral T>
bool isExactly(double number)
{
    constexpr double kLeastInexact = 9007199254740992.0; // 2^53
    return number == std::trunc(number) && std::abs(number) < kLeastInexact
           && number >= static_cast<double>(std::numeric_limits<T>::min())
           && number <= static_cast<double>(std::numeric_limits<T>::max());
}

template <std::integral T>
std::optional<Error> readJson(const QJsonValue &json, const QString &path, T &value)
{
    const double number = json.toDouble();
    const bool isRight = json.isDouble() && isExactly<T>(number);
    if (isRight) {
        value = static_cast<T>(number);
    }
    return check(isRight, path, "a whole number");
}

template <typename T>
std::optional<Error> readJson(const QJsonValue &json, const QString &path, std::optional<T> &value)
{
    if (json.isUndefined() || json.isNull()) {
        value.reset();
        return std::nullopt;
    }
    return readJson(json, path, value.emplace());
}

template <typename T>
std::optional<Error> readJson(const QJsonValue &json, const QString &path, QList<T> &value)
{
    value.clear();
    const QJsonArray array = json.toArray();
    for (qsizetype i = 0; i < array.size(); ++i) {
        T element{};
        if (auto error = readJson(array[i], QStringLiteral("%1[%2]").arg(path).arg(i), element)) {
            return error;
        }
        value.append(std::move(element));
    }
    return check(json.isArray(), path, "an array");
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

template <JsonStruct T>
std::optional<Error> readJson(const QJsonValue &json, const QString &path, T &value)
{
    return json.isObject() ? readFields(json.toObject(), path, value)
                           : check(false, path, "an object");
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
