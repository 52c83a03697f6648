#include "gui/relay/own_client.h"

#include "base/version.h"

#include <QRandomGenerator>
#include <QString>

namespace relay::gui {

QByteArray ownUserAgent()
{
    static const QByteArray kUserAgent =
        QByteArray("relay-dashboard/") + kVersion + " (window "
        + QByteArray::number(QRandomGenerator::system()->generate(), 16).rightJustified(8, '0')
        + ')';
    return kUserAgent;
}

} // namespace relay::gui
