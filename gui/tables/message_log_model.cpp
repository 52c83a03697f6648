#include "gui/tables/message_log_model.h"

#include "gui/look/payload_text.h"
#include "gui/look/quantity_text.h"

#include <utility>

namespace relay::gui {

void MessageLogModel::Bounded::push(const ChannelMessage &message)
{
    bytes += message.payload.size();
    messages.push_back(message);
}

void MessageLogModel::Bounded::pop()
{
    bytes -= messages.front().payload.size();
    messages.pop_front();
}

bool MessageLogModel::Bounded::isFullFor(qint64 size) const
{
    return !messages.empty() && (messages.size() >= kMaxMessages || bytes + size > kMaxBytes);
}

void MessageLogModel::append(const ChannelMessage &message)
{
    const qint64 size = message.payload.size();
    if (m_isPaused) {
        while (m_waiting.isFullFor(size)) {
            m_waiting.pop();
        }
        m_waiting.push(message);
        return;
    }
    while (m_shown.isFullFor(size)) {
        beginRemoveRows({}, 0, 0);
        m_shown.pop();
        endRemoveRows();
    }
    const int row = rowCount();
    beginInsertRows({}, row, row);
    m_shown.push(message);
    endInsertRows();
}

void MessageLogModel::clear()
{
    beginResetModel();
    m_shown = {};
    m_waiting = {};
    endResetModel();
}

void MessageLogModel::setPaused(bool paused)
{
    m_isPaused = paused;
    if (!paused) {
        for (const ChannelMessage &message : std::exchange(m_waiting, {}).messages) {
            append(message);
        }
    }
}

const ChannelMessage &MessageLogModel::message(int row) const
{
    return m_shown.messages[static_cast<std::size_t>(row)];
}

int MessageLogModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_shown.messages.size());
}

int MessageLogModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant MessageLogModel::data(const QModelIndex &index, int role) const
{
    if (role == Qt::TextAlignmentRole) {
        return ((index.column() == Offset ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter)
            .toInt();
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    const ChannelMessage &one = message(index.row());
    switch (index.column()) {
    case Time:
        return one.time > 0 ? timeText(one.time) : QString();
    case Offset:
        return one.offset > 0 ? countText(one.offset) : QString();
    default:
        break;
    }
    if (one.kind == ChannelMessage::Kind::Gap) {
        return tr("Messages are missing here: they are no longer available.");
    }
    return payloadPreview(one.payload, one.kind == ChannelMessage::Kind::Text);
}

QVariant MessageLogModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal) {
        return {};
    }
    if (role == Qt::TextAlignmentRole) {
        return ((section == Offset ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter).toInt();
    }
    const QStringList titles{tr("Time"), tr("Offset"), tr("Message")};
    return role == Qt::DisplayRole ? QVariant(titles.value(section)) : QVariant();
}

} // namespace relay::gui
