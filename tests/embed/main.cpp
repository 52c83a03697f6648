#include <QCoreApplication>

#include <cstdio>
#include <relay/hub/hub.h>

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    relay::HubOptions options;
    options.port = 0;
    relay::Hub hub(options);
    if (!hub.listen()
        || hub.publish("hello", relay::MessageKind::Text).status != relay::Hub::Published::Accepted)
    {
        return 1;
    }
    const auto channel = relay::ChannelName::fromText("chat/42");
    if (!channel
        || hub.publish(channel.value(), "hello", relay::MessageKind::Text).position.offset != 1)
    {
        return 1;
    }
    std::printf("listening on port %d with %d clients\n", int(hub.port()), hub.clientCount());
    QObject::connect(&hub, &relay::Hub::closed, &application, &QCoreApplication::quit);
    hub.close(std::chrono::seconds(1));
    return QCoreApplication::exec();
}
