#include "base/version.h"

#include "main_window.h"
#include "remote_relay.h"

#include <QApplication>

using namespace relay;

int main(int argc, char **argv)
{
    QApplication application(argc, argv);
    QCoreApplication::setOrganizationName(QStringLiteral("relay"));
    QCoreApplication::setApplicationName(QStringLiteral("relay-dashboard"));
    QCoreApplication::setApplicationVersion(QString::fromLatin1(kVersion));
    gui::MainWindow window;
    window.watch(std::make_unique<gui::RemoteRelay>(
        gui::Endpoint{QUrl(QStringLiteral("http://127.0.0.1:9464")), {}}));
    window.show();
    return QApplication::exec();
}
