#pragma once

#include "support/event_reader.h"
#include "support/paced_client.h"
#include "support/server_frame_reader.h"

#include <QByteArray>

#include <memory>
#include <vector>

namespace relay::test {

/// A listener that vanishes and comes back where it was, again and again, and remembers all that it
/// was given, in its order.
///
/// Thread: the test's, which calls poll() every few milliseconds. Never blocks.
/// Errors: what makes no sense is kept in problem().
class ResumingListener
{
public:
    enum class Kind {
        WebSocket, ///< relay.meta
        EventStream
    };
    ResumingListener(Kind kind, quint16 port, QByteArray path)
        : m_kind(kind)
        , m_port(port)
        , m_path(std::move(path))
    {}

    struct Entry
    {
        bool isGap = false;
        quint64 from = 0;     ///< of a gap: the offsets of its positions
        quint64 position = 0; ///< to go on from, without its epoch; of a gap: `to`
        quint64 offset = 0;
        QByteArray channel; ///< of a pattern's message
        QByteArray payload;
    };

    /// Connects, to go on after the last position.
    void connect();
    /// Without a close frame: what was not parsed yet is lost. Maybe it ends with a reset.
    void vanish(bool withReset);
    /// Reads what has come.
    void poll();

    [[nodiscard]] bool isConnected() const { return m_client != nullptr; }
    /// Whether the relay has answered, and what it says first was read.
    [[nodiscard]] bool isListening() const { return m_isWelcome; }
    [[nodiscard]] const std::vector<Entry> &entries() const { return m_entries; }
    [[nodiscard]] int connections() const { return m_connections; }
    [[nodiscard]] const QByteArray &problem() const { return m_problem; }

private:
    void readHead();
    void readFrames();
    void readEvents();
    void welcomed(const QByteArray &json);
    void gapTold(const QByteArray &from, const QByteArray &to);
    void messageCame(const QByteArray &head, const QByteArray &payload, const QByteArray &position);
    quint64 offsetOf(const QByteArray &position);
    void complain(const QByteArray &problem);

    const Kind m_kind;
    const quint16 m_port;
    const QByteArray m_path;
    std::unique_ptr<PacedClient> m_client;
    QByteArray m_bytes;
    ServerFrameReader m_frames;
    EventReader m_events;
    bool m_hasHead = false;
    bool m_isWelcome = false;
    QByteArray m_epoch;
    QByteArray m_position; // as the relay wrote it
    std::vector<Entry> m_entries;
    int m_connections = 0;
    QByteArray m_problem;
};

} // namespace relay::test
