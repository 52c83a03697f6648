#include "gui/pages/address_line.h"

#include "gui/look/card.h"
#include "gui/look/icons.h"

#include <QCoreApplication>
#include <QDesktopServices>
#include <QHBoxLayout>

namespace relay::gui {

namespace {

struct AddressWords
{
    Q_DECLARE_TR_FUNCTIONS(AddressLine)
};

QString socketAddress(QUrl page)
{
    page.setScheme(page.scheme() == QLatin1String("https") ? QStringLiteral("wss")
                                                           : QStringLiteral("ws"));
    return page.toDisplayString();
}

} // namespace

QString connectHint(const QUrl &page)
{
    return page.isEmpty() ? QString()
                          : AddressWords::tr("Connect to %1, or open %2 in a browser.")
                                .arg(socketAddress(page), page.toDisplayString());
}

AddressLine::AddressLine(QWidget *parent)
    : QWidget(parent)
    , m_text(makeQuietLabel({}))
    , m_open(new QPushButton(icon(QStringLiteral("browser")), tr("&Open in browser")))
{
    m_text->setWordWrap(true);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_open->setToolTip(tr("Opens the relay's own page, where a browser can take part"));
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(m_text, 1);
    row->addWidget(m_open);
    connect(m_open, &QPushButton::clicked, this, [this] { QDesktopServices::openUrl(m_page); });
    setAddress({}, 0);
}

void AddressLine::setAddress(const QUrl &page, int clients)
{
    m_page = page;
    m_text->setText(page.isEmpty() ? QString()
                    : clients > 0  ? tr("Clients connect to %1").arg(socketAddress(page))
                                   : tr("No clients yet. %1").arg(connectHint(page)));
    m_open->setVisible(!page.isEmpty());
}

} // namespace relay::gui
