#include "gui/relay_view.h"

#include "gui/look/icons.h"
#include "gui/pages/channels_page.h"
#include "gui/pages/clients_page.h"
#include "gui/pages/events_page.h"
#include "gui/pages/overview_page.h"

#include <QHBoxLayout>
#include <QStyledItemDelegate>

#include <algorithm>
#include <utility>

namespace relay::gui {

namespace {

/// One page is always selected: its name needs no focus frame.
class PageDelegate : public QStyledItemDelegate
{
public:
    using QStyledItemDelegate::QStyledItemDelegate;

protected:
    void initStyleOption(QStyleOptionViewItem *option, const QModelIndex &index) const override
    {
        QStyledItemDelegate::initStyleOption(option, index);
        option->state.setFlag(QStyle::State_HasFocus, false);
    }
};

} // namespace

RelayView::RelayView(std::unique_ptr<RelaySource> source, QWidget *parent)
    : QWidget(parent)
    , m_source(std::move(source))
    , m_list(new QListWidget)
    , m_pages(new QStackedWidget)
{
    addPage(QStringLiteral("overview"), tr("Overview"), new OverviewPage(*m_source));
    addPage(QStringLiteral("clients"), tr("Clients"), new ClientsPage(*m_source));
    auto *channels = new ChannelsPage(*m_source);
    auto *events = new EventsPage(*m_source);
    addPage(QStringLiteral("channels"), tr("Channels"), channels);
    addPage(QStringLiteral("events"), tr("Events"), events);
    connect(channels, &ChannelsPage::ownClientFound, events, &EventsPage::addOwnClient);

    const int line = fontMetrics().height();
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setItemDelegate(new PageDelegate(m_list));
    m_list->setIconSize(QSize(line, line) * 1.2);
    m_list->setSpacing(line / 8);
    m_list->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    int widest = 0;
    for (int page = 0; page < m_list->count(); ++page) {
        widest = std::max(widest, fontMetrics().horizontalAdvance(m_list->item(page)->text()));
        m_list->item(page)->setSizeHint(QSize(widest, line * 2));
    }
    m_list->setFixedWidth(widest + line * 4); // beside the texts, their icons
    m_list->viewport()->setBackgroundRole(QPalette::Window);
    m_list->setAccessibleName(tr("Pages"));
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(line / 2, line / 2, 0, 0);
    row->addWidget(m_list);
    row->addWidget(m_pages, 1);

    connect(m_list, &QListWidget::currentRowChanged, m_pages, &QStackedWidget::setCurrentIndex);
    m_list->setCurrentRow(0);
    m_source->start();
}

RelayView::~RelayView()
{
    delete m_pages; // they hold the source, which goes next
}

QString RelayView::pageTitle(int page) const
{
    return m_list->item(page)->text();
}

void RelayView::showPage(int page)
{
    m_list->setCurrentRow(std::clamp(page, 0, pageCount() - 1));
}

void RelayView::addPage(const QString &iconName, const QString &title, QWidget *page)
{
    auto *item = new QListWidgetItem(icon(iconName), title, m_list); // the list's
    item->setToolTip(tr("Ctrl+%1").arg(m_list->count()));
    m_pages->addWidget(page);
}

} // namespace relay::gui
