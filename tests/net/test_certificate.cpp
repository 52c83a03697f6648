#include "test_certificate.h"

#include <QtGlobal>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <atomic>

namespace relay::test {

class TestCertificate::Private
{
public:
    X509 *certificate = nullptr;
    EVP_PKEY *key = nullptr;
};

namespace {

void require(bool succeeded)
{
    if (!succeeded) {
        qFatal("OpenSSL failed to make a test certificate");
    }
}

EVP_PKEY *makeKey(KeyKind kind)
{
    switch (kind) {
    case KeyKind::Rsa1024:
        return EVP_RSA_gen(1024);
    case KeyKind::Rsa2048:
        return EVP_RSA_gen(2048);
    case KeyKind::EcP256:
        return EVP_EC_gen("P-256");
    case KeyKind::Ed25519:
        return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    }
    return nullptr;
}

void addExtension(X509 *certificate, X509 *issuer, int nid, const QByteArray &value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.constData());
    require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

QByteArray contentOf(BIO *bio)
{
    char *data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    QByteArray content(data, size);
    BIO_free(bio);
    return content;
}

} // namespace

TestCertificate::TestCertificate(const CertificateRequest &request, const TestCertificate *issuer)
    : d(std::make_unique<Private>())
{
    static std::atomic<long> s_serial{1};
    d->key = makeKey(request.key);
    d->certificate = X509_new();
    require(d->key != nullptr && d->certificate != nullptr);
    X509_set_version(d->certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(d->certificate), s_serial.fetch_add(1));
    X509_gmtime_adj(X509_getm_notBefore(d->certificate), request.validFrom);
    X509_gmtime_adj(X509_getm_notAfter(d->certificate), request.validTo);
    X509_set_pubkey(d->certificate, d->key);
    X509_NAME_add_entry_by_txt(
        X509_get_subject_name(d->certificate), "CN", MBSTRING_UTF8,
        reinterpret_cast<const unsigned char *>(request.commonName.constData()), -1, -1, 0);
    X509 *issuedBy = issuer != nullptr ? issuer->d->certificate : d->certificate;
    EVP_PKEY *signer = issuer != nullptr ? issuer->d->key : d->key;
    X509_set_issuer_name(d->certificate, X509_get_subject_name(issuedBy));
    addExtension(d->certificate, issuedBy, NID_subject_alt_name,
                 QByteArray("DNS:").append(request.commonName));
    addExtension(d->certificate, issuedBy, NID_basic_constraints,
                 request.isAuthority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    const bool hashesItself = EVP_PKEY_is_a(signer, "ED25519") == 1;
    require(X509_sign(d->certificate, signer, hashesItself ? nullptr : EVP_sha256()) > 0);
}

TestCertificate::~TestCertificate()
{
    X509_free(d->certificate);
    EVP_PKEY_free(d->key);
}

QByteArray TestCertificate::certificatePem() const
{
    BIO *bio = BIO_new(BIO_s_mem());
    require(PEM_write_bio_X509(bio, d->certificate) == 1);
    return contentOf(bio);
}

QByteArray TestCertificate::certificateDer() const
{
    BIO *bio = BIO_new(BIO_s_mem());
    require(i2d_X509_bio(bio, d->certificate) == 1);
    return contentOf(bio);
}

QByteArray TestCertificate::keyPem() const
{
    BIO *bio = BIO_new(BIO_s_mem());
    require(PEM_write_bio_PKCS8PrivateKey(bio, d->key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    return contentOf(bio);
}

QByteArray TestCertificate::encryptedKeyPem() const
{
    BIO *bio = BIO_new(BIO_s_mem());
    const char passphrase[] = "pass";
    require(PEM_write_bio_PKCS8PrivateKey(bio, d->key, EVP_aes_256_cbc(), passphrase,
                                          sizeof passphrase - 1, nullptr, nullptr)
            == 1);
    return contentOf(bio);
}

} // namespace relay::test
