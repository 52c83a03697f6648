#include "net/tls_configuration.h"

#include <QDateTime>
#include <QFile>
#include <QFileInfo>
#include <QLoggingCategory>
#include <QSslCertificate>
#include <QSslKey>
#include <QSslSocket>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

namespace relay {

namespace {

Q_LOGGING_CATEGORY(lcTls, "relay.net")

/// PEM files are a few KiB; what is longer is something else.
constexpr qint64 kMaxPemFileSize = 1024LL * 1024;

/// What OpenSSL asks of keys and certificates at its security level 2, the distribution's: a
/// handshake with less fails.
constexpr int kMinSecurityBits = 112;

struct FreeOpenSsl
{
    void operator()(BIO *bio) const { BIO_free(bio); }
    void operator()(EVP_PKEY *key) const { EVP_PKEY_free(key); }
    void operator()(X509 *certificate) const { X509_free(certificate); }
};
template <typename T>
using OpenSslPointer = std::unique_ptr<T, FreeOpenSsl>;

/// An error about a file, as "certificate file /etc/relay/cert.pem: what".
Error fileError(const char *role, const QString &path, const QString &what)
{
    return Error{QStringLiteral("%1 %2: %3").arg(QString::fromLatin1(role), path, what)};
}
constexpr const char *kCertRole = "certificate file";
constexpr const char *kKeyRole = "key file";

Result<QByteArray> readFile(const char *role, const QString &path)
{
    const QFileInfo info(path);
    if (!info.exists()) {
        return fileError(role, path, QStringLiteral("there is no such file"));
    }
    if (info.isDir()) {
        return fileError(role, path, QStringLiteral("is a directory: name the file in it"));
    }
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        return fileError(
            role, path,
            QStringLiteral("cannot be read: %1 (let the user that the relay runs as read it)")
                .arg(file.errorString()));
    }
    QByteArray content = file.read(kMaxPemFileSize + 1);
    if (content.size() > kMaxPemFileSize) {
        return fileError(role, path, QStringLiteral("is longer than 1 MiB: no PEM file"));
    }
    return content;
}

OpenSslPointer<BIO> memoryBio(const QByteArray &content)
{
    return OpenSslPointer<BIO>(
        BIO_new_mem_buf(content.constData(), static_cast<int>(content.size())));
}

/// OpenSSL asks on the terminal by default; a daemon has none.
int refusePassphrase(char * /*buffer*/, int /*size*/, int /*forWriting*/, void * /*context*/)
{
    return -1;
}

bool holdsPrivateKey(const QByteArray &pem)
{
    return pem.contains("PRIVATE KEY-----");
}
bool holdsCertificate(const QByteArray &pem)
{
    return pem.contains("-----BEGIN CERTIFICATE-----");
}

bool isEncryptedKey(const QByteArray &pem)
{
    return pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
           || pem.contains("Proc-Type: 4,ENCRYPTED");
}

Result<QList<QSslCertificate>> readChain(const QString &path)
{
    const Result<QByteArray> pem = readFile(kCertRole, path);
    if (!pem) {
        return pem.error();
    }
    if (!holdsCertificate(pem.value())) {
        return fileError(kCertRole, path,
                         holdsPrivateKey(pem.value())
                             ? QStringLiteral("holds a private key and no certificate: are the two "
                                              "files swapped?")
                             : QStringLiteral("holds no certificate in PEM form (convert DER with "
                                              "\"openssl x509 -inform DER -in FILE\")"));
    }
    QList<QSslCertificate> chain = QSslCertificate::fromData(pem.value(), QSsl::Pem);
    if (chain.isEmpty() || chain.size() < pem.value().count("-----BEGIN CERTIFICATE-----")) {
        return fileError(kCertRole, path, QStringLiteral("holds a damaged certificate"));
    }
    return chain;
}

Result<OpenSslPointer<EVP_PKEY>> readKey(const QString &path)
{
    const Result<QByteArray> pem = readFile(kKeyRole, path);
    if (!pem) {
        return pem.error();
    }
    if (isEncryptedKey(pem.value())) {
        return fileError(
            kKeyRole, path,
            QStringLiteral("is encrypted, and nobody is there to type its pass phrase: "
                           "decrypt it with \"openssl pkey -in %1 -out NEW\"")
                .arg(path));
    }
    if (!holdsPrivateKey(pem.value())) {
        return fileError(kKeyRole, path,
                         holdsCertificate(pem.value())
                             ? QStringLiteral("holds a certificate and no private key: are the two "
                                              "files swapped?")
                             : QStringLiteral("holds no private key in PEM form (convert DER with "
                                              "\"openssl pkey -inform DER -in FILE\")"));
    }
    OpenSslPointer<EVP_PKEY> key(
        PEM_read_bio_PrivateKey(memoryBio(pem.value()).get(), nullptr, refusePassphrase, nullptr));
    ERR_clear_error(); // a reason that is left behind would be taken for the next connection's
    if (!key) {
        return fileError(kKeyRole, path, QStringLiteral("holds a damaged private key"));
    }
    if (EVP_PKEY_get_security_bits(key.get()) < kMinSecurityBits) {
        return fileError(
            kKeyRole, path,
            QStringLiteral("a key of %1 bits is too weak for OpenSSL: make one of 2048 "
                           "bits or more (RSA), or an EC key")
                .arg(EVP_PKEY_get_bits(key.get())));
    }
    return key;
}

bool belongTogether(const QSslCertificate &certificate, EVP_PKEY *key)
{
    const QByteArray der = certificate.toDer();
    const auto *bytes = reinterpret_cast<const unsigned char *>(der.constData());
    const OpenSslPointer<X509> parsed(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
    const bool match = parsed && X509_check_private_key(parsed.get(), key) == 1;
    ERR_clear_error();
    return match;
}

Outcome checkPair(const QList<QSslCertificate> &chain,
                  const QString &certFile,
                  EVP_PKEY *key,
                  const QString &keyFile)
{
    if (belongTogether(chain.first(), key)) {
        return success();
    }
    for (const QSslCertificate &other : chain.sliced(1)) {
        if (belongTogether(other, key)) {
            return fileError(kCertRole, certFile,
                             QStringLiteral("the certificate of the key comes after others: put it "
                                            "first, then its intermediates"));
        }
    }
    return fileError(
        kKeyRole, keyFile,
        QStringLiteral("is not the key of the certificate in %1: name the pair that was "
                       "made together")
            .arg(certFile));
}

void warnOfValidity(const QSslCertificate &certificate, const QString &certFile)
{
    const QDateTime moment = QDateTime::currentDateTimeUtc();
    if (certificate.expiryDate() < moment) {
        qCWarning(lcTls).noquote()
            << certFile << "expired on" << certificate.expiryDate().toString(Qt::ISODate)
            << "- clients will refuse it until it is renewed";
    } else if (certificate.effectiveDate() > moment) {
        qCWarning(lcTls).noquote()
            << certFile << "is valid only from" << certificate.effectiveDate().toString(Qt::ISODate)
            << "- clients will refuse it until then";
    }
}

} // namespace

Result<QSslConfiguration> loadTlsConfiguration(const QString &certFile, const QString &keyFile)
{
    if (!QSslSocket::supportsSsl()) {
        return Error{QStringLiteral("Qt finds no TLS library: install OpenSSL 3 (libssl3)")};
    }
    const Result<QList<QSslCertificate>> chain = readChain(certFile);
    if (!chain) {
        return chain.error();
    }
    Result<OpenSslPointer<EVP_PKEY>> key = readKey(keyFile);
    if (!key) {
        return key.error();
    }
    OpenSslPointer<EVP_PKEY> privateKey = std::move(key).value();
    if (const Outcome pair = checkPair(chain.value(), certFile, privateKey.get(), keyFile); !pair) {
        return pair.error();
    }
    warnOfValidity(chain.value().first(), certFile);

    QSslConfiguration configuration;
    configuration.setProtocol(QSsl::TlsV1_2OrLater);
    configuration.setPeerVerifyMode(QSslSocket::VerifyNone);
    configuration.setLocalCertificateChain(chain.value());
    // As a handle, since QSslKey itself knows no Ed25519. It takes over the ownership.
    configuration.setPrivateKey(QSslKey(Qt::HANDLE(privateKey.release()), QSsl::PrivateKey));
    return configuration;
}

} // namespace relay
