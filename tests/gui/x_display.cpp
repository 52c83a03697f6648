#include "x_display.h"

#include "support/wait_for.h"

#include <cstdlib>
#include <cstring>

namespace relay::gui {

namespace {

struct Free
{
    // xcb's answers are malloc's. NOLINTNEXTLINE(cppcoreguidelines-no-malloc)
    void operator()(void *memory) const { std::free(memory); }
};
template <typename T>
using Answer = std::unique_ptr<T, Free>;

constexpr quint32 kMaxTitleWords = 1024;

} // namespace

XDisplay::XDisplay()
{
    m_server.start(QStringLiteral("Xvfb"),
                   {QStringLiteral("-displayfd"), QStringLiteral("1"), QStringLiteral("-screen"),
                    QStringLiteral("0"), QStringLiteral("1600x1000x24"),
                    QStringLiteral("-nolisten"), QStringLiteral("tcp"),
                    QStringLiteral("-noreset")});
    QByteArray number;
    const bool isUp = test::waitFor([&] {
        number += m_server.readAllStandardOutput();
        return number.endsWith('\n') || m_server.state() == QProcess::NotRunning;
    });
    if (!isUp || number.isEmpty()) {
        return;
    }
    m_name = QLatin1Char(':') + QString::fromLatin1(number.trimmed());
    m_connection.reset(xcb_connect(m_name.toLatin1().constData(), nullptr));
    if (xcb_connection_has_error(m_connection.get()) != 0) {
        m_connection.reset();
    }
}

XDisplay::~XDisplay()
{
    m_connection.reset();
    m_server.kill();
    m_server.waitForFinished(static_cast<int>(std::chrono::milliseconds(test::kPatience).count()));
}

XDisplay::Window XDisplay::shownWindow(const QString &titleStart) const
{
    xcb_connection_t *const x = m_connection.get();
    const Answer<xcb_query_tree_reply_t> tree(
        xcb_query_tree_reply(x, xcb_query_tree(x, root()), nullptr));
    if (!tree) {
        return kNone;
    }
    const Window *const windows = xcb_query_tree_children(tree.get());
    for (int i = 0; i < xcb_query_tree_children_length(tree.get()); ++i) {
        const Answer<xcb_get_window_attributes_reply_t> attributes(
            xcb_get_window_attributes_reply(x, xcb_get_window_attributes(x, windows[i]), nullptr));
        if (attributes && attributes->map_state == XCB_MAP_STATE_VIEWABLE
            && title(windows[i]).startsWith(titleStart))
        {
            return windows[i];
        }
    }
    return kNone;
}

QString XDisplay::title(Window window) const
{
    xcb_connection_t *const x = m_connection.get();
    const Answer<xcb_get_property_reply_t> property(xcb_get_property_reply(
        x, xcb_get_property(x, 0, window, atom("_NET_WM_NAME"), XCB_ATOM_ANY, 0, kMaxTitleWords),
        nullptr));
    return property ? QString::fromUtf8(
               static_cast<const char *>(xcb_get_property_value(property.get())),
               xcb_get_property_value_length(property.get()))
                    : QString();
}

QImage XDisplay::picture(Window window) const
{
    xcb_connection_t *const x = m_connection.get();
    const Answer<xcb_get_geometry_reply_t> geometry(
        xcb_get_geometry_reply(x, xcb_get_geometry(x, window), nullptr));
    if (!geometry) {
        return {};
    }
    const Answer<xcb_get_image_reply_t> reply(
        xcb_get_image_reply(x,
                            xcb_get_image(x, XCB_IMAGE_FORMAT_Z_PIXMAP, window, 0, 0,
                                          geometry->width, geometry->height, ~quint32{0}),
                            nullptr));
    QImage image(geometry->width, geometry->height, QImage::Format_RGB32);
    if (!reply || xcb_get_image_data_length(reply.get()) != image.sizeInBytes()) {
        return {};
    }
    std::memcpy(image.bits(), xcb_get_image_data(reply.get()),
                static_cast<std::size_t>(image.sizeInBytes()));
    return image;
}

void XDisplay::askToClose(Window window) const
{
    xcb_client_message_event_t message{};
    message.response_type = XCB_CLIENT_MESSAGE;
    message.format = 32;
    message.window = window;
    message.type = atom("WM_PROTOCOLS");
    message.data.data32[0] = atom("WM_DELETE_WINDOW");
    message.data.data32[1] = XCB_CURRENT_TIME;
    xcb_send_event(m_connection.get(), 0, window, XCB_EVENT_MASK_NO_EVENT,
                   reinterpret_cast<const char *>(&message));
    xcb_flush(m_connection.get());
}

xcb_atom_t XDisplay::atom(const char *name) const
{
    xcb_connection_t *const x = m_connection.get();
    const Answer<xcb_intern_atom_reply_t> reply(xcb_intern_atom_reply(
        x, xcb_intern_atom(x, 0, static_cast<quint16>(std::strlen(name)), name), nullptr));
    return reply ? reply->atom : xcb_atom_t{XCB_ATOM_NONE};
}

XDisplay::Window XDisplay::root() const
{
    return xcb_setup_roots_iterator(xcb_get_setup(m_connection.get())).data->root;
}

} // namespace relay::gui
