#include "net/plain_transport.h"

#include "support/test_main.h"
#include "test_application.h"

#include <QCoreApplication>
#include <QTest>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>

using relay::EpollDispatcher;
using relay::IoResult;
using relay::IoStatus;
using relay::PlainTransport;
using relay::SocketHandle;
using relay::TransportUser;

namespace {

/// One end is the transport's, the other the test's; and what the transport's user was told.
class PlainHarness final : public TransportUser
{
public:
    PlainHarness()
    {
        std::array<int, 2> pair{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
            qFatal("no socket pair");
        }
        peer = SocketHandle(pair[1]);
        transport = std::make_unique<PlainTransport>(SocketHandle(pair[0]), *this);
    }

    void transportReadable() override
    {
        ++readable;
        if (onReadable) {
            onReadable();
        }
    }
    void transportWritable() override
    {
        ++writable;
        if (onWritable) {
            onWritable();
        }
    }
    void transportFailed(const QString &) override { ++failed; }

    void send(const QByteArray &bytes) const
    {
        QCOMPARE(::send(peer.get(), bytes.constData(), static_cast<std::size_t>(bytes.size()), 0),
                 ssize_t{bytes.size()});
    }
    /// One look at the descriptors, without a wait.
    static void turn() { QCoreApplication::processEvents(); }

    IoResult write(const QByteArray &bytes) const
    {
        const iovec piece{const_cast<char *>(bytes.constData()),
                          static_cast<std::size_t>(bytes.size())};
        return transport->write({&piece, 1});
    }
    /// Fills the system's buffers; returns how much they took.
    qint64 fill() const
    {
        const QByteArray bytes(64 * 1024, 'x');
        qint64 taken = 0;
        IoResult result = write(bytes);
        while (result.status == IoStatus::Done) {
            taken += static_cast<qint64>(result.bytes);
            result = write(bytes);
        }
        return result.status == IoStatus::WouldBlock ? taken : -1;
    }
    [[nodiscard]] QByteArray receive(qint64 bytes) const
    {
        QByteArray all;
        QByteArray buffer(64 * 1024, Qt::Uninitialized);
        while (all.size() < bytes) {
            const ssize_t got = ::recv(peer.get(), buffer.data(),
                                       static_cast<std::size_t>(buffer.size()), MSG_DONTWAIT);
            if (got <= 0) {
                break;
            }
            all.append(buffer.constData(), got);
        }
        return all;
    }

    SocketHandle peer;
    std::unique_ptr<PlainTransport> transport;
    int readable = 0;
    int writable = 0;
    int failed = 0;
    std::function<void()> onReadable;
    std::function<void()> onWritable;
};

} // namespace

class TestPlainTransport : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsWhatHasCome();
    void tellsTheEndFromNothing();
    void tellsABrokenConnection();
    void writesPiecesInOrder();
    void takesAsMuchAsTheSystemDoes();
    void readingCanPause();
    void aPausedOneStillSeesTheBreak();
    void mayBeClosedWithinItsCalls();
    void mayBeDestroyedWhileOthersAreTold();
    void shutDownStillReads();
    void closedItDoesNothing();
};

// Bytes come as they were sent; what was not read is told again.
void TestPlainTransport::readsWhatHasCome()
{
    PlainHarness harness;
    PlainHarness::turn();
    QCOMPARE(harness.readable, 0);
    harness.send("hello");
    PlainHarness::turn();
    QCOMPARE(harness.readable, 1);
    std::array<char, 3> buffer{};
    IoResult result = harness.transport->read(buffer);
    QCOMPARE(result.status, IoStatus::Done);
    QCOMPARE(QByteArray(buffer.data(), static_cast<qsizetype>(result.bytes)), QByteArray("hel"));
    PlainHarness::turn();
    QCOMPARE(harness.readable, 2);
    result = harness.transport->read(buffer);
    QCOMPARE(QByteArray(buffer.data(), static_cast<qsizetype>(result.bytes)), QByteArray("lo"));
    PlainHarness::turn();
    QCOMPARE(harness.readable, 2);
}

// "Nothing now" and "nothing ever again" are two answers.
void TestPlainTransport::tellsTheEndFromNothing()
{
    PlainHarness harness;
    std::array<char, 8> buffer{};
    QCOMPARE(harness.transport->read(buffer).status, IoStatus::WouldBlock);
    harness.send("last");
    ::shutdown(harness.peer.get(), SHUT_WR);
    PlainHarness::turn();
    QCOMPARE(harness.readable, 1);
    QCOMPARE(harness.transport->read(buffer).bytes, std::size_t{4});
    QCOMPARE(harness.transport->read(buffer).status, IoStatus::Ended);
    QCOMPARE(harness.write("an answer").status, IoStatus::Done);
}

// To write to who is gone is an answer, not a signal that ends the program.
void TestPlainTransport::tellsABrokenConnection()
{
    PlainHarness harness;
    harness.peer = SocketHandle();
    QCOMPARE(harness.write("x").status, IoStatus::Failed);
    const QByteArray one("a");
    const std::array<iovec, 2> pieces{
        {{const_cast<char *>(one.constData()), 1}, {const_cast<char *>(one.constData()), 1}}};
    QCOMPARE(harness.transport->write(pieces).status, IoStatus::Failed);
}

// One call writes all pieces, in their order.
void TestPlainTransport::writesPiecesInOrder()
{
    PlainHarness harness;
    std::array<QByteArray, 4> parts{"one ", "", "two ", "three"};
    std::vector<iovec> pieces;
    for (QByteArray &part : parts) {
        pieces.push_back({part.data(), static_cast<std::size_t>(part.size())});
    }
    const IoResult result = harness.transport->write(pieces);
    QCOMPARE(result.status, IoStatus::Done);
    QCOMPARE(result.bytes, std::size_t{13});
    QCOMPARE(harness.receive(13), QByteArray("one two three"));
}

// What the system does not take is left with the caller, who is told when to go on, and only if he
// has asked for it.
void TestPlainTransport::takesAsMuchAsTheSystemDoes()
{
    PlainHarness harness;
    PlainHarness::turn();
    QCOMPARE(harness.writable, 0);
    const qint64 taken = harness.fill();
    QVERIFY(taken > 0);
    harness.transport->setWriteInterest(true);
    PlainHarness::turn();
    QCOMPARE(harness.writable, 0);
    QCOMPARE(harness.receive(taken).size(), taken);
    PlainHarness::turn();
    QCOMPARE(harness.writable, 1);
    harness.transport->setWriteInterest(false);
    PlainHarness::turn();
    QCOMPARE(harness.writable, 1);
}

// A reader that pauses is not told; what came meanwhile is there when he goes on.
void TestPlainTransport::readingCanPause()
{
    PlainHarness harness;
    harness.transport->setReadInterest(false);
    harness.send("waits");
    PlainHarness::turn();
    QCOMPARE(harness.readable, 0);
    harness.transport->setReadInterest(true);
    PlainHarness::turn();
    QCOMPARE(harness.readable, 1);
    std::array<char, 8> buffer{};
    QCOMPARE(harness.transport->read(buffer).bytes, std::size_t{5});
}

// epoll reports a hang-up whether asked or not: while reading is paused it must end the connection,
// or the loop would spin.
void TestPlainTransport::aPausedOneStillSeesTheBreak()
{
    PlainHarness harness;
    harness.transport->setReadInterest(false);
    harness.peer = SocketHandle();
    PlainHarness::turn();
    QCOMPARE(harness.failed, 1);
    QCOMPARE(harness.readable, 0);
}

// Who is told that he may write may find the connection broken, and close it: he is not told to
// read from it.
void TestPlainTransport::mayBeClosedWithinItsCalls()
{
    PlainHarness harness;
    harness.onWritable = [&] { harness.transport->close(); };
    harness.transport->setWriteInterest(true);
    harness.send("never read");
    PlainHarness::turn();
    QCOMPARE(harness.writable, 1);
    QCOMPARE(harness.readable, 0);
    PlainHarness::turn();
    QCOMPARE(harness.writable, 1);
}

// One client's message may end another client in the same turn: that one is not told any more.
void TestPlainTransport::mayBeDestroyedWhileOthersAreTold()
{
    PlainHarness a;
    PlainHarness b;
    a.onReadable = [&] {
        std::array<char, 8> buffer{};
        (void)a.transport->read(buffer);
        b.transport.reset();
    };
    b.onReadable = [&] {
        std::array<char, 8> buffer{};
        (void)b.transport->read(buffer);
        a.transport.reset();
    };
    a.send("x");
    b.send("x");
    PlainHarness::turn();
    PlainHarness::turn();
    QCOMPARE(a.readable + b.readable, 1);
}

// After the last word of ours the peer's are still read.
void TestPlainTransport::shutDownStillReads()
{
    PlainHarness harness;
    harness.transport->shutdownWrite();
    char byte = 0;
    QCOMPARE(::recv(harness.peer.get(), &byte, 1, 0), ssize_t{0});
    harness.send("answer");
    PlainHarness::turn();
    std::array<char, 8> buffer{};
    QCOMPARE(harness.transport->read(buffer).bytes, std::size_t{6});
    QCOMPARE(harness.write("x").status, IoStatus::Failed);
}

// After close() every call is harmless, as it may come from a callback that is still on the stack.
void TestPlainTransport::closedItDoesNothing()
{
    PlainHarness harness;
    harness.transport->close();
    harness.transport->close();
    harness.transport->shutdownWrite();
    harness.transport->setReadInterest(false);
    harness.transport->setReadInterest(true);
    harness.transport->setWriteInterest(true);
    std::array<char, 8> buffer{};
    QCOMPARE(harness.transport->read(buffer).status, IoStatus::Failed);
    QCOMPARE(harness.write("x").status, IoStatus::Failed);
    char byte = 0;
    QCOMPARE(::recv(harness.peer.get(), &byte, 1, 0), ssize_t{0}); // what was written is still sent
    PlainHarness::turn();
    QCOMPARE(harness.readable + harness.writable + harness.failed, 0);
}

RELAY_TEST_IN(relay::test::EpollApplication, TestPlainTransport)
#include "tst_plain_transport.moc"
