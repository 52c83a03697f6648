#pragma once

#include "base/result.h"

#include <QSslConfiguration>
#include <QString>

namespace relay {

/// What a TLS server needs, from two PEM files: TLS 1.2 and up, no client certificates.
///
/// `certFile` holds the certificate and then its intermediates; `keyFile` its private key (RSA, EC
/// or Ed25519), not encrypted. Both may be the same file. A certificate that has expired is only
/// warned of in the log: its clients decide.
///
/// Thread: any.
/// Errors: a file that is missing, unreadable or holds something else, a key that is encrypted, too
/// weak for the system's OpenSSL or another certificate's: each says what to do.
Result<QSslConfiguration> loadTlsConfiguration(const QString &certFile, const QString &keyFile);

} // namespace relay
