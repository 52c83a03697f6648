#include "gui/pages/channels_page.h"

#include "gui/look/card.h"
#include "gui/look/dialogs.h"
#include "gui/look/foreign_text.h"
#include "gui/look/icons.h"
#include "gui/look/quantity_text.h"
#include "gui/pages/address_line.h"
#include "gui/pages/message_pane.h"
#include "gui/relay/own_client.h"
#include "gui/tables/table_pane.h"

#include <QHBoxLayout>
#include <QSplitter>
#include <QVBoxLayout>

#include <algorithm>

namespace relay::gui {

ChannelsPage::ChannelsPage(RelaySource &source, QWidget *parent)
    : QWidget(parent)
    , m_source(source)
    , m_model(new ChannelTableModel)
    , m_table(new TablePane(
          m_model,
          [this](const TableQuery &query) { fetch(query); },
          tr("Filter by name"),
          {18, 9, 11, 9, 9, 12},
          0))
    , m_title(makeLabel({}, 1.25, true))
    , m_messages(new MessagePane)
    , m_text(new QLineEdit)
    , m_send(new QPushButton(icon(QStringLiteral("send")), tr("Pu&blish")))
    , m_clear(new QPushButton(icon(QStringLiteral("clear")), tr("C&lear history …")))
    , m_outcome(makeQuietLabel({}))
{
    auto *split = new QSplitter;
    split->addWidget(m_table);
    split->addWidget(makeSide());
    split->setStretchFactor(0, 1);
    split->setStretchFactor(1, 2); // messages are longer than names
    split->setChildrenCollapsible(false);
    auto *column = new QVBoxLayout(this);
    column->addWidget(split);

    m_table->makeColumnsOptional(QStringLiteral("window/hiddenChannelColumns"),
                                 {QStringLiteral("offset"), QStringLiteral("history_bytes")});
    connect(m_table, &TablePane::userSelected, this, &ChannelsPage::select);
    connect(m_text, &QLineEdit::returnPressed, this, &ChannelsPage::publish);
    connect(m_send, &QPushButton::clicked, this, &ChannelsPage::publish);
    connect(m_clear, &QPushButton::clicked, this, &ChannelsPage::askClear);
    connect(m_messages, &MessagePane::listeningChanged, this, &ChannelsPage::noteListening);
    // The first overview tells where clients connect. That may change when the relay comes back.
    connect(&m_source, &RelaySource::overviewChanged, this, [this] {
        listen();
        m_table->setEmptyHint(
            tr("No channels yet. A channel exists while it has clients or keeps messages.\n%1")
                .arg(connectHint(m_source.channelUrl(QStringLiteral("/")))));
    });
    connect(&m_source, &RelaySource::linkChanged, this, [this](const LinkState &link) {
        if (link.link == LinkState::Link::Live) {
            m_messages->resume();
        }
    });
    select(-1);
}

QWidget *ChannelsPage::makeSide()
{
    auto *side = new Card;
    m_text->setPlaceholderText(tr("Message to publish"));
    m_text->setObjectName(QStringLiteral("publish"));
    auto *top = new QHBoxLayout;
    top->addWidget(m_title, 1);
    top->addWidget(m_clear);
    auto *bottom = new QHBoxLayout;
    bottom->addWidget(m_text, 1);
    bottom->addWidget(m_send);
    auto *column = new QVBoxLayout(side);
    column->addLayout(top);
    column->addWidget(m_messages, 1);
    column->addLayout(bottom);
    column->addWidget(m_outcome);
    return side;
}

void ChannelsPage::showEvent(QShowEvent *event)
{
    QWidget::showEvent(event);
    listen();
}

void ChannelsPage::hideEvent(QHideEvent *event)
{
    QWidget::hideEvent(event);
    m_messages->listen({});
}

void ChannelsPage::noteListening(bool isListening)
{
    m_source.setOwnClients(isListening ? 1 : 0);
    if (!isListening) {
        return;
    }
    TableQuery query;
    query.filter = QString::fromLatin1(ownUserAgent());
    query.sort = "id";
    query.isDescending = true;
    query.limit = 1;
    m_source.fetchClients(query, this, [this](const Result<Page<ClientRow>> &page) {
        if (page && !page.value().rows.isEmpty()) {
            Q_EMIT ownClientFound(page.value().rows.first().id);
        }
    });
    m_table->refresh();
}

void ChannelsPage::fetch(const TableQuery &query)
{
    m_countedIn = m_messages->isListening() ? m_selected : QString();
    m_source.fetchChannels(query, this,
                           [this](const Result<Page<ChannelRow>> &page) { take(page); });
}

void ChannelsPage::take(const Result<Page<ChannelRow>> &page)
{
    if (page) {
        m_table->takeRows([&] {
            m_model->setPage(page.value(), m_countedIn);
            return m_selected.isEmpty() ? std::nullopt : m_model->rowOfName(m_selected);
        });
    }
    m_table->finished(page ? QString() : page.error().message);
}

void ChannelsPage::select(int row)
{
    m_selected = row < 0 ? QString() : m_model->nameAt(row);
    const bool isChosen = !m_selected.isEmpty();
    m_title->setText(isChosen ? visibleWord(m_selected)
                              : tr("Select a channel to see its messages."));
    for (QWidget *widget : std::initializer_list<QWidget *>{m_messages, m_text, m_send, m_clear}) {
        widget->setEnabled(isChosen);
    }
    m_outcome->clear();
    listen();
}

void ChannelsPage::listen()
{
    const QUrl wanted =
        isVisible() && !m_selected.isEmpty() ? m_source.channelUrl(m_selected) : QUrl();
    if (wanted != m_messages->url()) {
        m_messages->listen(wanted);
    }
}

void ChannelsPage::publish()
{
    const QByteArray text = m_text->text().toUtf8();
    if (m_selected.isEmpty() || text.isEmpty()) {
        return;
    }
    m_source.publish(
        m_selected, text, true, this, [this](const Result<RelaySource::Receipt> &receipt) {
            if (!receipt) {
                m_outcome->setText(tr("Not published: %1").arg(receipt.error().message));
                return;
            }
            m_text->clear();
            const int clients =
                std::max(0, receipt.value().clients - (m_messages->isListening() ? 1 : 0));
            m_outcome->setText(tr("Published as #%1 to %2.")
                                   .arg(receipt.value().offset)
                                   .arg(countedText(clients, tr("client"), tr("clients"))));
        });
}

void ChannelsPage::askClear()
{
    const Question question{tr("Clear history"),
                            tr("Clear the history of %1?").arg(visibleWord(m_selected)),
                            tr("Its messages are deleted. Clients that resume from before are told "
                               "that messages are missing."),
                            tr("Clear history")};
    ask(this, question, [this, channel = m_selected] {
        m_source.clearHistory(channel, this, [this](const Outcome &outcome) {
            m_outcome->setText(outcome ? tr("History cleared.") : outcome.error().message);
            m_table->refresh();
        });
    });
}

} // namespace relay::gui
