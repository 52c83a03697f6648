#include "net/wire_socket.h"

#include "dispatcher_harness.h"
#include "support/test_main.h"
#include "test_application.h"

#include <QSignalSpy>
#include <QTest>
#include <QWebSocket>
#include <QWebSocketServer>

using relay::EpollDispatcher;
using relay::IoResult;
using relay::IoStatus;
using relay::SocketHandle;
using relay::WireSocket;
using relay::WireSocketOwner;
using relay::test::SocketPair;
using relay::test::turnUntil;

namespace {

// The key and its answer stand in RFC 6455, 1.3.
constexpr char kRequest[] = "GET / HTTP/1.1\r\nHost: r\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
constexpr char kAccept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

enum Opcode : unsigned char {
    Text = 1,
    Close = 8,
    Ping = 9,
    Pong = 10
};

/// A final frame of at most 125 bytes, unmasked.
QByteArray frame(Opcode opcode, const QByteArray &payload)
{
    return QByteArray(1, static_cast<char>(0x80 | opcode)) + static_cast<char>(payload.size())
           + payload;
}

/// The owner of a WireSocket, the peer at its other end, and a QWebSocket above it once upgraded.
class SocketHarness final : public WireSocketOwner
{
public:
    SocketHarness()
        : server(QStringLiteral("test"), QWebSocketServer::NonSecureMode)
        , socket(SocketHandle(::dup(m_pair.near())), nullptr, *this)
    {
        m_pair.closeNear();
    }

    void socketReadable() override { ++readable; }
    void socketWritable() override { ++writable; }
    void socketFailed(const QString &) override { ++failed; }
    void controlWritten(QByteArray bytes) override { written.append(std::move(bytes)); }
    void closeRequested() override { ++closes; }

    void offer(const QByteArray &head)
    {
        socket.preload(head);
        server.handleConnection(&socket);
    }
    /// Has a QWebSocket stand on the socket; forgets what was written for that.
    [[nodiscard]] bool upgrade()
    {
        offer(kRequest);
        const bool isDone = turnUntil([&] { return server.hasPendingConnections(); });
        webSocket.reset(server.nextPendingConnection());
        if (webSocket) {
            webSocket->setParent(nullptr);
        }
        written.clear();
        return isDone && webSocket != nullptr;
    }
    void sendFromPeer(const QByteArray &bytes) const
    {
        QCOMPARE(::send(m_pair.far(), bytes.constData(), static_cast<std::size_t>(bytes.size()),
                        MSG_NOSIGNAL),
                 ssize_t{bytes.size()});
    }
    /// What lies with the peer, at most 4096 bytes.
    [[nodiscard]] QByteArray receiveAtPeer() const
    {
        std::array<char, 4096> buffer{};
        const ssize_t got = ::recv(m_pair.far(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        return {buffer.data(), qMax<ssize_t>(got, 0)};
    }
    [[nodiscard]] bool isPeerAtEnd() const
    {
        char byte = 0;
        return ::recv(m_pair.far(), &byte, 1, MSG_DONTWAIT) == 0;
    }

private:
    SocketPair m_pair; // before the socket, which takes one end of it

public:
    int readable = 0;
    int writable = 0;
    int failed = 0;
    int closes = 0;
    QList<QByteArray> written; // QWebSocket's destructor still writes
    QWebSocketServer server;
    WireSocket socket;
    std::unique_ptr<QWebSocket> webSocket; // goes before the socket, on which it stands
};

} // namespace

class TestWireSocket : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void handsOverTheAnswerToTheUpgrade();
    void asksToCloseARefusedUpgrade();
    void answersAPingThatIsFed_data();
    void answersAPingThatIsFed();
    void handsOverWholeControlFrames();
    void asksOncePerClose();
    void theLastFrameOfThePeerIsHeard();
    void feedsStayRightWithoutTheHandshakesBuffer();
    void dataPassesQWebSocketBy();
    void sendsWhatTheOwnerSends();
    void endTellsQWebSocket();
    void endMayBeCalledWithinAFeed();
};

// The handshake's answer comes whole to the owner, who sends it: nothing goes to the peer by itself.
void TestWireSocket::handsOverTheAnswerToTheUpgrade()
{
    SocketHarness harness;
    harness.offer(kRequest);
    QVERIFY(turnUntil([&] { return !harness.written.isEmpty(); }));
    QCOMPARE(harness.written.size(), 1);
    const QByteArray answer = harness.written.constFirst();
    QVERIFY(answer.startsWith("HTTP/1.1 101 "));
    QVERIFY(answer.contains(kAccept));
    QVERIFY(answer.endsWith("\r\n\r\n"));
    QCOMPARE(harness.receiveAtPeer(), QByteArray());
    QCOMPARE(harness.closes, 0);
    QCOMPARE(harness.socket.bytesAvailable(), qint64{0});
    // What the server still holds must go before the socket does.
    const std::unique_ptr<QWebSocket> webSocket(harness.server.nextPendingConnection());
    QVERIFY(webSocket != nullptr);
}

// A head that QWebSocketServer does not like ends the connection by way of the owner.
void TestWireSocket::asksToCloseARefusedUpgrade()
{
    SocketHarness harness;
    harness.offer("GET / HTTP/1.1\r\nHost: r\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: x\r\n\r\n");
    QVERIFY(turnUntil([&] { return harness.closes > 0; }));
    QVERIFY(!harness.server.hasPendingConnections());
    QVERIFY(!harness.isPeerAtEnd()); // it is asked for, not done
}

void TestWireSocket::answersAPingThatIsFed_data()
{
    QTest::addColumn<QByteArray>("payload");
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("short") << QByteArray("ping");
    QTest::newRow("not text") << QByteArray("\x00\xff\x80", 3);
    QTest::newRow("the longest") << QByteArray(125, 'x');
}

// A ping is answered before feed() returns, by its pong and nothing else: the owner knows the pong's
// place among the data.
void TestWireSocket::answersAPingThatIsFed()
{
    QFETCH(const QByteArray, payload);
    SocketHarness harness;
    QVERIFY(harness.upgrade());
    harness.socket.feed(frame(Ping, payload));
    QCOMPARE(harness.written.join(), frame(Pong, payload));
    QCOMPARE(harness.socket.bytesAvailable(), qint64{0});
}

// A frame is written whole before the call that asked for it returns: the owner may put data after
// it, and nothing of it comes later.
void TestWireSocket::handsOverWholeControlFrames()
{
    SocketHarness harness;
    QVERIFY(harness.upgrade());
    harness.webSocket->ping("one");
    QCOMPARE(harness.written.join(), frame(Ping, "one"));
    harness.written.clear();
    harness.webSocket->ping();
    QCOMPARE(harness.written.join(), frame(Ping, {}));
    harness.written.clear();
    harness.webSocket->close(QWebSocketProtocol::CloseCodeNormal, QStringLiteral("bye"));
    const QByteArray close = frame(Close, QByteArray("\x03\xe8").append("bye"));
    QCOMPARE(harness.written, QList<QByteArray>{close});
    harness.written.clear();
    QCoreApplication::processEvents();
    QVERIFY(harness.written.isEmpty());
}

// Each close() asks once, and only asks. QWebSocket asks again when it is closed again, but writes
// one close frame.
void TestWireSocket::asksOncePerClose()
{
    SocketHarness harness;
    QVERIFY(harness.upgrade());
    QCOMPARE(harness.closes, 0);
    harness.webSocket->close();
    QCOMPARE(harness.closes, 1);
    harness.webSocket->close();
    QCOMPARE(harness.closes, 2);
    QCOMPARE(harness.written.size(), 1);
    QCOMPARE(harness.socket.state(), QAbstractSocket::ConnectedState); // its end is the owner's
    harness.socket.close();
    QCOMPARE(harness.closes, 3);
    harness.socket.disconnectFromHost();
    QCOMPARE(harness.closes, 4);
    QVERIFY(!harness.isPeerAtEnd());
}

// A close frame that is fed is answered, with its own code.
void TestWireSocket::theLastFrameOfThePeerIsHeard()
{
    SocketHarness harness;
    QVERIFY(harness.upgrade());
    harness.socket.feed(frame(Close, QByteArray("\x03\xe9").append("gone")));
    QCOMPARE(harness.webSocket->closeCode(), QWebSocketProtocol::CloseCodeGoingAway);
    QCOMPARE(harness.written.size(), 1);
    QVERIFY(harness.written.constFirst().startsWith("\x88"));
    QCOMPARE(harness.written.constFirst().mid(2, 2), QByteArray("\x03\xe9"));
    QVERIFY(turnUntil([&] { return harness.closes > 0; }));
}

// Without the buffer of the handshake what is fed is still all that is read, and in order.
void TestWireSocket::feedsStayRightWithoutTheHandshakesBuffer()
{
    SocketHarness harness;
    QVERIFY(harness.upgrade());
    const QSignalSpy disconnected(harness.webSocket.get(), &QWebSocket::disconnected);
    QList<QByteArray> expected;
    for (int size = 0; size <= 125; ++size) {
        const QByteArray payload(size, static_cast<char>('a' + size % 26));
        harness.socket.freeHandshakeBuffer();
        harness.socket.feed(frame(Ping, payload));
        harness.socket.feed(frame(Ping, payload) + frame(Ping, "second"));
        expected << frame(Pong, payload) << frame(Pong, payload) << frame(Pong, "second");
    }
    QCOMPARE(harness.written.join(), expected.join());
    QVERIFY(harness.socket.isOpen());
    QCOMPARE(harness.socket.bytesAvailable(), qint64{0});
    QCOMPARE(disconnected.count(), 0);
    QCOMPARE(harness.closes, 0);
}

// What the peer sends goes to the owner alone: QWebSocket neither sees nor answers it.
void TestWireSocket::dataPassesQWebSocketBy()
{
    SocketHarness harness;
    QVERIFY(harness.upgrade());
    const QSignalSpy texts(harness.webSocket.get(), &QWebSocket::textFrameReceived);
    const QSignalSpy readyReads(&harness.socket, &QIODevice::readyRead);
    const QByteArray sent = frame(Text, "hello") + frame(Ping, "not fed");
    harness.sendFromPeer(sent);
    QVERIFY(turnUntil([&] { return harness.readable > 0; }));
    QCOMPARE(harness.socket.bytesAvailable(), qint64{0});
    std::array<char, 100> buffer{};
    const IoResult result = harness.socket.receive(buffer);
    QCOMPARE(QByteArray(buffer.data(), static_cast<qsizetype>(result.bytes)), sent);
    QCoreApplication::processEvents();
    QCOMPARE(readyReads.count(), 0);
    QCOMPARE(texts.count(), 0);
    QVERIFY(harness.written.isEmpty());
    // Had it been left with half a frame, it would not understand this one.
    harness.socket.feed(frame(Ping, "fed"));
    QCOMPARE(harness.written.join(), frame(Pong, "fed"));
}

// What the owner sends goes to the peer, in the order of its pieces, past QWebSocket.
void TestWireSocket::sendsWhatTheOwnerSends()
{
    SocketHarness harness;
    QVERIFY(harness.upgrade());
    QByteArray head("head ");
    QByteArray payload("payload");
    const std::array<iovec, 2> pieces{{{head.data(), static_cast<std::size_t>(head.size())},
                                       {payload.data(), static_cast<std::size_t>(payload.size())}}};
    QCOMPARE(harness.socket.send(pieces).bytes, std::size_t{12});
    QCOMPARE(harness.receiveAtPeer(), QByteArray("head payload"));
    QVERIFY(harness.written.isEmpty());
    harness.socket.setWriteInterest(true);
    QVERIFY(turnUntil([&] { return harness.writable > 0; }));
}

// Once ended the peer is rid of it at once, and QWebSocket knows: it says so, once, and writes no
// more.
void TestWireSocket::endTellsQWebSocket()
{
    SocketHarness harness;
    QVERIFY(harness.upgrade());
    const QSignalSpy disconnected(harness.webSocket.get(), &QWebSocket::disconnected);
    harness.socket.end();
    QCOMPARE(harness.socket.state(), QAbstractSocket::UnconnectedState);
    QCOMPARE(harness.webSocket->state(), QAbstractSocket::UnconnectedState);
    QCOMPARE(disconnected.count(), 1);
    QVERIFY(harness.isPeerAtEnd());
    harness.socket.end();
    QCOMPARE(disconnected.count(), 1);
    harness.webSocket.reset();
    QVERIFY(harness.written.isEmpty());
    std::array<char, 10> buffer{};
    QCOMPARE(harness.socket.receive(buffer).status, IoStatus::Failed);
    QCOMPARE(harness.failed, 0);
}

// A client may be ended by what it was just fed.
void TestWireSocket::endMayBeCalledWithinAFeed()
{
    SocketHarness harness;
    QVERIFY(harness.upgrade());
    int pongs = 0;
    QObject::connect(harness.webSocket.get(), &QWebSocket::pong, &harness.socket, [&] {
        ++pongs;
        harness.socket.end();
    });
    harness.socket.feed(frame(Pong, "x"));
    QCOMPARE(pongs, 1);
    QCOMPARE(harness.webSocket->state(), QAbstractSocket::UnconnectedState);
    QCOMPARE(harness.socket.bytesAvailable(), qint64{0});
    QVERIFY(harness.isPeerAtEnd());
}

RELAY_TEST_IN(relay::test::EpollApplication, TestWireSocket)
#include "tst_wire_socket.moc"
