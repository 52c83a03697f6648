#include "gui/tables/channel_table_model.h"

#include "gui/look/quantity_text.h"

#include <algorithm>
#include <utility>

namespace relay::gui {

namespace {

enum ChannelColumn {
    Name,
    Clients,
    Rate,
    Offset,
    HistoryMessages,
    HistoryBytes
};

} // namespace

ChannelTableModel::ChannelTableModel(QObject *parent)
    : PagedTableModel(
        {{tr("Channel"), "name", Qt::AlignLeft, {}},
         {tr("Clients"), "clients", Qt::AlignRight,
          tr("Clients in the channel, without this window. Listeners of a pattern are not "
             "counted.")},
         {tr("Messages"), "messages_per_second", Qt::AlignRight, {}},
         {tr("Offset"), "offset", Qt::AlignRight, tr("The number of the newest message")},
         {tr("History"), "history_messages", Qt::AlignRight, tr("Messages in the history")},
         {tr("History size"), "history_bytes", Qt::AlignRight, tr("Memory that the history uses")}},
        parent)
{}

void ChannelTableModel::setPage(Page<ChannelRow> page, const QString &ownChannel)
{
    m_page = std::move(page);
    for (ChannelRow &row : m_page.rows) {
        if (!ownChannel.isEmpty() && row.name == ownChannel) {
            row.clients = std::max(0, row.clients - 1);
        }
    }
    pageCame(m_page.total, m_page.offset, static_cast<int>(m_page.rows.size()));
}

QString ChannelTableModel::nameAt(int row) const
{
    const qint64 held = row - m_page.offset;
    return held >= 0 && held < m_page.rows.size() ? m_page.rows[held].name : QString();
}

std::optional<int> ChannelTableModel::rowOfName(const QString &name) const
{
    for (qsizetype held = 0; held < m_page.rows.size(); ++held) {
        if (m_page.rows[held].name == name) {
            return static_cast<int>(m_page.offset + held);
        }
    }
    return std::nullopt;
}

QString ChannelTableModel::text(int row, int column) const
{
    const ChannelRow &channel = m_page.rows[row];
    switch (column) {
    case Name:
        return channel.name;
    case Clients:
        return countText(channel.clients);
    case Rate:
        return rateText(channel.messagesPerSecond);
    case Offset:
        return countText(channel.offset);
    case HistoryMessages:
        return countText(channel.historyMessages);
    case HistoryBytes:
        return bytesText(static_cast<double>(channel.historyBytes));
    default:
        return {};
    }
}

} // namespace relay::gui
