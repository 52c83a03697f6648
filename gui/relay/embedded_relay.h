#pragma once

#include "base/result.h"
#include "config/settings.h"

#include "gui/relay/remote_relay.h"

#include <QThread>

#include <chrono>
#include <memory>

namespace relay::gui {

/// A relay inside this process: the same hub, with an ops port of its own.
///
/// RemoteRelay watches it like any other relay: one way to see a relay instead of two, used and tested in all its
/// parts. The hub has a thread of its own, so that accepting a thousand clients does not hold up the window, and a
/// repaint does not hold up the clients.
/// Thread: the window's.
/// Owner: EmbeddedRelaySource. The destructor closes the clients (1001), and waits at most kMaxCloseTime for their
/// answers.
class EmbeddedRelay
{
public:
    static constexpr std::chrono::milliseconds kMaxCloseTime{500};

    enum class OpsPort {
        Private, ///< on loopback, with a port and a token that nobody else knows
        AsSet ///< as in the settings, with room for the window's own connections; Private when they disable it
    };
    /// Starts it, and the log as in its settings. With Private `settings.metrics` and `.ops` are not used.
    /// Errors: why it cannot listen, or which file cannot be loaded.
    static Result<std::shared_ptr<EmbeddedRelay>> start(Settings settings, OpsPort opsPort);
    ~EmbeddedRelay();
    Q_DISABLE_COPY_MOVE(EmbeddedRelay)

    [[nodiscard]] Endpoint endpoint() const { return m_endpoint; }
    /// Where clients connect.
    [[nodiscard]] QUrl clientUrl() const { return m_clientUrl; }

private:
    struct Parts;

    EmbeddedRelay();
    Outcome open(const Settings &settings);
    /// In m_thread, as open().
    void close();

    QThread m_thread;
    std::unique_ptr<Parts> m_parts; ///< made and destroyed in m_thread
    Endpoint m_endpoint;
    QUrl m_clientUrl;
};

/// An EmbeddedRelay as the pages see it.
class EmbeddedRelaySource : public RemoteRelay
{
    Q_OBJECT

public:
    explicit EmbeddedRelaySource(std::shared_ptr<EmbeddedRelay> relay, QObject *parent = nullptr);
    [[nodiscard]] QString title() const override;

private:
    const std::shared_ptr<EmbeddedRelay> m_relay;
};

} // namespace relay::gui
