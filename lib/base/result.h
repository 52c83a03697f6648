#pragma once

#include <QString>

#include <utility>
#include <variant>

namespace relay {

/// What went wrong, in words for the person who has to mend it: what happened, where, and what to
/// do.
struct Error
{
    QString message;
};

/// A value, or the reason why there is none. For what can fail without anybody having made a
/// mistake in the program.
///
/// Thread: as the value.
template <typename T>
class [[nodiscard]] Result
{
public:
    // Implicit, so that a function ends with `return value;` or `return Error{…};`.
    // NOLINTNEXTLINE(google-explicit-constructor)
    Result(T value)
        : m_state(std::move(value))
    {}
    // NOLINTNEXTLINE(google-explicit-constructor)
    Result(Error error)
        : m_state(std::move(error))
    {}

    [[nodiscard]] bool hasValue() const { return std::holds_alternative<T>(m_state); }
    explicit operator bool() const { return hasValue(); }

    /// Precondition: hasValue().
    [[nodiscard]] const T &value() const & { return std::get<T>(m_state); }
    [[nodiscard]] T &&value() && { return std::get<T>(std::move(m_state)); }

    /// Precondition: !hasValue().
    [[nodiscard]] const Error &error() const { return std::get<Error>(m_state); }

private:
    std::variant<T, Error> m_state;
};

/// Success carries nothing.
using Outcome = Result<std::monostate>;
inline Outcome success()
{
    return std::monostate{};
}

} // namespace relay
