#include "gui/pages/help_window.h"

#include <QDialogButtonBox>
#include <QDir>
#include <QFile>
#include <QPushButton>
#include <QTextBrowser>
#include <QVBoxLayout>

// At global scope, as a resource in a static library must be.
static void initDocumentResources()
{
    Q_INIT_RESOURCE(relay_docs);
}

namespace relay::gui {

namespace {

/// The index, or the reference of channels where there is none.
QString firstPage()
{
    const QString index = QStringLiteral(":/docs/README.md");
    return QFile::exists(index) ? index : QStringLiteral(":/docs/channels.md");
}

} // namespace

HelpWindow::HelpWindow(QWidget *parent)
    : QDialog(parent)
    , m_browser(new QTextBrowser)
{
    initDocumentResources();
    setWindowTitle(tr("Relay documentation"));
    const int unit = fontMetrics().averageCharWidth();
    m_browser->document()->setDocumentMargin(unit * 2);
    m_browser->setOpenLinks(false); // a link may lead to a file that is not part of the program
    m_browser->setSource(QUrl(QStringLiteral("qrc") + firstPage()));
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    QPushButton *back = buttons->addButton(tr("&Back"), QDialogButtonBox::ActionRole);
    QPushButton *start = buttons->addButton(tr("&Contents"), QDialogButtonBox::ActionRole);
    back->setEnabled(false);
    auto *column = new QVBoxLayout(this);
    column->addWidget(m_browser, 1);
    column->addWidget(buttons);
    connect(m_browser, &QTextBrowser::anchorClicked, this, &HelpWindow::open);
    connect(m_browser, &QTextBrowser::backwardAvailable, back, &QWidget::setEnabled);
    connect(back, &QPushButton::clicked, m_browser, &QTextBrowser::backward);
    connect(start, &QPushButton::clicked, m_browser,
            [this] { m_browser->setSource(QUrl(QStringLiteral("qrc") + firstPage())); });
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    resize(unit * 130, fontMetrics().height() * 44);
}

void HelpWindow::open(const QUrl &link)
{
    const QUrl page = m_browser->source().resolved(link);
    const bool isOurs =
        page.scheme() == QLatin1String("qrc") && QFile::exists(QLatin1Char(':') + page.path());
    if (isOurs) {
        m_browser->setSource(page);
    }
}

} // namespace relay::gui
