#include "net/tls_transport.h"

#include "dispatcher_harness.h"
#include "support/test_main.h"
#include "test_application.h"
#include "test_certificate.h"
#include "tls_peer.h"

#include <QRegularExpression>
#include <QSslCertificate>
#include <QSslKey>
#include <QTest>

#include <csignal>
#include <vector>

using relay::EpollDispatcher;
using relay::IoResult;
using relay::IoStatus;
using relay::TlsTransport;
using relay::TransportUser;
using relay::test::CertificateRequest;
using relay::test::Loopback;
using relay::test::TestCertificate;
using relay::test::TlsPeer;
using relay::test::turnUntil;

namespace {

QSslConfiguration makeConfiguration()
{
    const TestCertificate certificate{CertificateRequest{}};
    QSslConfiguration configuration;
    configuration.setLocalCertificate(QSslCertificate(certificate.certificatePem()));
    configuration.setPrivateKey(QSslKey(certificate.keyPem(), QSsl::Ec));
    configuration.setPeerVerifyMode(QSslSocket::VerifyNone);
    return configuration;
}

/// Bytes no two neighbouring blocks of which are alike.
QByteArray payload(qsizetype size)
{
    QByteArray bytes(size, Qt::Uninitialized);
    quint32 state = 1;
    for (char &byte : bytes) {
        state = state * 1664525 + 1013904223;
        byte = static_cast<char>(state >> 24);
    }
    return bytes;
}

/// The transport's user, and the peer at the other end.
class TlsHarness final : public TransportUser
{
public:
    explicit TlsHarness(Loopback ends = {})
        : transport(std::make_unique<TlsTransport>(std::move(ends.near), configuration(), *this))
        , peer(std::move(ends.far))
    {}

    static const QSslConfiguration &configuration()
    {
        static const QSslConfiguration s_configuration = makeConfiguration();
        return s_configuration;
    }

    void transportReadable() override
    {
        countCall();
        ++readable;
        if (onReadable) {
            onReadable();
        }
    }
    void transportWritable() override
    {
        countCall();
        ++writable;
        if (onWritable) {
            onWritable();
        }
    }
    void transportFailed(const QString &) override
    {
        countCall();
        ++failed;
        if (onFailed) {
            onFailed();
        }
    }

    [[nodiscard]] bool shakeHands()
    {
        const bool isDone = turnUntil([&] { return peer.handshake(); });
        turn(); // the transport hears of it
        return isDone;
    }
    /// One call of read(), as the user does when told; what came is appended to `received`.
    IoStatus readOnce(std::size_t maxBytes)
    {
        std::vector<char> buffer(maxBytes);
        const IoResult result = transport->read(buffer);
        received.append(buffer.data(), static_cast<qsizetype>(result.bytes));
        lastStatus = result.status;
        return result.status;
    }
    IoResult write(const QByteArray &bytes)
    {
        const iovec piece{const_cast<char *>(bytes.constData()),
                          static_cast<std::size_t>(bytes.size())};
        isWriting = true;
        const IoResult result = transport->write({&piece, 1});
        isWriting = false;
        return result;
    }
    /// Has the peer send all of `bytes`, which the buffers on the way must be able to hold.
    [[nodiscard]] bool sendFromPeer(const QByteArray &bytes)
    {
        qsizetype sent = 0;
        return turnUntil([&] {
            sent += peer.write(bytes.mid(sent));
            return sent >= bytes.size();
        });
    }
    static void turn()
    {
        for (int i = 0; i < 10; ++i) {
            QCoreApplication::processEvents();
        }
    }

    std::unique_ptr<TlsTransport> transport;
    TlsPeer peer;
    int readable = 0;
    int writable = 0;
    int failed = 0;
    int calledWhileWriting = 0;
    bool isWriting = false;
    QByteArray received;
    IoStatus lastStatus = IoStatus::Done;
    std::function<void()> onReadable;
    std::function<void()> onWritable;
    std::function<void()> onFailed;

private:
    void countCall() { calledWhileWriting += isWriting ? 1 : 0; }
};

} // namespace

class TestTlsTransport : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void takesNoMoreThanItsBuffer();
    void goesOnWhenTheSlowPeerHasRead();
    void isWritableAtOnceWhileThereIsRoom();
    void isNotWritableUnlessAsked();
    void writingDoesNotSayWritable();
    void writingDoesNotSayReadable();
    void writesPiecesInOrder();
    void readingCanPause_data();
    void readingCanPause();
    void resumesWhatWasDecryptedBefore();
    void dataComesBeforeTheEnd_data();
    void dataComesBeforeTheEnd();
    void aPeerWithoutTlsFails();
    void aPeerThatLeavesInTheHandshakeFails();
    void mayBeClosedWithinItsCalls_data();
    void mayBeClosedWithinItsCalls();
    void mayBeDestroyedWithDataPending();
    void shutDownSendsWhatIsPending();
    void closedItDoesNothing();
};

// A client that does not read costs no more memory than the limit, however much there is for it.
void TestTlsTransport::takesNoMoreThanItsBuffer()
{
    TlsHarness harness;
    // Before the handshake nothing can be sent: all that is taken is buffered.
    const IoResult first = harness.write(payload(1 << 20));
    QCOMPARE(first.status, IoStatus::Done);
    QCOMPARE(first.bytes, static_cast<std::size_t>(TlsTransport::kMaxBufferedBytes));
    const IoResult second = harness.write(QByteArray("x"));
    QCOMPARE(second.status, IoStatus::WouldBlock);
    QCOMPARE(second.bytes, std::size_t{0});
}

// Every byte arrives, in order, though the peer reads in small portions, and the user goes on only
// when told that it may.
void TestTlsTransport::goesOnWhenTheSlowPeerHasRead()
{
    TlsHarness harness;
    QVERIFY(harness.shakeHands());
    const QByteArray all = payload(1 << 20);
    qsizetype sent = 0;
    int blocked = 0;
    const auto writeMore = [&] {
        while (sent < all.size()) {
            const IoResult result = harness.write(all.mid(sent, 200'000));
            if (result.status != IoStatus::Done) {
                QCOMPARE(result.status, IoStatus::WouldBlock);
                ++blocked;
                break;
            }
            sent += static_cast<qsizetype>(result.bytes);
        }
        harness.transport->setWriteInterest(sent < all.size());
    };
    harness.onWritable = writeMore;
    writeMore();
    QVERIFY(sent < all.size()); // the peer has read nothing
    QByteArray arrived;
    QVERIFY(turnUntil([&] {
        arrived.append(harness.peer.read(3000));
        return arrived.size() >= all.size();
    }));
    QVERIFY(arrived == all);
    QVERIFY(blocked > 1);
    QVERIFY(harness.writable > 0);
    QCOMPARE(harness.calledWhileWriting, 0);
    QCOMPARE(harness.failed, 0);
}

// The last bytes may leave within the very write that took no more: he who then asks to be told
// would wait for good if only the next departure counted.
void TestTlsTransport::isWritableAtOnceWhileThereIsRoom()
{
    TlsHarness harness;
    QVERIFY(harness.shakeHands());
    QCOMPARE(harness.write(QByteArray("x")).bytes, std::size_t{1});
    QByteArray arrived;
    QVERIFY(turnUntil([&] {
        arrived.append(harness.peer.read(10));
        return arrived == "x";
    }));
    harness.transport->setWriteInterest(true);
    QCOMPARE(harness.writable, 0); // not within the call
    QVERIFY(turnUntil([&] { return harness.writable > 0; }));
}

// Who has nothing to write is not woken for it.
void TestTlsTransport::isNotWritableUnlessAsked()
{
    TlsHarness harness;
    QVERIFY(harness.shakeHands());
    harness.transport->setWriteInterest(true);
    harness.transport->setWriteInterest(false);
    const QByteArray all = payload(30'000);
    QCOMPARE(harness.write(all).bytes, static_cast<std::size_t>(all.size()));
    QByteArray arrived;
    QVERIFY(turnUntil([&] {
        arrived.append(harness.peer.read(3000));
        return arrived.size() >= all.size();
    }));
    QCOMPARE(harness.writable, 0);
}

// QSslSocket says that bytes have left while they are being written: the user, who is in the middle
// of its queue, must not hear it there.
void TestTlsTransport::writingDoesNotSayWritable()
{
    TlsHarness harness;
    QVERIFY(harness.shakeHands());
    harness.transport->setWriteInterest(true);
    for (int i = 0; i < 10; ++i) {
        QCOMPARE(harness.write(QByteArray("now")).status, IoStatus::Done);
    }
    QCOMPARE(harness.calledWhileWriting, 0);
}

// To write makes QSslSocket decrypt too: what turns up then is told later.
void TestTlsTransport::writingDoesNotSayReadable()
{
    TlsHarness harness;
    QVERIFY(harness.shakeHands());
    harness.transport->setReadInterest(false);
    const QByteArray all = payload(200'000);
    QVERIFY(harness.sendFromPeer(all));
    harness.onReadable = [&] {
        harness.readOnce(8192);
        (void)harness.write(QByteArray("answer"));
    };
    harness.transport->setReadInterest(true);
    QVERIFY(turnUntil([&] { return harness.received.size() >= all.size(); }));
    QVERIFY(harness.received == all);
    QCOMPARE(harness.calledWhileWriting, 0);
}

// One call writes all pieces, in their order.
void TestTlsTransport::writesPiecesInOrder()
{
    TlsHarness harness;
    QVERIFY(harness.shakeHands());
    std::array<QByteArray, 4> parts{"one ", "", "two ", "three"};
    std::vector<iovec> pieces;
    for (QByteArray &part : parts) {
        pieces.push_back({part.data(), static_cast<std::size_t>(part.size())});
    }
    QCOMPARE(harness.transport->write(pieces).bytes, std::size_t{13});
    QByteArray arrived;
    QVERIFY(turnUntil([&] {
        arrived.append(harness.peer.read(100));
        return arrived.size() >= 13;
    }));
    QCOMPARE(arrived, QByteArray("one two three"));
}

void TestTlsTransport::readingCanPause_data()
{
    QTest::addColumn<qsizetype>("size");
    QTest::addColumn<int>("portion");
    QTest::newRow("little") << qsizetype{100} << 16384;
    QTest::newRow("little, byte by byte") << qsizetype{100} << 1;
    QTest::newRow("a full buffer in even portions") << qsizetype{65536} << 16384;
    QTest::newRow("more than the buffers, even portions") << qsizetype{1 << 20} << 16384;
    QTest::newRow("more than the buffers, the buffer's portion") << qsizetype{1 << 20} << 65536;
    QTest::newRow("more than the buffers, odd portions") << qsizetype{1 << 20} << 9999;
    QTest::newRow("more than the buffers, big portions") << qsizetype{1 << 20} << 262144;
}

// A reader that pauses is not told, and the peer is held up; all comes when he goes on.
void TestTlsTransport::readingCanPause()
{
    QFETCH(const qsizetype, size);
    QFETCH(const int, portion);
    TlsHarness harness;
    QVERIFY(harness.shakeHands());
    harness.transport->setReadInterest(false);
    const QByteArray all = payload(size);
    qsizetype sent = 0;
    for (int i = 0; i < 100; ++i) {
        sent += harness.peer.write(all.mid(sent));
        TlsHarness::turn();
    }
    QVERIFY(sent < (1 << 20));
    QCOMPARE(harness.readable, 0);
    harness.onReadable = [&] { harness.readOnce(static_cast<std::size_t>(portion)); };
    harness.transport->setReadInterest(true);
    QCOMPARE(harness.readable, 0); // not within the call
    QVERIFY(turnUntil([&] {
        sent += harness.peer.write(all.mid(sent));
        return harness.received.size() >= size;
    }));
    QVERIFY(harness.received == all);
    QCOMPARE(harness.lastStatus, IoStatus::Done);
}

// Who pauses in the middle of what was decrypted gets the rest of it without the peer's help.
void TestTlsTransport::resumesWhatWasDecryptedBefore()
{
    TlsHarness harness;
    QVERIFY(harness.shakeHands());
    harness.onReadable = [&] {
        harness.readOnce(10);
        harness.transport->setReadInterest(false);
    };
    const QByteArray all = payload(1000);
    QCOMPARE(harness.peer.write(all), all.size());
    QVERIFY(turnUntil([&] { return harness.readable > 0; }));
    TlsHarness::turn();
    QCOMPARE(harness.readable, 1);
    QCOMPARE(harness.received.size(), qsizetype{10});
    harness.onReadable = [&] { harness.readOnce(10); };
    harness.transport->setReadInterest(true);
    QVERIFY(turnUntil([&] { return harness.received.size() >= all.size(); }));
    QVERIFY(harness.received == all);
}

void TestTlsTransport::dataComesBeforeTheEnd_data()
{
    QTest::addColumn<qsizetype>("size");
    QTest::addColumn<bool>("isPolite");
    for (const bool isPolite : {false, true}) {
        for (const qsizetype size : {0, 1, 1000, 65536, 65537, 250'000}) {
            QTest::addRow("%lld bytes, %s", static_cast<long long>(size),
                          isPolite ? "close_notify" : "dropped")
                << size << isPolite;
        }
    }
}

// The last words of a peer that has left are heard, and only then its end.
void TestTlsTransport::dataComesBeforeTheEnd()
{
    QFETCH(const qsizetype, size);
    QFETCH(const bool, isPolite);
    TlsHarness harness;
    QVERIFY(harness.shakeHands());
    (void)harness.peer.read(1); // takes the session tickets: unread, they would reset it
    harness.transport->setReadInterest(false);
    const QByteArray all = payload(size);
    QVERIFY(harness.sendFromPeer(all));
    if (isPolite) {
        harness.peer.closeNotify();
    }
    harness.peer.drop();
    bool hasEnded = false;
    harness.onReadable = [&] {
        QVERIFY(!hasEnded);
        hasEnded = harness.readOnce(10'000) == IoStatus::Ended;
        if (hasEnded) {
            harness.transport->close();
        }
    };
    TlsHarness::turn();
    QVERIFY(size == 0 || !hasEnded);
    harness.transport->setReadInterest(true);
    QVERIFY(turnUntil([&] { return hasEnded; }));
    QCOMPARE(harness.received.size(), size);
    QVERIFY(harness.received == all);
    QCOMPARE(harness.failed, 0);
}

// Who speaks no TLS is told as a failure, once, with nothing to read from it.
void TestTlsTransport::aPeerWithoutTlsFails()
{
    Loopback ends;
    const QByteArray request("GET / HTTP/1.1\r\nHost: relay.test\r\n\r\n");
    QCOMPARE(::send(ends.far.get(), request.constData(), static_cast<std::size_t>(request.size()),
                    MSG_NOSIGNAL),
             ssize_t{request.size()});
    TlsHarness harness(std::move(ends));
    harness.onFailed = [&] { harness.transport->close(); };
    harness.onReadable = [&] { harness.readOnce(100); };
    QVERIFY(turnUntil([&] { return harness.failed > 0; }));
    TlsHarness::turn();
    QCOMPARE(harness.failed, 1);
    QCOMPARE(harness.received, QByteArray());
}

// A peer that leaves before there is a session is told too, or its place would stay taken.
void TestTlsTransport::aPeerThatLeavesInTheHandshakeFails()
{
    TlsHarness harness;
    harness.onFailed = [&] { harness.transport->close(); };
    QVERIFY(!harness.peer.handshake());
    harness.peer.drop();
    QVERIFY(turnUntil([&] { return harness.failed > 0; }));
    TlsHarness::turn();
    QCOMPARE(harness.failed, 1);
}

void TestTlsTransport::mayBeClosedWithinItsCalls_data()
{
    QTest::addColumn<bool>("inReadable");
    QTest::newRow("readable") << true;
    QTest::newRow("writable") << false;
}

// A message may be a reason to close: after that nothing is told any more, and the peer sees it.
void TestTlsTransport::mayBeClosedWithinItsCalls()
{
    QFETCH(const bool, inReadable);
    TlsHarness harness;
    QVERIFY(harness.shakeHands());
    const auto close = [&] { harness.transport->close(); };
    if (inReadable) {
        harness.onReadable = close;
        QCOMPARE(harness.peer.write(payload(5000)), qsizetype{5000});
    } else {
        harness.onWritable = close;
        QCOMPARE(harness.write(payload(1 << 20)).status, IoStatus::Done);
        harness.transport->setWriteInterest(true);
    }
    QVERIFY(turnUntil([&] {
        (void)harness.peer.read(10'000);
        return harness.readable + harness.writable > 0;
    }));
    QCOMPARE(harness.write(QByteArray("x")).status, IoStatus::Failed);
    TlsHarness::turn();
    QCOMPARE(harness.readable + harness.writable, 1);
    QCOMPARE(harness.failed, 0);
}

// A client may be thrown out with its buffers full, both ways, and with calls of its own on the way.
void TestTlsTransport::mayBeDestroyedWithDataPending()
{
    TlsHarness harness;
    QVERIFY(harness.shakeHands());
    harness.transport->setReadInterest(false);
    QVERIFY(harness.sendFromPeer(payload(100'000)));
    while (harness.write(payload(100'000)).status == IoStatus::Done) {
    }
    harness.transport->setWriteInterest(true);
    harness.transport->setReadInterest(true);
    harness.transport.reset();
    TlsHarness::turn();
    QCOMPARE(harness.readable + harness.writable + harness.failed, 0);
}

// The last word, and all before it, is sent though the peer is slow to read.
void TestTlsTransport::shutDownSendsWhatIsPending()
{
    TlsHarness harness;
    QVERIFY(harness.shakeHands());
    const QByteArray all = payload(1 << 20);
    const IoResult result = harness.write(all);
    QVERIFY(result.bytes > static_cast<std::size_t>(TlsTransport::kMaxBufferedBytes));
    harness.transport->shutdownWrite();
    QByteArray arrived;
    QVERIFY(turnUntil([&] {
        arrived.append(harness.peer.read(5000));
        return arrived.size() >= static_cast<qsizetype>(result.bytes);
    }));
    QVERIFY(all.startsWith(arrived));
    QCOMPARE(harness.failed, 0);
}

// After close() every call is harmless, as it may come from a callback that is still on the stack.
void TestTlsTransport::closedItDoesNothing()
{
    TlsHarness harness;
    QVERIFY(harness.shakeHands());
    harness.transport->close();
    harness.transport->close();
    harness.transport->shutdownWrite();
    harness.transport->setReadInterest(false);
    harness.transport->setReadInterest(true);
    harness.transport->setWriteInterest(true);
    QTest::failOnWarning(QRegularExpression(QStringLiteral(".*")));
    QCOMPARE(harness.readOnce(10), IoStatus::Failed);
    QCOMPARE(harness.write(QByteArray("x")).status, IoStatus::Failed);
    TlsHarness::turn();
    QCOMPARE(harness.readable + harness.writable + harness.failed, 0);
}

namespace {

struct PipeSafeApplication : relay::test::EpollApplication
{
    PipeSafeApplication(int &argc, char **argv)
        : EpollApplication(argc, argv)
    {
        std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
    }
};

} // namespace

RELAY_TEST_IN(PipeSafeApplication, TestTlsTransport)
#include "tst_tls_transport.moc"
