#include "net/tls_configuration.h"

#include "support/test_main.h"
#include "test_certificate.h"

#include <QFile>
#include <QSignalSpy>
#include <QSslCertificate>
#include <QSslSocket>
#include <QTcpServer>
#include <QTemporaryDir>
#include <QTest>

#include <unistd.h>

using relay::loadTlsConfiguration;
using relay::test::CertificateRequest;
using relay::test::KeyKind;
using relay::test::TestCertificate;

Q_DECLARE_METATYPE(relay::test::KeyKind)

namespace {

/// Accepts TLS connections with one configuration.
class TlsServer : public QTcpServer
{
public:
    explicit TlsServer(const QSslConfiguration &configuration)
        : m_configuration(configuration)
    {
        listen(QHostAddress::LocalHost, 0);
    }

protected:
    void incomingConnection(qintptr descriptor) override
    {
        auto *socket = new QSslSocket(this);
        socket->setSslConfiguration(m_configuration);
        socket->setSocketDescriptor(descriptor);
        socket->startServerEncryption();
    }

private:
    QSslConfiguration m_configuration;
};

/// What a strict client comes to: the protocol that was agreed on, or why there is none.
struct Handshake
{
    bool succeeded = false;
    QSsl::SslProtocol protocol = QSsl::UnknownProtocol;
    QString error;
};

Handshake
connectTo(const TlsServer &server, const TestCertificate &trusted, QSsl::SslProtocol protocol)
{
    QSslConfiguration configuration;
    configuration.setCaCertificates(QSslCertificate::fromData(trusted.certificatePem(), QSsl::Pem));
    configuration.setProtocol(protocol);
    QSslSocket client;
    client.setSslConfiguration(configuration);
    client.setPeerVerifyName(QStringLiteral("relay.test"));
    QSignalSpy encrypted(&client, &QSslSocket::encrypted);
    QSignalSpy failed(&client, &QSslSocket::errorOccurred);
    client.connectToHostEncrypted(QStringLiteral("127.0.0.1"), server.serverPort());
    if (!QTest::qWaitFor([&] { return !encrypted.isEmpty() || !failed.isEmpty(); }, 10000)) {
        return {false, QSsl::UnknownProtocol, QStringLiteral("no answer")};
    }
    return {!encrypted.isEmpty(), client.sessionProtocol(), client.errorString()};
}

} // namespace

class TestTlsConfiguration : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void servesEachKindOfKey_data();
    void servesEachKindOfKey();
    void sendsTheIntermediates();
    void speaksOnlyCurrentProtocols_data();
    void speaksOnlyCurrentProtocols();
    void bothMayBeOneFile();
    void refusesFiles_data();
    void refusesFiles();
    void refusesMissingFiles();
    void refusesUnreadableKey();
    void warnsOfValidity_data();
    void warnsOfValidity();

private:
    /// Writes a file into the test's directory and gives its path.
    QString write(const char *name, const QByteArray &content)
    {
        QFile file(m_directory.filePath(QString::fromLatin1(name)));
        if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size()) {
            qFatal("no temporary file");
        }
        return file.fileName();
    }

    QTemporaryDir m_directory;
};

void TestTlsConfiguration::servesEachKindOfKey_data()
{
    QTest::addColumn<KeyKind>("kind");
    QTest::newRow("RSA") << KeyKind::Rsa2048;
    QTest::newRow("EC") << KeyKind::EcP256;
    QTest::newRow("Ed25519") << KeyKind::Ed25519;
}

// The keys that certificate authorities give out work, to a client that verifies, and more than
// once.
void TestTlsConfiguration::servesEachKindOfKey()
{
    QFETCH(KeyKind, kind);
    const TestCertificate certificate({.key = kind});
    const auto configuration = loadTlsConfiguration(write("cert.pem", certificate.certificatePem()),
                                                    write("key.pem", certificate.keyPem()));
    QVERIFY2(configuration, configuration ? "" : qPrintable(configuration.error().message));
    const TlsServer server(configuration.value());
    for (int i = 0; i < 3; ++i) {
        const Handshake handshake = connectTo(server, certificate, QSsl::TlsV1_2OrLater);
        QVERIFY2(handshake.succeeded, qPrintable(handshake.error));
    }
}

// A client that knows only the root reaches it through what the file holds after the certificate.
void TestTlsConfiguration::sendsTheIntermediates()
{
    const TestCertificate root({.commonName = "root.test", .isAuthority = true});
    const TestCertificate middle({.commonName = "middle.test", .isAuthority = true}, &root);
    const TestCertificate leaf({}, &middle);
    const QString keyFile = write("key.pem", leaf.keyPem());

    const auto whole = loadTlsConfiguration(
        write("chain.pem", leaf.certificatePem() + middle.certificatePem()), keyFile);
    QVERIFY(whole);
    const TlsServer server(whole.value());
    const Handshake handshake = connectTo(server, root, QSsl::TlsV1_2OrLater);
    QVERIFY2(handshake.succeeded, qPrintable(handshake.error));

    // Without the intermediate the same client must refuse, or the above shows nothing.
    const auto part = loadTlsConfiguration(write("leaf.pem", leaf.certificatePem()), keyFile);
    QVERIFY(part);
    const TlsServer incomplete(part.value());
    QVERIFY(!connectTo(incomplete, root, QSsl::TlsV1_2OrLater).succeeded);
}

void TestTlsConfiguration::speaksOnlyCurrentProtocols_data()
{
    QTest::addColumn<QSsl::SslProtocol>("protocol");
    QTest::addColumn<bool>("isSpoken");
    QT_WARNING_PUSH
    QT_WARNING_DISABLE_DEPRECATED
    QTest::newRow("TLS 1.0") << QSsl::TlsV1_0 << false;
    QTest::newRow("TLS 1.1") << QSsl::TlsV1_1 << false;
    QT_WARNING_POP
    QTest::newRow("TLS 1.2") << QSsl::TlsV1_2 << true;
    QTest::newRow("TLS 1.3") << QSsl::TlsV1_3 << true;
}

// Nothing below TLS 1.2 is agreed on, whatever the client asks for.
void TestTlsConfiguration::speaksOnlyCurrentProtocols()
{
    QFETCH(QSsl::SslProtocol, protocol);
    QFETCH(bool, isSpoken);
    const TestCertificate certificate({});
    const auto configuration = loadTlsConfiguration(write("cert.pem", certificate.certificatePem()),
                                                    write("key.pem", certificate.keyPem()));
    QVERIFY(configuration);
    QCOMPARE(configuration.value().protocol(), QSsl::TlsV1_2OrLater);
    const TlsServer server(configuration.value());
    const Handshake handshake = connectTo(server, certificate, protocol);
    QCOMPARE(handshake.succeeded, isSpoken);
    if (isSpoken) {
        QCOMPARE(handshake.protocol, protocol);
    }
}

// Certificate, intermediates and key in one file, as some tools write them.
void TestTlsConfiguration::bothMayBeOneFile()
{
    const TestCertificate certificate({});
    const QString file = write("all.pem", certificate.keyPem() + certificate.certificatePem());
    const auto configuration = loadTlsConfiguration(file, file);
    QVERIFY2(configuration, configuration ? "" : qPrintable(configuration.error().message));
    QCOMPARE(configuration.value().localCertificateChain().size(), 1);
}

void TestTlsConfiguration::refusesFiles_data()
{
    QTest::addColumn<QByteArray>("certificate");
    QTest::addColumn<QByteArray>("key");
    QTest::addColumn<QString>("problem");
    const auto row = [](const char *name, const QByteArray &certificate, const QByteArray &key,
                        const char *problem) {
        QTest::newRow(name) << certificate << key << QString::fromLatin1(problem);
    };
    const TestCertificate pair({});
    const TestCertificate other({});
    const TestCertificate otherKind({.key = KeyKind::Ed25519});
    const TestCertificate weak({.key = KeyKind::Rsa1024});
    const QByteArray cert = pair.certificatePem();
    const QByteArray key = pair.keyPem();
    QByteArray damagedCert = cert;
    damagedCert.replace(cert.size() / 2, 8, "!!!!!!!!");
    QByteArray damagedKey = key;
    damagedKey.replace(key.size() / 2, 8, "!!!!!!!!");

    row("empty certificate", "", key, "certificate file %1: holds no certificate in PEM form");
    row("empty key", cert, "", "key file %2: holds no private key in PEM form");
    row("certificate is DER", pair.certificateDer(), key, "openssl x509 -inform DER");
    row("certificate is a text", "# cert\n", key, "certificate file %1: holds no certificate");
    row("certificate is damaged", damagedCert, key,
        "certificate file %1: holds a damaged certificate");
    row("certificate is cut off", cert.first(cert.size() / 2), key,
        "certificate file %1: holds a damaged certificate");
    row("second certificate is cut off", cert + cert.first(cert.size() / 2), key,
        "certificate file %1: holds a damaged certificate");
    row("certificate is too long", QByteArray(1024 * 1024 + 1, '\n'), key,
        "certificate file %1: is longer than 1 MiB");
    row("key is damaged", cert, damagedKey, "key file %2: holds a damaged private key");
    row("key is cut off", cert, key.first(key.size() / 2),
        "key file %2: holds a damaged private key");
    row("swapped", key, cert,
        "certificate file %1: holds a private key and no certificate: are the two files swapped?");
    row("certificate twice", cert, cert,
        "key file %2: holds a certificate and no private key: are the two files swapped?");
    row("encrypted key", cert, pair.encryptedKeyPem(),
        "decrypt it with \"openssl pkey -in %2 -out NEW\"");
    row("encrypted key, old form", cert,
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
        "AES-256-CBC,00\n\nAA==\n"
        "-----END RSA PRIVATE KEY-----\n",
        "key file %2: is encrypted");
    row("another key", cert, other.keyPem(),
        "key file %2: is not the key of the certificate in %1");
    row("another kind of key", cert, otherKind.keyPem(),
        "key file %2: is not the key of the certificate in %1");
    row("chain in the wrong order", other.certificatePem() + cert, key,
        "certificate file %1: the certificate of the key comes after others");
    row("weak key", weak.certificatePem(), weak.keyPem(),
        "key file %2: a key of 1024 bits is too weak");
}

// A relay that cannot serve TLS says so at its start, in one line, and what to do; not at every
// handshake.
void TestTlsConfiguration::refusesFiles()
{
    QFETCH(QByteArray, certificate);
    QFETCH(QByteArray, key);
    QFETCH(QString, problem);
    const QString certFile = write("bad-cert.pem", certificate);
    const QString keyFile = write("bad-key.pem", key);
    const auto configuration = loadTlsConfiguration(certFile, keyFile);
    QVERIFY(!configuration);
    problem.replace(QStringLiteral("%1"), certFile).replace(QStringLiteral("%2"), keyFile);
    const QString message = configuration.error().message;
    QVERIFY2(message.contains(problem), qPrintable(message));
    QVERIFY(!message.contains(QLatin1Char('\n')));
}

// A wrong path is told as such, for each of the two.
void TestTlsConfiguration::refusesMissingFiles()
{
    const TestCertificate certificate({});
    const QString certFile = write("cert.pem", certificate.certificatePem());
    const QString absent = m_directory.filePath(QStringLiteral("absent.pem"));
    const auto noCert = loadTlsConfiguration(absent, absent);
    QVERIFY(!noCert);
    QCOMPARE(noCert.error().message,
             QStringLiteral("certificate file %1: there is no such file").arg(absent));
    const auto noKey = loadTlsConfiguration(certFile, absent);
    QVERIFY(!noKey);
    QCOMPARE(noKey.error().message,
             QStringLiteral("key file %1: there is no such file").arg(absent));
    const auto directory = loadTlsConfiguration(certFile, m_directory.path());
    QVERIFY(!directory);
    QVERIFY(directory.error().message.contains(QStringLiteral("is a directory")));
}

// Keys are often readable by root alone: the message says whose permission is missing.
void TestTlsConfiguration::refusesUnreadableKey()
{
    if (geteuid() == 0) {
        QSKIP("root may read everything");
    }
    const TestCertificate certificate({});
    const QString certFile = write("cert.pem", certificate.certificatePem());
    const QString keyFile = write("secret.pem", certificate.keyPem());
    QVERIFY(QFile::setPermissions(keyFile, QFileDevice::Permissions()));
    const auto configuration = loadTlsConfiguration(certFile, keyFile);
    QVERIFY(!configuration);
    QVERIFY(configuration.error().message.contains(QStringLiteral("cannot be read")));
}

void TestTlsConfiguration::warnsOfValidity_data()
{
    QTest::addColumn<long>("validFrom");
    QTest::addColumn<long>("validTo");
    QTest::addColumn<QString>("warning");
    QTest::newRow("expired") << -7200L << -3600L << QStringLiteral("expired on");
    QTest::newRow("not yet valid") << 3600L << 7200L << QStringLiteral("is valid only from");
}

// A relay restarted after its certificate ran out serves on, as before the restart, and says it in
// the log.
void TestTlsConfiguration::warnsOfValidity()
{
    QFETCH(long, validFrom);
    QFETCH(long, validTo);
    QFETCH(QString, warning);
    const TestCertificate certificate({.validFrom = validFrom, .validTo = validTo});
    const QString certFile = write("cert.pem", certificate.certificatePem());
    const QString keyFile = write("key.pem", certificate.keyPem());
    QTest::ignoreMessage(QtWarningMsg, QRegularExpression(warning));
    QVERIFY(loadTlsConfiguration(certFile, keyFile));
}

RELAY_TEST(TestTlsConfiguration)
#include "tst_tls_configuration.moc"
