#include "net/tcp_view.h"

#include "support/test_main.h"

#include <QTcpServer>
#include <QTcpSocket>
#include <QTest>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

using relay::readTcpView;
using relay::TcpView;

namespace {

/// A connection over loopback whose far end reads only when it is told to.
struct Connection
{
    Connection()
    {
        if (!server.listen(QHostAddress(QHostAddress::LocalHost))) {
            return;
        }
        near.connectToHost(server.serverAddress(), server.serverPort());
        if (near.waitForConnected() && server.waitForNewConnection(10'000)) {
            far.reset(server.nextPendingConnection());
        }
    }
    [[nodiscard]] int descriptor() const { return static_cast<int>(near.socketDescriptor()); }

    QTcpServer server;
    QTcpSocket near;
    std::unique_ptr<QTcpSocket> far;
};

} // namespace

/// What the kernel says of a connection.
class TestTcpView : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatIsReadLeavesNothingWaiting();
    void whatIsNotReadIsSeenToWait();
    void whatIsNoTcpSocketHasNoView();
};

/// A healthy client shows no bytes on the way, and the round-trip time of loopback.
void TestTcpView::whatIsReadLeavesNothingWaiting()
{
    Connection connection;
    QVERIFY(connection.far);
    connection.near.write("hello");
    QTRY_COMPARE(connection.far->bytesAvailable(), 5);
    // The acknowledgement may come a moment later.
    QTRY_COMPARE(readTcpView(connection.descriptor()).value_or(TcpView()).unacknowledgedBytes,
                 quint64{0});
    const auto view = readTcpView(connection.descriptor());
    QVERIFY(view);
    QCOMPARE(view->unsentBytes, quint64{0});
    QVERIFY(view->rtt.count() > 0);
    QVERIFY(view->rtt < std::chrono::seconds(1));
}

/// Of a client that reads nothing all that the kernel took of us shows: what went out and what could
/// not add up to what waits in its queue.
void TestTcpView::whatIsNotReadIsSeenToWait()
{
    Connection connection;
    QVERIFY(connection.far);
    const int far = static_cast<int>(connection.far->socketDescriptor());
    connection.far->setReadBufferSize(1);
    const QByteArray bytes(256 * 1024, 'x');
    qint64 taken = 0;
    for (ssize_t sent = 1; sent > 0;) {
        sent = ::send(connection.descriptor(), bytes.constData(),
                      static_cast<std::size_t>(bytes.size()), MSG_DONTWAIT);
        taken += std::max<ssize_t>(sent, 0);
    }
    QVERIFY(taken > 0);
    // What the far kernel holds was acknowledged; the rest is here.
    const auto waits = [&] {
        const auto view = readTcpView(connection.descriptor());
        return view && view->unsentBytes > 0
               && view->unsentBytes + view->unacknowledgedBytes < static_cast<quint64>(taken);
    };
    QTRY_VERIFY(waits());

    QByteArray rest(1 << 20, Qt::Uninitialized);
    const auto isDrained = [&] {
        while (::recv(far, rest.data(), static_cast<std::size_t>(rest.size()), MSG_DONTWAIT) > 0) {
        }
        const auto view = readTcpView(connection.descriptor());
        return view && view->unsentBytes == 0 && view->unacknowledgedBytes == 0;
    };
    QTRY_VERIFY(isDrained());
}

/// A connection that ends while it is looked at is no error.
void TestTcpView::whatIsNoTcpSocketHasNoView()
{
    QVERIFY(!readTcpView(-1));
    std::array<int, 2> pipe{};
    QCOMPARE(::pipe(pipe.data()), 0);
    QVERIFY(!readTcpView(pipe[0]));
    ::close(pipe[0]);
    ::close(pipe[1]);
    std::array<int, 2> local{};
    QCOMPARE(::socketpair(AF_UNIX, SOCK_STREAM, 0, local.data()), 0);
    QVERIFY(!readTcpView(local[0]));
    ::close(local[0]);
    ::close(local[1]);
}

RELAY_TEST(TestTcpView)
#include "tst_tcp_view.moc"
