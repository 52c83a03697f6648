#pragma once

#include "ops/model/relay_event.h"

#include <QAbstractTableModel>
#include <QString>

#include <deque>

namespace relay::gui {

/// What has happened, oldest first.
///
/// Thread: the window's.
/// Limits: kMaxEvents; then the oldest kDropAtOnce go.
class EventLogModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    static constexpr int kMaxEvents = 10'000;
    static constexpr int kDropAtOnce = 500; ///< a view is told once for all of them

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
    /// A row as a line of a file: its columns, parted by tabs.
    [[nodiscard]] QString line(int row) const;

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role) const override;
    [[nodiscard]] QVariant
    headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    [[nodiscard]] QString text(const RelayEvent &event, int column) const;

    std::deque<RelayEvent> m_events;
};

} // namespace relay::gui
