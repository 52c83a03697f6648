#include "gui/pages/events_page.h"

#include "gui/look/card.h"
#include "gui/look/dialogs.h"
#include "gui/look/icons.h"
#include "gui/look/quantity_text.h"
#include "gui/tables/row_view.h"

#include <QAction>
#include <QClipboard>
#include <QFileDialog>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QPushButton>
#include <QSaveFile>
#include <QScrollBar>
#include <QVBoxLayout>

#include <algorithm>

namespace relay::gui {

EventsPage::EventsPage(RelaySource &source, QWidget *parent)
    : QWidget(parent)
    , m_filter(new QLineEdit)
    , m_count(makeQuietLabel({}))
{
    m_filtered.setSourceModel(&m_model);
    m_filtered.setFilterKeyColumn(-1); // in any
    m_filtered.setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_view = makeRowView(m_filtered, {18, 12, 9, 22, 18});
    m_emptyHint = addEmptyHint(*m_view);
    m_view->setSelectionMode(QAbstractItemView::ExtendedSelection); // to copy many

    auto *column = new QVBoxLayout(this);
    column->addWidget(makeTools());
    column->addWidget(m_view, 1);
    connect(m_filter, &QLineEdit::textChanged, this, [this](const QString &text) {
        m_filtered.setFilterFixedString(text);
        showCount();
    });
    connect(&source, &RelaySource::eventHappened, this, &EventsPage::append);
    connect(&source, &RelaySource::linkChanged, this, &EventsPage::noteLink);
    showCount();
}

QWidget *EventsPage::makeTools()
{
    m_filter->setPlaceholderText(tr("Filter"));
    m_filter->setClearButtonEnabled(true);
    m_filter->addAction(icon(QStringLiteral("search")), QLineEdit::LeadingPosition);
    auto *copy = new QPushButton(icon(QStringLiteral("copy")), tr("&Copy"));
    auto *save = new QPushButton(icon(QStringLiteral("save")), tr("&Save …"));
    auto *clear = new QPushButton(icon(QStringLiteral("clear")), tr("C&lear"));
    copy->setToolTip(tr("Copies the selected rows (Ctrl+C), or all"));
    auto *tools = new QWidget;
    auto *row = new QHBoxLayout(tools);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(m_filter, 1);
    row->addWidget(m_count);
    for (QPushButton *button : {copy, save, clear}) {
        row->addWidget(button);
    }
    const auto copyText = [this] {
        const QString selected = selectedText();
        QGuiApplication::clipboard()->setText(selected.isEmpty() ? shownText() : selected);
    };
    connect(copy, &QPushButton::clicked, this, copyText);
    auto *copyKey = new QAction(this);
    copyKey->setShortcut(QKeySequence::Copy);
    copyKey->setShortcutContext(Qt::WidgetShortcut);
    connect(copyKey, &QAction::triggered, this, copyText);
    m_view->addAction(copyKey);
    connect(save, &QPushButton::clicked, this, &EventsPage::askSave);
    connect(clear, &QPushButton::clicked, this, [this] {
        m_model.clear();
        showCount();
    });
    return tools;
}

void EventsPage::append(const RelayEvent &event)
{
    const QScrollBar *bar = m_view->verticalScrollBar();
    const bool isAtEnd = bar->value() == bar->maximum();
    m_model.append(event);
    if (isAtEnd) {
        m_view->scrollToBottom(); // unless the user has scrolled up to read
    }
    showCount();
}

void EventsPage::noteLink(const LinkState &link)
{
    const bool isNews = link.link != m_link && link.link != LinkState::Link::Connecting;
    m_link = link.link;
    if (!isNews) {
        return;
    }
    const bool isGone = link.link == LinkState::Link::Gone;
    if (isGone) {
        m_model.forgetOwnClients();
    }
    RelayEvent event;
    event.type = isGone ? QStringLiteral("gone") : QStringLiteral("watching");
    event.time = static_cast<double>(link.since.toMSecsSinceEpoch()) / 1000.0;
    event.reason = isGone ? link.problem : tr("connected to the relay");
    append(event);
}

QString EventsPage::selectedText() const
{
    QList<int> rows;
    for (const QModelIndex &index : m_view->selectionModel()->selectedRows()) {
        rows.append(m_filtered.mapToSource(index).row());
    }
    std::sort(rows.begin(), rows.end());
    QString text;
    for (const int row : std::as_const(rows)) {
        text += m_model.line(row) + QLatin1Char('\n');
    }
    return text;
}

QString EventsPage::shownText() const
{
    QString text;
    for (int row = 0; row < m_filtered.rowCount(); ++row) {
        text += m_model.line(m_filtered.mapToSource(m_filtered.index(row, 0)).row())
                + QLatin1Char('\n');
    }
    return text;
}

void EventsPage::askSave()
{
    auto *dialog = new QFileDialog(this, tr("Save events"), {}, tr("Tab-separated text (*.tsv)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(QStringLiteral("tsv"));
    dialog->selectFile(QStringLiteral("relay-events.tsv"));
    connect(dialog, &QFileDialog::fileSelected, this, &EventsPage::save);
    dialog->open();
}

void EventsPage::save(const QString &file)
{
    QSaveFile out(file);
    const QByteArray text = shownText().toUtf8();
    if (!out.open(QIODevice::WriteOnly) || out.write(text) != text.size() || !out.commit()) {
        complain(this, tr("Save events"), tr("Cannot write %1: %2").arg(file, out.errorString()));
    }
}

void EventsPage::showCount()
{
    const int shown = m_filtered.rowCount();
    const int all = m_model.rowCount();
    m_emptyHint->setText(
        all == 0 ? tr("No events yet. They appear here when clients connect or disconnect,\n"
                      "read slowly or reach a limit.")
                 : QString());
    m_count->setText(all == 0       ? tr("no events")
                     : shown == all ? countedText(all, tr("event"), tr("events"))
                                    : tr("%1 of %2").arg(countText(shown), countText(all)));
}

} // namespace relay::gui
