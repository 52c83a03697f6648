#pragma once

#include "ops/admin_api.h"
#include "ops/ops_server.h"

#include "http_client.h"
#include "some_options.h"
#include "support/test_hub.h"

#include <QJsonDocument>
#include <QJsonObject>

#include <optional>

namespace relay {

/// A relay with its admin API, and what it answers.
///
/// Thread: the test's.
struct AdminRelay
{
    explicit AdminRelay(HubOptions hubOptions = test::testOptions(2),
                        const OpsOptions &opsOptions = anyPort())
        : relay(std::move(hubOptions))
        , server(opsOptions, someMetrics)
        , api(relay.hub(), server, QStringLiteral("server:\n  port: 0\n"))
    {
        server.setReadiness(OpsServer::Readiness::Ready);
        if (!server.listen()) {
            qFatal("the ops port cannot be opened");
        }
    }

    /// The object that a request is answered with; empty unless the status is this one.
    QJsonObject json(const QByteArray &methodAndTarget,
                     int status = 200,
                     const QByteArray &fieldsAndBody = {}) const
    {
        const auto answer = request(server.port(), methodAndTarget, fieldsAndBody);
        if (!answer || answer->status != status) {
            qWarning("%s: %d", methodAndTarget.constData(), answer ? answer->status : 0);
            return {};
        }
        return QJsonDocument::fromJson(answer->body).object();
    }

    /// The same, read as what the API says that it is.
    template <typename T>
    std::optional<T> get(const QByteArray &target) const
    {
        auto value = fromJson<T>(json("GET " + target));
        if (!value) {
            qWarning("%s", qPrintable(value.error().message));
            return std::nullopt;
        }
        return std::move(value).value();
    }

    test::TestHub relay;
    OpsServer server;
    AdminApi api;
};

/// The rest of a request with a body; without a type it has no Content-Type.
inline QByteArray withBody(const QByteArray &contentType, const QByteArray &body)
{
    const QByteArray type =
        contentType.isEmpty() ? QByteArray() : "Content-Type: " + contentType + "\r\n";
    return type + "Content-Length: " + QByteArray::number(body.size()) + "\r\n\r\n" + body;
}

/// Adds one that connects to this path.
inline test::WebClient &
connectTo(test::WebClients &clients, const test::TestHub &relay, const char *path)
{
    clients.push_back(
        std::make_unique<test::WebClient>(relay.url().resolved(QUrl(QString::fromLatin1(path)))));
    return *clients.back();
}

} // namespace relay
