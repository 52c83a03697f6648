#pragma once

#include <QByteArray>

#include <ctime>
#include <functional>

namespace relay {

/// A time as HTTP writes it: "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7).
QByteArray toHttpDate(std::time_t time);

/// The value of the Date field of answers that are made now (RFC 9110, section 6.6.1). Formatted once a second, however many
/// answers there are.
///
/// Thread: confined to its owner's.
/// Owner: whoever writes answers: a worker, the ops port.
class DateField
{
public:
    /// Gives seconds since 1970.
    using WallClock = std::function<std::time_t()>;

    DateField();
    explicit DateField(WallClock clock);

    [[nodiscard]] const QByteArray &value();

private:
    WallClock m_clock;
    std::time_t m_time = -1;
    QByteArray m_value;
};

} // namespace relay
