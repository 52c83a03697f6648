#include "gui/tables/client_table_model.h"

#include "gui/look/quantity_text.h"
#include "gui/tables/client_verdict.h"

#include <utility>

namespace relay::gui {

namespace {

enum ClientColumn {
    Id,
    Address,
    Channel,
    Transport,
    Verdict,
    Queue,
    Ping,
    MessagesOut,
    BytesOut,
    MessagesIn,
    Since
};

} // namespace

ClientTableModel::ClientTableModel(QObject *parent)
    : PagedTableModel(
        {{tr("Id"), "id", Qt::AlignRight, tr("The number that the relay gave to the connection")},
         {tr("Address"), "address", Qt::AlignLeft, {}},
         {tr("Channel"), "channel", Qt::AlignLeft, tr("The channel or pattern that it listens to")},
         {tr("Transport"), "transport", Qt::AlignLeft, tr("How it is connected")},
         {tr("Verdict"), "slow_for_seconds", Qt::AlignLeft,
          tr("Sorted by how long it has been slow")},
         {tr("Queued"), "queued_bytes", Qt::AlignRight,
          tr("Bytes that wait in the relay until the client reads")},
         {tr("Ping"), "ping_seconds", Qt::AlignRight,
          tr("Round trip of the last ping. Clients that send are not pinged.")},
         {tr("Out"), "messages_out", Qt::AlignRight, tr("Messages sent to the client")},
         {tr("Bytes out"), "bytes_out", Qt::AlignRight, tr("Bytes sent to the client")},
         {tr("In"), "messages_in", Qt::AlignRight, tr("Messages received from the client")},
         {tr("Connected"), "connected_at", Qt::AlignRight, tr("When it connected")}},
        parent)
{}

void ClientTableModel::setPage(Page<ClientRow> page)
{
    m_page = std::move(page);
    pageCame(m_page.total, m_page.offset, static_cast<int>(m_page.rows.size()));
}

const ClientRow *ClientTableModel::client(qint64 id) const
{
    for (const ClientRow &row : m_page.rows) {
        if (row.id == id) {
            return &row;
        }
    }
    return nullptr;
}

QString ClientTableModel::text(int row, int column) const
{
    const ClientRow &client = m_page.rows[row];
    switch (column) {
    case Id:
        return QString::number(client.id);
    case Address:
        return client.address;
    case Channel:
        return client.channel;
    case Transport:
        return client.transport;
    case Verdict:
        return verdictOn(client).words;
    case Queue:
        return bytesText(static_cast<double>(client.queuedBytes));
    case Ping:
        return latencyText(client.pingSeconds);
    case MessagesOut:
        return countText(client.messagesOut);
    case BytesOut:
        return bytesText(static_cast<double>(client.bytesOut));
    case MessagesIn:
        return countText(client.messagesIn);
    case Since:
        return timeText(client.connectedAt);
    default:
        return {};
    }
}

} // namespace relay::gui
