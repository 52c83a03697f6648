#pragma once

#include "base/clock.h"

#include <QByteArray>
#include <QtGlobal>

#include <vector>

namespace relay {

/// Limits how many lines a second each category writes: a flood of one kind fills no disk and hides no other line.
///
/// Counted by category and level, so that a thousand connects do not hide a warning of the same category, in windows of
/// one second that begin with their first line.
/// Thread: as its owner.   Owner: LogWriter.
/// Limits: one entry for each category and level that the program has.
class LogRate
{
public:
    static constexpr std::chrono::seconds kWindow{1};

    /// 0: no limit.
    explicit LogRate(int linesPerSecond)
        : m_linesPerSecond(linesPerSecond)
    {}

    /// Takes effect with the windows that begin after it.
    void setLimit(int linesPerSecond) { m_linesPerSecond = linesPerSecond; }
    [[nodiscard]] int limit() const { return m_linesPerSecond; }

    /// Counts a line; false when it must be left out.
    [[nodiscard]] bool admits(const QByteArray &category, QtMsgType type, TimePoint now);

    struct LeftOut
    {
        QByteArray category;
        QtMsgType type;
        quint64 lines;
    };
    /// What was left out in windows that have ended, each told once. TimePoint::max() ends all windows.
    [[nodiscard]] std::vector<LeftOut> takeLeftOut(TimePoint now);
    /// Whether takeLeftOut() will have something to tell once the windows have ended.
    [[nodiscard]] bool hasLeftOut() const;

private:
    struct Window
    {
        QByteArray category;
        QtMsgType type;
        TimePoint start;
        int lines = 0;
        quint64 leftOut = 0; ///< in this window
        quint64 untold = 0;  ///< in earlier ones
    };
    Window &windowOf(const QByteArray &category, QtMsgType type, TimePoint now);
    static void end(Window &window);

    int m_linesPerSecond;
    std::vector<Window> m_windows;
};

} // namespace relay
