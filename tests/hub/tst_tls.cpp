#include "net/tls_configuration.h"

#include "../net/test_certificate.h"
#include "support/paced_client.h"
#include "support/test_hub.h"
#include "support/test_main.h"

#include <QLoggingCategory>
#include <QRegularExpression>
#include <QSslCertificate>
#include <QTemporaryDir>
#include <QTest>

#include <array>

using namespace std::chrono_literals;
using relay::HandshakeFailure;
using relay::Hub;
using relay::HubOptions;
using relay::MessageKind;
using relay::test::closePayload;
using relay::test::failures;
using relay::test::HubEvent;
using relay::test::Message;
using relay::test::PacedClient;
using relay::test::patterned;
using relay::test::TestCertificate;
using relay::test::TestHub;
using relay::test::testOptions;
using relay::test::waitFor;
using relay::test::WebClient;

class TestTls : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void relaysAsWithoutTls();
    void longMessagesGoBothWays();
    void leavingIsSeenOnce_data();
    void leavingIsSeenOnce();
    void aPlainClientIsTurnedAway();
    void aTlsClientOnThePlainPortIsTurnedAway();
    void aSilentConnectionIsDropped();
    void aSlowClientIsClosed();
    void shutdownTellsEveryone();

private:
    [[nodiscard]] HubOptions tlsOptions(int workers = 1) const;
    std::unique_ptr<WebClient> connectTo(TestHub &relay) const;

    std::optional<QSslConfiguration> m_server;
    QSslConfiguration m_client;
};

void TestTls::initTestCase()
{
    const TestCertificate certificate({.commonName = "localhost"});
    const QTemporaryDir directory;
    const QString file = directory.filePath(QStringLiteral("both.pem"));
    QFile pem(file);
    QVERIFY(pem.open(QIODevice::WriteOnly));
    pem.write(certificate.certificatePem() + certificate.keyPem());
    pem.close();
    auto loaded = relay::loadTlsConfiguration(file, file);
    QVERIFY2(loaded, loaded ? "" : qPrintable(loaded.error().message));
    m_server = std::move(loaded).value();
    m_client = QSslConfiguration::defaultConfiguration();
    m_client.setCaCertificates(QSslCertificate::fromData(certificate.certificatePem(), QSsl::Pem));
}

HubOptions TestTls::tlsOptions(int workers) const
{
    HubOptions options = testOptions(workers);
    options.tls = m_server;
    return options;
}

std::unique_ptr<WebClient> TestTls::connectTo(TestHub &relay) const
{
    auto client = std::make_unique<WebClient>(
        QUrl(QStringLiteral("wss://localhost:%1/").arg(relay.port())), &m_client);
    const int before = relay.hub().clientCount();
    return client->waitUntilConnected() && relay.waitForClients(before + 1) ? std::move(client)
                                                                            : nullptr;
}

// The same relay over wss: all get all, in order, with certificates checked.
void TestTls::relaysAsWithoutTls()
{
    TestHub relay(tlsOptions(2), TestHub::Follow::MessagesToo);
    std::vector<std::unique_ptr<WebClient>> clients;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(connectTo(relay));
        QVERIFY(clients.back());
    }
    constexpr int kMessages = 50;
    for (int i = 0; i < kMessages; ++i) {
        clients[static_cast<std::size_t>(i) % 4]->sendText(QByteArray::number(i));
    }
    QVERIFY(waitForAll(clients, kMessages));
    for (const auto &client : clients) {
        QCOMPARE(client->payloads(), clients.front()->payloads());
    }
    QCOMPARE(relay.events(HubEvent::Kind::Message).size(), std::size_t{kMessages});
}

// Messages of many TLS records arrive whole: 1 MiB from client to client, several at once.
void TestTls::longMessagesGoBothWays()
{
    TestHub relay(tlsOptions());
    const auto a = connectTo(relay);
    const auto b = connectTo(relay);
    QVERIFY(a && b);
    const QByteArray payload = patterned(1024 * 1024);
    for (int i = 0; i < 3; ++i) {
        a->sendBinary(payload);
        b->sendText(payload);
    }
    QVERIFY(a->waitForMessages(6) && b->waitForMessages(6));
    QCOMPARE(a->payloads(), std::vector<QByteArray>(6, payload));
    QVERIFY(a->received() == b->received());
}

void TestTls::leavingIsSeenOnce_data()
{
    QTest::addColumn<bool>("abruptly");
    QTest::newRow("with a close frame") << false;
    QTest::newRow("without a word") << true;
}

// A client that goes is removed once, whichever way.
void TestTls::leavingIsSeenOnce()
{
    QFETCH(bool, abruptly);
    TestHub relay(tlsOptions());
    auto leaver = connectTo(relay);
    const auto stayer = connectTo(relay);
    QVERIFY(leaver && stayer);
    if (abruptly) {
        leaver->socket().abort();
    } else {
        leaver->socket().close();
    }
    QVERIFY(relay.waitForClients(1));
    stayer->sendText("still here");
    QVERIFY(stayer->waitForMessages(1));
    const std::vector<HubEvent> gone = relay.events(HubEvent::Kind::Disconnected);
    QCOMPARE(gone.size(), std::size_t{1});
    QCOMPARE(gone.front().closeCode, abruptly ? quint16{1006} : quint16{1000});
    QCOMPARE(relay.hub().counters().disconnections, 1U);
}

// ws:// at a wss:// port: the connection ends at once and is counted, the log says what it was, and the
// relay goes on.
void TestTls::aPlainClientIsTurnedAway()
{
    TestHub relay(tlsOptions());
    QLoggingCategory::setFilterRules(QString()); // which a TestHub leaves without info
    QTest::ignoreMessage(
        QtInfoMsg, QRegularExpression(QStringLiteral("handshake failed: tls this is plain HTTP, "
                                                     "and this port speaks TLS$")));
    PacedClient plain(relay.port());
    QVERIFY(!plain.upgrade());
    QVERIFY(plain.waitForEnd());
    QVERIFY(waitFor([&] { return failures(relay, HandshakeFailure::Tls) == 1; }));
    QCOMPARE(relay.hub().counters().connections, 0U);
    const auto client = connectTo(relay);
    QVERIFY(client);
}

// wss:// at a ws:// port: an error for the client at once, no wait for a time-out.
void TestTls::aTlsClientOnThePlainPortIsTurnedAway()
{
    TestHub relay;
    WebClient client(QUrl(QStringLiteral("wss://localhost:%1/").arg(relay.port())), &m_client);
    QVERIFY(waitFor([&] { return failures(relay, HandshakeFailure::BadRequest) == 1; }));
    QVERIFY(
        waitFor([&] { return client.socket().error() != QAbstractSocket::UnknownSocketError; }));
    QVERIFY(!client.isConnected());
}

// limits.handshake_timeout covers the TLS handshake.
void TestTls::aSilentConnectionIsDropped()
{
    HubOptions options = tlsOptions();
    options.limits.handshakeTimeout = 50ms;
    options.closeTimeout = 50ms;
    TestHub relay(options);
    PacedClient silent(relay.port());
    QVERIFY(silent.waitForEnd());
    QCOMPARE(failures(relay, HandshakeFailure::Timeout), 1U);
}

// The queue's limit holds for TLS, too; what waits is bounded.
void TestTls::aSlowClientIsClosed()
{
    HubOptions options = tlsOptions();
    options.limits.messageSize = 16'000;
    options.limits.queueSize = 1024 * 1024;
    options.closeTimeout = 200ms;
    TestHub relay(options);
    const auto client = connectTo(relay);
    QVERIFY(client);
    // The test's thread does not run its event loop meanwhile: the client does not read.
    const QByteArray payload(16'000, 'x');
    const QDeadlineTimer deadline(relay::test::kPatience);
    const auto isSlow = [&] {
        return relay.hub()
                   .counters()
                   .limitHits[static_cast<std::size_t>(relay::LimitHit::QueueSize)]
               > 0;
    };
    while (!isSlow() && !deadline.hasExpired()) {
        (void)relay.hub().publish(payload, MessageKind::Binary);
        QThread::yieldCurrentThread();
    }
    QVERIFY(isSlow());
    QVERIFY(relay.waitForClients(0));
    QCOMPARE(relay.events(HubEvent::Kind::Disconnected).front().closeCode, quint16{1008});
}

// 1001 and an orderly end over TLS.
void TestTls::shutdownTellsEveryone()
{
    TestHub relay(tlsOptions(2));
    const auto a = connectTo(relay);
    const auto b = connectTo(relay);
    QVERIFY(a && b);
    bool isClosed = false;
    connect(&relay.hub(), &Hub::closed, this, [&isClosed] { isClosed = true; });
    relay.hub().close(10min);
    QVERIFY(a->waitUntilEnded() && b->waitUntilEnded());
    QCOMPARE(a->closeCode(), quint16{1001});
    QCOMPARE(b->closeCode(), quint16{1001});
    QVERIFY(waitFor([&] { return isClosed; }));
    QCOMPARE(relay.hub().counters().disconnectionsByCode[relay::closeCodeIndex(1001)], 2U);
}

RELAY_TEST(TestTls)
#include "tst_tls.moc"
