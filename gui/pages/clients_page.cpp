#include "gui/pages/clients_page.h"

#include "gui/look/card.h"
#include "gui/look/dialogs.h"
#include "gui/look/foreign_text.h"
#include "gui/look/icons.h"
#include "gui/pages/address_line.h"
#include "gui/pages/client_detail.h"
#include "gui/tables/table_pane.h"

#include <QHeaderView>
#include <QScrollArea>
#include <QSplitter>
#include <QVBoxLayout>

namespace relay::gui {

namespace {

QScrollArea *scrolling(QWidget *content)
{
    auto *area = new QScrollArea;
    area->setWidget(content);
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    area->viewport()->setAutoFillBackground(false);
    content->setAutoFillBackground(false);
    return area;
}

} // namespace

ClientsPage::ClientsPage(RelaySource &source, QWidget *parent)
    : QWidget(parent)
    , m_source(source)
    , m_model(new ClientTableModel)
    , m_table(new TablePane(
          m_model,
          [this](const TableQuery &query) { fetch(query); },
          tr("Filter by address, channel, user agent or id"),
          {6, 20, 16, 12, 13, 10, 10, 8, 10, 8, 10},
          2))
    , m_detail(new ClientDetail)
    , m_disconnect(new QPushButton(icon(QStringLiteral("disconnect")), tr("&Disconnect …")))
{
    // The client's details contain these, too.
    m_table->makeColumnsOptional(QStringLiteral("window/hiddenClientColumns"),
                                 {QStringLiteral("transport"), QStringLiteral("messages_out"),
                                  QStringLiteral("bytes_out"), QStringLiteral("messages_in")});
    m_disconnect->setShortcut(QKeySequence::Delete);
    auto *side = new Card;
    auto *sideColumn = new QVBoxLayout(side);
    sideColumn->addWidget(scrolling(m_detail), 1);
    sideColumn->addWidget(m_disconnect);
    side->setMinimumWidth(fontMetrics().averageCharWidth() * 42);
    auto *split = new QSplitter;
    split->addWidget(m_table);
    split->addWidget(side);
    split->setStretchFactor(0, 1);
    split->setChildrenCollapsible(false);
    auto *column = new QVBoxLayout(this);
    column->addWidget(split);

    connect(&m_source, &RelaySource::overviewChanged, this, [this] {
        m_table->setEmptyHint(
            tr("No clients yet.\n%1").arg(connectHint(m_source.channelUrl(QStringLiteral("/")))));
    });
    connect(m_table, &TablePane::userSelected, this, &ClientsPage::select);
    connect(m_disconnect, &QPushButton::clicked, this, &ClientsPage::askDisconnect);
    showSelected();
}

QString ClientsPage::detailText() const
{
    return m_detail->text();
}

void ClientsPage::fetch(const TableQuery &query)
{
    m_source.fetchClients(query, this, [this](const Result<Page<ClientRow>> &page) { take(page); });
}

void ClientsPage::take(const Result<Page<ClientRow>> &page)
{
    if (page) {
        m_table->takeRows([&] {
            m_model->setPage(page.value());
            return m_selected ? m_model->rowOf(*m_selected) : std::nullopt;
        });
        showSelected();
    }
    m_table->finished(page ? QString() : page.error().message);
}

void ClientsPage::select(int row)
{
    const qint64 id = row < 0 ? -1 : m_model->idAt(row);
    m_selected = id < 0 ? std::nullopt : std::optional(id);
    showSelected();
}

void ClientsPage::showSelected()
{
    const ClientRow *client = m_selected ? m_model->client(*m_selected) : nullptr;
    m_disconnect->setEnabled(client != nullptr);
    if (client != nullptr) {
        m_detail->showClient(*client);
    } else if (m_selected) {
        m_detail->showNothing(
            tr("Client %1 is not in view: it has disconnected, or is elsewhere in "
               "the table.")
                .arg(*m_selected));
    } else {
        m_detail->showNothing(tr("Select a client to see the details of its connection."));
    }
}

void ClientsPage::askDisconnect()
{
    const ClientRow *client = m_selected ? m_model->client(*m_selected) : nullptr;
    if (client == nullptr) {
        return;
    }
    const Question question{tr("Disconnect"),
                            tr("Disconnect client %1 (%2, channel %3)?")
                                .arg(client->id)
                                .arg(visibleWord(client->address), visibleWord(client->channel)),
                            tr("It is closed with code 1008. Most programs reconnect."),
                            tr("Disconnect")};
    ask(this, question, [this, id = client->id] {
        m_source.disconnectClient(id, this, [this](const Outcome &outcome) {
            if (!outcome) {
                complain(this, tr("Disconnect"), outcome.error().message);
            }
            m_table->refresh();
        });
    });
}

} // namespace relay::gui
