#include <QCoreApplication>

#include <cstdio>
#include <relay/hub/hub.h>

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    relay::HubOptions options;
    options.port = 0; // any free port
    relay::Hub hub(options);
    QObject::connect(
        &hub, &relay::Hub::messageReceived, &application,
        [](relay::ClientId, const QByteArray &payload, relay::MessageKind, const QString &channel) {
            std::printf("%s: %s\n", qPrintable(channel), payload.constData());
        });
    if (const auto listening = hub.listen(); !listening) {
        qFatal("%s", qPrintable(listening.error().message));
    }
    std::printf("listening on ws://127.0.0.1:%d/\n", hub.port());
    return QCoreApplication::exec();
}
