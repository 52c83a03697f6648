#pragma once

#include <QImage>
#include <QProcess>
#include <QString>

#include <memory>
#include <xcb/xcb.h>

namespace relay::gui {

/// An X server without a screen (Xvfb), and what a user of it sees and does.
///
/// There is no window manager: windows stand where they ask to.
/// Thread: the test's; each look waits for the server's answer.
/// Errors: answers.
class XDisplay
{
public:
    using Window = xcb_window_t;
    static constexpr Window kNone = XCB_NONE;

    /// Starts it as a display that is free.
    XDisplay();
    ~XDisplay();
    XDisplay(const XDisplay &) = delete;
    XDisplay &operator=(const XDisplay &) = delete;

    [[nodiscard]] bool isRunning() const { return m_connection != nullptr; }
    /// For DISPLAY: ":99".
    [[nodiscard]] const QString &name() const { return m_name; }

    /// The window that is on the screen and whose title begins so; kNone while there is none.
    [[nodiscard]] Window shownWindow(const QString &titleStart) const;
    [[nodiscard]] QString title(Window window) const;
    /// What stands in the window; a null image when it is gone.
    [[nodiscard]] QImage picture(Window window) const;
    /// What a window manager does when the user closes the window.
    void askToClose(Window window) const;

private:
    struct Disconnect
    {
        void operator()(xcb_connection_t *connection) const { xcb_disconnect(connection); }
    };

    [[nodiscard]] xcb_atom_t atom(const char *name) const;
    [[nodiscard]] Window root() const;

    QProcess m_server;
    QString m_name;
    std::unique_ptr<xcb_connection_t, Disconnect> m_connection;
};

} // namespace relay::gui
