#include "gui/tables/event_log_model.h"

#include "base/visible_text.h"

#include "gui/look/foreign_text.h"
#include "gui/look/quantity_text.h"
#include "gui/look/theme.h"

#include <QGuiApplication>

namespace relay::gui {

namespace {

Meaning meaningOf(const QString &type)
{
    if (type == QLatin1String("slow") || type == QLatin1String("gone")) {
        return Meaning::Bad;
    }
    if (type == QLatin1String("limit") || type == QLatin1String("skipped")) {
        return Meaning::Warning;
    }
    return type == QLatin1String("disconnect") ? Meaning::Quiet : Meaning::Good;
}

} // namespace

void EventLogModel::append(const RelayEvent &event)
{
    if (m_events.size() >= kMaxEvents) {
        beginRemoveRows({}, 0, kDropAtOnce - 1);
        m_events.erase(m_events.begin(), m_events.begin() + kDropAtOnce);
        endRemoveRows();
    }
    const int row = rowCount();
    beginInsertRows({}, row, row);
    const bool isOwn = event.client && m_ownClients.contains(*event.client);
    m_events.push_back({event, isOwn});
    endInsertRows();
    if (isOwn && event.type == QLatin1String("disconnect")) {
        m_ownClients.removeOne(*event.client);
    }
}

void EventLogModel::addOwnClient(qint64 id)
{
    m_ownClients.append(id);
    if (m_ownClients.size() > kMaxOwnClients) {
        m_ownClients.removeFirst();
    }
    for (int row = rowCount() - 1; row >= 0; --row) {
        Entry &entry = m_events[static_cast<std::size_t>(row)];
        if (entry.event.client == id) {
            entry.isOwn = true;
            Q_EMIT dataChanged(index(row, 0), index(row, ColumnCount - 1));
            if (entry.event.type == QLatin1String("connect")) {
                return;
            }
        }
    }
}

void EventLogModel::clear()
{
    beginResetModel();
    m_events.clear();
    endResetModel();
}

QString EventLogModel::line(int row) const
{
    QStringList columns;
    for (int column = 0; column < ColumnCount; ++column) {
        columns.append(escapeInvisible(text(m_events[static_cast<std::size_t>(row)], column)));
    }
    return columns.join(QLatin1Char('\t'));
}

int EventLogModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_events.size());
}

int EventLogModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant EventLogModel::data(const QModelIndex &index, int role) const
{
    const Entry &entry = m_events[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
        return visibleWord(text(entry, index.column()));
    case Qt::ToolTipRole:
        return plainToolTip(visibleWord(text(entry, index.column())));
    case Qt::ForegroundRole:
        return index.column() == What
                   ? QVariant(colourOf(meaningOf(entry.event.type), QGuiApplication::palette()))
                   : QVariant();
    case Qt::TextAlignmentRole:
        return ((index.column() == Client ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter)
            .toInt();
    default:
        return {};
    }
}

QVariant EventLogModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal) {
        return {};
    }
    if (role == Qt::TextAlignmentRole) {
        return ((section == Client ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter).toInt();
    }
    const QStringList titles{tr("Time"),    tr("Event"),   tr("Client"),
                             tr("Address"), tr("Channel"), tr("Details")};
    return role == Qt::DisplayRole ? QVariant(titles.value(section)) : QVariant();
}

QString EventLogModel::text(const Entry &entry, int column) const
{
    const RelayEvent &event = entry.event;
    switch (column) {
    case Time:
        return timeText(event.time);
    case What:
        return event.type;
    case Client:
        return event.client ? QString::number(*event.client) : QString();
    case Address:
        return event.address.value_or(QString());
    case Channel:
        return event.channel.value_or(QString());
    default:
        break;
    }
    if (event.type == QLatin1String("skipped")) {
        return tr("%1 left out: too many came at the same time")
            .arg(countedText(event.count.value_or(0), tr("event"), tr("events")));
    }
    QString details = event.reason.value_or(QString());
    if (event.closeCode) {
        details = details.isEmpty() ? tr("closed with %1").arg(*event.closeCode)
                                    : tr("closed with %1: %2").arg(*event.closeCode).arg(details);
    }
    if (entry.isOwn) {
        details = details.isEmpty() ? tr("this window") : tr("this window: %1").arg(details);
    }
    return details;
}

} // namespace relay::gui
