#pragma once

#include "ops/model/relay_event.h"

#include <QAbstractTableModel>
#include <QString>

#include <deque>

namespace relay::gui {

/// Events, oldest first.
///
/// Thread: the window's.
/// Limits: kMaxEvents; when there are more, the oldest kDropAtOnce are removed.
class EventLogModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    static constexpr int kMaxEvents = 10'000;
    static constexpr int kDropAtOnce = 500; ///< a view is notified once for all of them

    static constexpr qsizetype kMaxOwnClients = 16;

    enum Column {
        Time,
        What,
        Client,
        Address,
        Channel,
        Details,
        ColumnCount
    };

    using QAbstractTableModel::QAbstractTableModel;

    void append(const RelayEvent &event);
    void clear();
    /// Marks the events of a connection that is this window's own: those since it connected, and those that follow
    /// until it has disconnected.
    void addOwnClient(qint64 id);
    /// The relay has gone: another one may give these numbers to clients.
    void forgetOwnClients() { m_ownClients.clear(); }
    /// A row as a line of a file: its columns, separated by tabs.
    [[nodiscard]] QString line(int row) const;

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role) const override;
    [[nodiscard]] QVariant
    headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    struct Entry
    {
        RelayEvent event;
        bool isOwn = false;
    };
    [[nodiscard]] QString text(const Entry &entry, int column) const;

    std::deque<Entry> m_events;
    QList<qint64> m_ownClients; ///< those that have not disconnected, at most kMaxOwnClients
};

} // namespace relay::gui
