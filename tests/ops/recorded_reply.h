#pragma once

#include "ops/reply.h"

#include <optional>

namespace relay {

/// A reply without a connection: what it was told.
class RecordedReply final : public Reply
{
public:
    void send(const HttpResponse &response) override { answer = response; }
    void beginStream(const HttpResponse &head) override { stream = head; }
    bool write(const QByteArray &bytes) override
    {
        written += bytes;
        return isRead;
    }

    std::optional<HttpResponse> answer;
    std::optional<HttpResponse> stream; ///< its head
    QByteArray written;
    bool isRead = true; ///< false: the client is gone
};

} // namespace relay
