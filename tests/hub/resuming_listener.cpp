#include "resuming_listener.h"

#include <QJsonDocument>
#include <QJsonObject>

namespace relay::test {

namespace {

/// A number or string of a head line, found without parsing it: there are a million of them.
QByteArray valueIn(const QByteArray &json, QByteArrayView key)
{
    const qsizetype at = json.indexOf(key);
    if (at < 0) {
        return {};
    }
    const qsizetype begin = at + key.size();
    const bool isString = json[begin] == '"';
    const qsizetype end = isString ? json.indexOf('"', begin + 1)
                                   : std::min(json.indexOf(',', begin), json.indexOf('}', begin));
    return isString ? json.mid(begin + 1, end - begin - 1)
                    : json.mid(begin, (end < 0 ? json.size() : end) - begin);
}

} // namespace

void ResumingListener::connect()
{
    m_client = std::make_unique<PacedClient>(m_port);
    m_bytes.clear();
    m_frames = {};
    m_events = {};
    m_hasHead = false;
    m_isWelcome = false;
    ++m_connections;
    if (m_kind == Kind::WebSocket) {
        const QByteArray since = m_position.isEmpty() ? QByteArray() : "?since=" + m_position;
        m_client->sendSome(PacedClient::upgradeRequest(
            {"Sec-WebSocket-Protocol: other, relay.meta"}, m_path + since));
    } else {
        const QByteArray lastId =
            m_position.isEmpty() ? QByteArray() : "Last-Event-ID: " + m_position + "\r\n";
        m_client->sendSome("GET " + m_path
                           + "?meta=1 HTTP/1.1\r\nHost: localhost\r\n"
                             "Accept: text/event-stream\r\n"
                           + lastId + "\r\n");
    }
}

void ResumingListener::vanish(bool withReset)
{
    if (withReset) {
        m_client->reset();
    }
    m_client.reset();
    m_isWelcome = false;
}

void ResumingListener::poll()
{
    while (m_client->read() > 0) {
    }
    m_bytes += m_client->takeBytes();
    if (!m_hasHead) {
        readHead();
    }
    if (m_hasHead && m_kind == Kind::WebSocket) {
        readFrames();
    } else if (m_hasHead) {
        readEvents();
    }
    if (m_client->hasEnded()) {
        complain("the relay has ended the connection");
    }
}

void ResumingListener::readHead()
{
    const qsizetype end = m_bytes.indexOf("\r\n\r\n");
    if (end < 0) {
        return;
    }
    const QByteArray head = m_bytes.first(end).toLower();
    m_bytes.remove(0, end + 4);
    m_hasHead = true;
    const bool isGranted = m_kind == Kind::WebSocket
                               ? head.startsWith("http/1.1 101 ")
                                     && head.contains("sec-websocket-protocol: relay.meta")
                               : head.startsWith("http/1.1 200 ");
    if (!isGranted) {
        complain(head);
    }
}

void ResumingListener::readFrames()
{
    m_frames.append(std::exchange(m_bytes, {}));
    auto status = m_frames.next();
    for (; status == ServerFrameReader::Status::Frame; status = m_frames.next()) {
        const QByteArray &frame = m_frames.frame().payload;
        const qsizetype line = frame.indexOf('\n');
        if (m_frames.frame().opcode == Op::Ping) {
            m_client->sendSome(clientFrame(Op::Pong, frame));
        } else if (m_frames.frame().opcode != Op::Text || line < 0) {
            complain("no message: " + frame);
        } else if (!m_isWelcome) {
            welcomed(frame.first(line));
        } else {
            const QByteArray head = frame.first(line);
            const QByteArray position = valueIn(head, "\"position\":");
            messageCame(head, frame.mid(line + 1),
                        position.isEmpty()
                            ? valueIn(head, "\"epoch\":") + '-' + valueIn(head, "\"offset\":")
                            : position);
        }
    }
    if (status == ServerFrameReader::Status::Malformed) {
        complain(m_frames.problem());
    }
}

void ResumingListener::readEvents()
{
    m_events.append(std::exchange(m_bytes, {}));
    while (const auto event = m_events.next()) {
        const qsizetype line = event->data.indexOf('\n');
        if (event->type == "gap") {
            gapTold(valueIn(event->data, "\"from\":"), valueIn(event->data, "\"to\":"));
        } else if (event->type != "message" || line < 0) {
            complain("no message: " + event->data);
        } else {
            messageCame(event->data.first(line), event->data.mid(line + 1), event->id);
        }
    }
    if (!m_events.lastId().isEmpty()) {
        m_isWelcome = true;
        m_position = m_events.lastId();
    }
    if (!m_events.problem().isEmpty()) {
        complain(m_events.problem());
    }
}

void ResumingListener::welcomed(const QByteArray &json)
{
    m_isWelcome = true;
    const QJsonObject head = QJsonDocument::fromJson(json).object();
    const QJsonObject gap = head.value(QLatin1String("gap")).toObject();
    if (!gap.isEmpty()) {
        gapTold(gap.value(QLatin1String("from")).toString().toLatin1(),
                gap.value(QLatin1String("to")).toString().toLatin1());
    }
    m_position = head.value(QLatin1String("position")).toString().toLatin1();
    if (m_position.isEmpty()) {
        complain("no welcome: " + json);
    }
}

void ResumingListener::gapTold(const QByteArray &from, const QByteArray &to)
{
    Entry gap;
    gap.isGap = true;
    gap.from = offsetOf(from);
    gap.position = offsetOf(to);
    m_entries.push_back(gap);
    if (from != m_position) {
        complain("a gap from " + from + ", but asked for was " + m_position);
    }
}

void ResumingListener::messageCame(const QByteArray &head,
                                   const QByteArray &payload,
                                   const QByteArray &position)
{
    m_position = position;
    m_entries.push_back({.isGap = false,
                         .from = 0,
                         .position = offsetOf(position),
                         .offset = valueIn(head, "\"offset\":").toULongLong(),
                         .channel = valueIn(head, "\"channel\":"),
                         .payload = payload});
}

/// Of one and the same epoch, always.
quint64 ResumingListener::offsetOf(const QByteArray &position)
{
    const QByteArray epoch = position.first(std::max<qsizetype>(position.indexOf('-'), 0));
    if (m_epoch.isEmpty()) {
        m_epoch = epoch;
    }
    if (epoch != m_epoch || epoch.size() != 12) {
        complain("another epoch: " + position);
    }
    return position.mid(epoch.size() + 1).toULongLong();
}

void ResumingListener::complain(const QByteArray &problem)
{
    if (m_problem.isEmpty()) {
        m_problem = problem;
    }
}

} // namespace relay::test
