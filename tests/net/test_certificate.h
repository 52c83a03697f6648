#pragma once

#include <QByteArray>

#include <memory>

/// Certificates made while a test runs: none lies in the tree to expire there.
namespace relay::test {

enum class KeyKind {
    Rsa1024,
    Rsa2048,
    EcP256,
    Ed25519
};

struct CertificateRequest
{
    QByteArray commonName = "relay.test"; ///< also its only DNS name
    KeyKind key = KeyKind::EcP256;
    /// Seconds from the present.
    long validFrom = -3600;
    long validTo = 3600;
    bool isAuthority = false;
};

/// A certificate with its private key.   Thread: any.
class TestCertificate
{
public:
    /// Signed by `issuer`, or by itself when there is none. Aborts when OpenSSL fails.
    explicit TestCertificate(const CertificateRequest &request,
                             const TestCertificate *issuer = nullptr);
    ~TestCertificate();
    TestCertificate(const TestCertificate &) = delete;
    TestCertificate &operator=(const TestCertificate &) = delete;

    [[nodiscard]] QByteArray certificatePem() const;
    [[nodiscard]] QByteArray certificateDer() const;
    [[nodiscard]] QByteArray keyPem() const;
    [[nodiscard]] QByteArray encryptedKeyPem() const;

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace relay::test
