#pragma once

#include "wire/http_response.h"

#include <QByteArray>

#include <memory>

namespace relay {

/// Where the answer to one request goes. Kept by who cannot answer at once.
///
/// Thread: main.
/// Errors: a connection that has ended meanwhile takes everything and does nothing with it. A Reply
/// that is let go of without an answer answers 503.
class Reply
{
public:
    Reply() = default;
    virtual ~Reply() = default;
    Reply(const Reply &) = delete;
    Reply &operator=(const Reply &) = delete;

    /// Once.
    virtual void send(const HttpResponse &response) = 0;
    /// Instead of send(): an answer without an end, which write() goes on with.
    virtual void beginStream(const HttpResponse &head) = 0;
    /// False once the client is gone, or has left too much unread and was cut off.
    [[nodiscard]] virtual bool write(const QByteArray &bytes) = 0;
};

using ReplyPtr = std::shared_ptr<Reply>;

} // namespace relay
