#include "hub/opening_handshake.h"

#include "wire/http_request.h"
#include "wire/upgrade_request.h"

#include <utility>

namespace relay {

namespace {

HandshakeFailure failureOf(UpgradeRefusal refusal)
{
    switch (refusal) {
    case UpgradeRefusal::BadRequest:
        return HandshakeFailure::BadRequest;
    case UpgradeRefusal::MethodNotAllowed:
        return HandshakeFailure::MethodNotAllowed;
    case UpgradeRefusal::UpgradeRequired:
        return HandshakeFailure::UpgradeRequired;
    }
    return HandshakeFailure::BadRequest;
}

OpeningHandshake::Verdict
judge(const HttpRequest &request, QByteArray pipelined, const OriginPolicy &origins)
{
    const auto verdict = judgeUpgrade(request);
    if (const auto *refused = std::get_if<RefusedUpgrade>(&verdict)) {
        return OpeningHandshake::Refusal{failureOf(refused->reason), refused->response};
    }
    const auto &upgrade = std::get<UpgradeRequest>(verdict);
    if (!origins.allows(upgrade.origin, upgrade.host)) {
        return OpeningHandshake::Refusal{
            HandshakeFailure::ForbiddenOrigin,
            plainResponse(403, "This page's origin may not connect to this relay. Its operator can "
                               "name it in server.origins.")};
    }
    return OpeningHandshake::Upgrade{upgrade.key, std::move(pipelined)};
}

} // namespace

OpeningHandshake::Verdict OpeningHandshake::feed(std::span<const char> bytes,
                                                 const HubOptions::Limits &limits,
                                                 const OriginPolicy &origins)
{
    m_head.append(bytes.data(), static_cast<qsizetype>(bytes.size()));
    const HttpRequestParse parse =
        parseHttpRequest(m_head, {limits.requestHeadSize, limits.requestHeaderFields});
    if (parse.status == HttpRequestParse::Status::NeedMore) {
        return NeedMore{};
    }
    const QByteArray head = std::exchange(m_head, {});
    switch (parse.status) {
    case HttpRequestParse::Status::Complete:
        return judge(parse.request, head.sliced(parse.headBytes), origins);
    case HttpRequestParse::Status::TooLarge:
        return Refusal{HandshakeFailure::HeadTooLarge, plainResponse(431, parse.problem)};
    default:
        return Refusal{HandshakeFailure::BadRequest, plainResponse(400, parse.problem)};
    }
}

} // namespace relay
